// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/recovery.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/core/detail/live_value.hpp"

namespace brownout::detail {

/// What breakers decide by: options and detector, both replaceable while they are read. Many breakers may
/// share one, as those of a registry's rule do.
template <class Detector>
class policy {
 public:
  /// Throws `std::invalid_argument` naming field, value and range.
  policy(const breaker_options& options, const Detector& trips) : policy{valid(options), valid(trips)} {}
  /// Precondition: both are valid.
  policy(const recovery& rules, const Detector& trips) : rules_{rules}, trips_{trips} {}

  [[nodiscard]] live_copy<recovery> rules() const noexcept { return rules_.read(); }
  [[nodiscard]] live_copy<Detector> trips() const noexcept { return trips_.read(); }

  void replace(const recovery& rules) { rules_.write(rules); }
  void replace(const Detector& trips) { trips_.write(trips); }

  static recovery valid(const breaker_options& options) {
    options.validate();
    return recovery::of(options);
  }
  static const Detector& valid(const Detector& trips) {
    trips.validate(control_word::most_marks);
    return trips;
  }

 private:
  live_value<recovery> rules_;
  live_value<Detector> trips_;
};

}  // namespace brownout::detail
