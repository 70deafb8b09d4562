// SPDX-License-Identifier: BSL-1.0
// The whole library at work without exceptions and RTTI.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <string_view>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this file is for compiling without exceptions and RTTI"
#endif

void without_exceptions_a_bad_option_ends_the_program(int status);
bool without_exceptions_a_registry_works();
bool without_exceptions_a_supervisor_works();

namespace {

enum class level { normal, emergency };
[[maybe_unused]] constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "emergency";
}
enum class feature { search };
constexpr auto matrix = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::search, .last = level::normal, .needs = brownout::needs(0)}});

}  // namespace

void without_exceptions_a_bad_option_ends_the_program(int status) {
  static int ends_with;
  ends_with = status;
  brownout::set_assertion_handler([](const char*, const char*, int) noexcept { std::_Exit(ends_with); });
  const brownout::circuit_breaker breaker{brownout::consecutive_failures{}, {.probes = 0}};
}

bool without_exceptions_a_registry_works() {
  brownout::registry<> hosts;
  hosts.at("one").call([] {});
  return hosts.at("one").name() == "one";
}

bool without_exceptions_a_supervisor_works() {
  brownout::manual_clock clock;
  brownout::dependency index{{.name = "index", .measure = [] { return brownout::measurement{}; }}, clock};
  index.call([] {});
  brownout::supervisor watch{matrix,
                             {.levels = {.ladder = {{level::normal, 50}, {level::emergency, 0}},
                                         .confirm_for = std::chrono::seconds{0}}},
                             {{0, index}},
                             clock};
  static_cast<void>(watch.step(clock.now()));
  {
    brownout::supervision running{watch};
    running.nudge();
  }
  index.force_open();
  watch.refresh(clock.now());
  return watch.features().level() == level::emergency;
}
