// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/call_history.hpp"
#include "interleaving/explored.hpp"

#include "brownout/guard/bulkhead.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

using brownout::schedule;
using scheduled_bulkhead = brownout::bulkhead<brownout::scheduled_atomics>;

namespace {

/// Places for calls, with plain variables.
struct places {
  enum class kind : std::uint8_t { acquire, release, show };
  struct call {
    kind what = kind::show;
    bool admitted = false;
    std::uint32_t in_flight = 0;
    std::uint64_t total = 0;
  };

  std::uint32_t limit = 1;
  std::uint32_t in_flight = 0;
  std::uint64_t admitted = 0;

  bool allows(const call& made) {
    switch (made.what) {
      case kind::acquire:
        if (made.admitted != (in_flight < limit)) return false;
        in_flight += made.admitted ? 1U : 0U;
        admitted += made.admitted ? 1U : 0U;
        return true;
      case kind::release:
        --in_flight;
        return true;
      case kind::show:
        return made.in_flight == in_flight && made.total == admitted;
    }
    return false;
  }
};

class scene {
 public:
  scene(schedule& threads, std::uint32_t limit)
      : threads_{threads}, limit_{limit}, tested_{{.name = {}, .limit = limit}} {}

  void run(std::size_t count, int calls) {
    threads_.run(count, [&](std::size_t) {
      for (int i = 0; i < calls; ++i) use_a_place();
      show();
    });
    if (threads_.failed()) return;
    threads_.expect(history_.is_linearizable({.limit = limit_}),
                    "no order of the calls explains the answers");
    const auto shown = tested_.snapshot();
    threads_.expect(shown.in_flight == 0, "a place is lost");
    threads_.expect(shown.admitted + shown.refused == count * static_cast<std::size_t>(calls),
                    "a call is not counted");
  }

 private:
  void use_a_place() {
    const auto acquire = history_.begin();
    auto place = tested_.try_acquire();
    history_.end(acquire, {.what = places::kind::acquire, .admitted = static_cast<bool>(place)});
    if (!place) return;
    const auto release = history_.begin();
    place->release();
    history_.end(release, {.what = places::kind::release});
  }
  void show() {
    const auto number = history_.begin();
    const auto shown = tested_.snapshot();
    history_.end(number, {.what = places::kind::show, .in_flight = shown.in_flight, .total = shown.admitted});
  }

  schedule& threads_;
  std::uint32_t limit_;
  scheduled_bulkhead tested_;
  call_history<places> history_{};
};

}  // namespace

TEST_CASE("the answers of a bulkhead are those of places that are taken one after another",
          "[interleaving][guard]") {
  explored all{"bulkhead"};
  for (const std::uint32_t limit : {0U, 1U, 2U}) {
    const auto describe = [&] { return "limit " + std::to_string(limit); };
    all.run(
        {.preemptions = 3, .spurious_failures = 1},
        [&](schedule& threads) {
          scene{threads, limit}.run(2, 2);
        },
        describe);
    all.run(
        {},
        [&](schedule& threads) {
          scene{threads, limit}.run(3, 1);
        },
        describe);
  }
}

TEST_CASE("a bulkhead never has more calls in flight than the greatest of its limits",
          "[interleaving][guard]") {
  explored all{"bulkhead whose limit changes"};
  all.run(
      {.preemptions = 3},
      [](schedule& threads) {
        scheduled_bulkhead tested{{.name = {}, .limit = 1}};
        std::uint32_t inside = 0;
        const auto use = [&] {
          if (auto place = tested.try_acquire()) {
            threads.expect(++inside <= 2, "too many calls in flight");
            schedule::before_access();
            --inside;
          }
        };
        threads.run(use, use, use, [&] {
          tested.reconfigure({.name = {}, .limit = 2});
          tested.reconfigure({.name = {}, .limit = 0});
        });
        threads.expect(tested.snapshot().in_flight == 0, "a place is lost");
      },
      [] { return std::string{"limit 1, 2, 0"}; });
}
