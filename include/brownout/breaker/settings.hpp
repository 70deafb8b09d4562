// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/announcer.hpp"
#include "brownout/breaker/control_word.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/breaker/recovery.hpp"
#include "brownout/core/invalid_option.hpp"
#include "brownout/core/live_value.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace brownout::detail {

/// What of a breaker seldom changes and is not touched by every call, so that it stands apart.
template <class Detector, class Atomics>
class settings {
 public:
  /// Throws `std::invalid_argument` naming field, value and range.
  settings(breaker_options&& options, const Detector& trips, std::uint64_t own_seed)
      : name_{(options.validate(), std::move(options.name))},
        rules_{recovery::of(options, own_seed)},
        trips_{valid(trips)} {}

  void reconfigure(const breaker_options& options) {
    options.validate();
    if (!options.name.empty() && options.name != name_) {
      invalid_option("breaker_options.name", "'" + options.name + "'", "'" + name_ + "'");
    }
    rules_.write(recovery::of(options, rules_.read().seed));
  }
  void reconfigure(const Detector& trips) {
    valid(trips).validate_replacing(trips_.read());
    trips_.write(trips);
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] recovery rules() const noexcept { return rules_.read(); }
  [[nodiscard]] Detector trips() const noexcept { return trips_.read(); }
  [[nodiscard]] announcer<Atomics>& listeners() noexcept { return listeners_; }

 private:
  static const Detector& valid(const Detector& trips) {
    trips.validate(control_word::most_marks);
    return trips;
  }

  const std::string name_;
  live_value<recovery> rules_;
  live_value<Detector> trips_;
  announcer<Atomics> listeners_;
};

}  // namespace brownout::detail
