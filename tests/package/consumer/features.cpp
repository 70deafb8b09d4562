// SPDX-License-Identifier: BSL-1.0
// The whole library in somebody else's program: an open circuit lowers the level and takes a feature away.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace {
enum class level { normal, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "emergency";
}
enum class upstream { index };
enum class feature { search };

constexpr auto matrix = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::search, .last = level::normal, .needs = brownout::needs(upstream::index)}});

void expect(bool condition, const char* what) {
  if (condition) return;
  std::cerr << "not so: " << what << '\n';
  std::exit(EXIT_FAILURE);
}
}  // namespace

int main() {
  brownout::manual_clock clock;
  brownout::dependency index{{.name = "index"}, clock};
  brownout::supervisor watch{matrix,
                             {.levels = {.ladder = {{level::normal, 50}, {level::emergency, 0}},
                                         .confirm_for = std::chrono::seconds{0}}},
                             {{upstream::index, index}},
                             clock};

  index.call([] {});
  expect(watch.step(clock.now()).probes.empty(), "a dependency without a probe is not probed");
  expect(watch.features().available(feature::search), "healthy: the feature is offered");
  index.force_open();
  watch.refresh(clock.now());
  expect(watch.features().level() == level::emergency, "an open circuit lowers the level");
  expect(!watch.features().available(feature::search), "and takes the feature away");
}
