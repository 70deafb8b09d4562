// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/explored.hpp"

#include "brownout/system/detail/published_view.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

#include <cstddef>
#include <string>

using brownout::schedule;

TEST_CASE("a request sees the level and the circuits of one step, and never an older one after it",
          "[interleaving][system]") {
  explored all{"published level"};
  all.run(
      {.preemptions = 4},
      [](schedule& threads) {
        brownout::detail::published_view<brownout::scheduled_atomics> tested{brownout::duration{}};
        // Level n goes with circuit n.
        const auto publish = [&](std::size_t level) {
          brownout::dependency_set refusing;
          if (level > 0) refusing.insert(level);
          tested.publish(level, refusing, false, {});
        };
        const auto look = [&] {
          std::uint32_t latest = 0;
          for (int i = 0; i < 3; ++i) {
            const auto seen = tested.read();
            const auto bits = seen.level() > 0 ? 1U << seen.level() : 0U;
            threads.expect(seen.refusing().bits() == bits, "a level with the circuits of another");
            threads.expect(seen.epoch() >= latest, "an older word after a newer one");
            latest = seen.epoch();
          }
        };
        threads.run(
            [&] {
              publish(2);
              publish(3);
              publish(3);
              publish(1);
            },
            look, look);
        threads.expect(tested.read().level() == 1 && tested.read().epoch() == 3,
                       "a step that changes nothing is published, or one that does is not");
      },
      [] { return std::string{"one thread that publishes, two that read"}; });
}
