// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/call_history.hpp"
#include "interleaving/explored.hpp"

#include "brownout/guard/retry_budget.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::schedule;

namespace {

constexpr auto memory = 10s;

/// Tokens in halves, with plain variables: a success pays a half, a retry takes two. The time
/// stands still, so that none is forgotten.
struct tokens {
  enum class kind : std::uint8_t { deposit, withdraw, give_back };
  struct call {
    kind what = kind::deposit;
    bool allowed = false;
  };

  int halves = 2;

  bool allows(const call& made) {
    if (made.what == kind::withdraw) {
      if (made.allowed != (halves >= 2)) return false;
      halves -= made.allowed ? 2 : 0;
    } else {
      halves += made.what == kind::deposit ? 1 : 2;
    }
    return true;
  }
};

class scene {
 public:
  explicit scene(schedule& threads) : threads_{threads} {}

  void deposit() {
    const auto number = history_.begin();
    tested_.deposit();
    history_.end(number, {.what = tokens::kind::deposit});
    ++deposited_;
  }
  void retry(bool is_started) {
    const auto number = history_.begin();
    const bool allowed = tested_.try_withdraw();
    history_.end(number, {.what = tokens::kind::withdraw, .allowed = allowed});
    ++(allowed ? withdrawn_ : refused_);
    if (!allowed || is_started) return;
    const auto back = history_.begin();
    tested_.give_back();
    history_.end(back, {.what = tokens::kind::give_back});
    ++given_back_;
  }
  void check() {
    threads_.expect(history_.is_linearizable({}), "no order of the calls explains the answers");
    const auto shown = tested_.snapshot();
    threads_.expect(shown.deposited == deposited_ && shown.withdrawn == withdrawn_ &&
                        shown.refused == refused_ && shown.given_back == given_back_,
                    "a call is not counted");
    const auto left = 1 + 0.5 * static_cast<double>(deposited_) + static_cast<double>(given_back_) -
                      static_cast<double>(withdrawn_);
    threads_.expect(shown.tokens == left, "tokens are lost or made");
  }

 private:
  schedule& threads_;
  brownout::manual_clock clock_{};
  brownout::basic_retry_budget<brownout::scheduled_atomics> tested_{
      {.name = {}, .ratio = 0.5, .memory = memory, .least = 1}, clock_};
  call_history<tokens> history_{};
  std::uint64_t deposited_ = 0;
  std::uint64_t withdrawn_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t given_back_ = 0;
};

}  // namespace

TEST_CASE("the answers of a retry budget are those of tokens that are counted one call after another",
          "[interleaving][guard]") {
  explored all{"retry budget"};
  all.run(
      {.preemptions = 3, .spurious_failures = 1},
      [](schedule& threads) {
        scene tested{threads};
        threads.run(
            [&] {
              tested.retry(true);
              tested.deposit();
              tested.retry(false);
            },
            [&] {
              tested.deposit();
              tested.retry(true);
            },
            [&] {
              tested.retry(false);
              tested.deposit();
            });
        tested.check();
      },
      [] { return std::string{"three threads"}; });
}
