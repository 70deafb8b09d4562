// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/count_window.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/time_window.hpp"

#include <cstdint>

namespace {

using namespace benchmarks;
using brownout::circuit_breaker;
using brownout::failure_rate;
using brownout::outcome;

/// A count window while a bad call is in it, for as long as it is measured. A real bad call would be gone
/// after `size` good ones, and one in the loop now and then would be measured too. So nothing but the last
/// step is changed: a window that turned out clean is not marked so, and the next success is written as well.
/// Writing and counting take as long whatever the bits are.
struct never_clean : failure_rate<> {
  [[nodiscard]] constexpr brownout::judgement judge(const auto& seen, std::uint32_t marks,
                                                    const brownout::call_sample& call,
                                                    std::uint32_t most_marks) const noexcept {
    auto judged = failure_rate::judge(seen, marks, call, most_marks);
    if (judged.marks == 0) judged.marks = marks;
    return judged;
  }
  [[nodiscard]] constexpr never_clean with_defaults() const noexcept {
    return {failure_rate::with_defaults()};
  }
};

circuit_breaker clean{failure_rate<>{}};
circuit_breaker dirty_20{never_clean{{.window = {.size = 20}}}};
circuit_breaker dirty_1000{never_clean{{.window = {.size = 1000}}}};
circuit_breaker ten_seconds{failure_rate<brownout::time_window>{}};

template <auto& Circuit>
constexpr batch succeeding = repeated([] {
  auto admitted = Circuit.try_acquire();
  if (!admitted) [[unlikely]] {
    ++floors::surprises;
    return;
  }
  opaque_call();
  admitted->complete(outcome::success);
  opaque_call();
});

const registered clean_window{{.name = "count window of 100, clean",
                               .run = succeeding<clean>,
                               .beside = floors::two_loads,
                               .wanted = {.ratio = 1.5, .growth = 1.15, .allocations = 0},
                               .prepare = [] {
                                 let_escape(clean);
                                 let_escape(dirty_20);
                                 let_escape(dirty_1000);
                                 let_escape(ten_seconds);
                                 succeeding<clean>(200);  // full after 100, and noticed up to 26 later
                               }}};

const registered small_dirty_window{{.name = "count window of 20, dirty",
                                     .run = succeeding<dirty_20>,
                                     .beside = floors::one_exchange,
                                     .wanted = {.ratio = 1.3, .allocations = 0}}};

const registered large_dirty_window{{.name = "count window of 1000, dirty",
                                     .run = succeeding<dirty_1000>,
                                     .beside = floors::one_addition,
                                     .wanted = {.ratio = 2.2, .allocations = 0}}};

// Growth is that of threads as a service has them: every round has a new second thread. On two processors one
// in eight of them gets the stripe of the first.
const registered time_window{{.name = "time window of 10 s",
                              .run = succeeding<ten_seconds>,
                              .beside = floors::clock_reading,
                              .wanted = {.ratio = 0.5, .growth = 1.15, .allocations = 0}}};

}  // namespace
