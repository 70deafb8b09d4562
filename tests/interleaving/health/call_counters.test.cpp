// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/explored.hpp"
#include "interleaving/one_stripe.hpp"

#include "brownout/health/detail/call_counters.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

using brownout::schedule;

namespace {

struct known {
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
};

}  // namespace

TEMPLATE_TEST_CASE("a dependency's evidence has every call once, in its own epoch", "[interleaving][health]",
                   brownout::scheduled_atomics, one_stripe) {
  using counters = brownout::detail::call_counters<TestType>;
  explored all{"evidence of a dependency"};
  all.run(
      {},
      [](schedule& threads) {
        counters tested;
        std::array<known, 2> ended{};
        std::array<known, 2> begun{};
        const auto count = [&](std::size_t epoch, bool good) {
          ++(good ? begun[epoch].successes : begun[epoch].failures);
          auto& place = tested.own(epoch);
          good ? counters::count_success(place) : counters::count_failure(place);
          ++(good ? ended[epoch].successes : ended[epoch].failures);
        };
        threads.run(
            [&] {
              count(0, true);
              count(0, false);
              count(1, true);
            },
            [&] {
              count(0, true);
              count(1, false);
            },
            [&] {
              const auto before = ended[0];
              const auto read = tested.read(0);
              threads.expect(read.successes >= before.successes && read.successes <= begun[0].successes &&
                                 read.failures >= before.failures && read.failures <= begun[0].failures,
                             "a reading has calls of another epoch, or lacks some");
            });
        for (std::size_t epoch = 0; epoch < 2; ++epoch) {
          const auto read = tested.read(epoch);
          threads.expect(read.successes == ended[epoch].successes && read.failures == ended[epoch].failures,
                         "a call is lost or counted twice");
        }
      },
      [] { return std::string{"two threads that count, and one that reads"}; });
}
