// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/tally.hpp"
#include "studies/levels/true_state.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace studies::levels {

/// What became of a request.
enum class answered : std::uint8_t { well, badly, not_at_all };

/// Compares what is offered with what is true, over time.
class ledger {
 public:
  /// Nothing counts before: nobody knows anything at the start.
  static constexpr nanoseconds begins = std::chrono::seconds{30};

  ledger(const true_state& at_first, offer offered);

  /// To be told of both whenever they may have changed, in order of time.
  void truth_becomes(const true_state& state, nanoseconds now);
  void offer_becomes(const offer& offered, nanoseconds now);
  void count_request(answered how, nanoseconds now);

  [[nodiscard]] const offer& offered() const { return offered_; }
  [[nodiscard]] tally finished(nanoseconds now);

 private:
  /// Counts the turns of something that goes up and down.
  class direction {
   public:
    [[nodiscard]] bool turns(level from, level to) {
      const bool worse = to > from;
      const bool turned = worse_ && *worse_ != worse;
      worse_ = worse;
      return turned;
    }

   private:
    std::optional<bool> worse_;
  };

  void pass_until(nanoseconds now);
  void settle_lateness(nanoseconds now);

  tally counted_;
  true_state true_;
  offer offered_;
  feature_set features_;
  nanoseconds now_ = begins;
  std::optional<nanoseconds> late_since_;  ///< the right level changed then, and is not in force yet
  bool falling_ = false;
  direction level_;
  direction right_level_;
};

}  // namespace studies::levels
