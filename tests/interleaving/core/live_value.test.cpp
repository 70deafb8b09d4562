// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/call_history.hpp"
#include "interleaving/explored.hpp"

#include "brownout/core/detail/live_value.hpp"
#include "brownout/testing/scheduled_atomics.hpp"
#include "brownout/testing/scheduled_mutex.hpp"

#include <cstdint>
#include <string>

using brownout::schedule;

namespace {

/// Two words, always equal.
struct twin {
  std::uint64_t one = 0;
  std::uint64_t other = 0;
};

/// A variable of one thread.
struct variable {
  struct call {
    bool writes = false;
    std::uint64_t value = 0;
  };

  std::uint64_t value = 0;

  bool allows(const call& made) {
    if (made.writes) value = made.value;
    return made.value == value;
  }
};

class scene {
 public:
  explicit scene(schedule& threads) : threads_{threads} {}

  void write(std::uint64_t value) {
    const auto number = history_.begin();
    tested_.write({value, value});
    history_.end(number, {.writes = true, .value = value});
  }
  void read() {
    const auto number = history_.begin();
    const auto copied = tested_.read();
    threads_.expect(copied->one == copied->other, "a mixture of two values");
    history_.end(number, {.writes = false, .value = copied->one});
  }
  void check() {
    read();
    threads_.expect(history_.is_linearizable({}), "no order of the calls explains what was read");
  }

 private:
  schedule& threads_;
  brownout::detail::live_value<twin, brownout::scheduled_atomics, brownout::scheduled_mutex> tested_{twin{}};
  call_history<variable> history_{};
};

}  // namespace

TEST_CASE("a live value is read as it was written, though two threads replace it", "[interleaving][core]") {
  explored all{"live value"};
  all.run(
      {.preemptions = 4},
      [](schedule& threads) {
        scene tested{threads};
        threads.run(
            [&] {
              tested.write(1);
              tested.write(2);
            },
            [&] {
              tested.write(3);
              tested.write(4);
            },
            [&] {
              tested.read();
              tested.read();
            });
        tested.check();
      },
      [] { return std::string{"two threads that write, and one that reads"}; });
}
