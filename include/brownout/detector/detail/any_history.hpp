// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/compiler.hpp"
#include "brownout/detector/count_window.hpp"
#include "brownout/detector/detail/window_counts.hpp"
#include "brownout/detector/detail/windowed_share.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/failures_within.hpp"
#include "brownout/detector/time_window.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <memory>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The evidence of an `any_detector`: that of the detector in it. Converts to the evidence of each.
class any_evidence {
 public:
  constexpr any_evidence(no_evidence /*none*/) noexcept {}
  constexpr any_evidence(window_counts window) noexcept : window_{window} {}
  constexpr any_evidence(std::uint32_t failures) noexcept : failures_{failures} {}

  constexpr operator no_evidence() const noexcept { return {}; }
  constexpr operator window_counts() const noexcept { return window_; }
  constexpr operator std::uint32_t() const noexcept { return failures_; }

 private:
  window_counts window_{};
  std::uint32_t failures_ = 0;  // of `failures_within`
};

/// The history of an `any_detector`: that of the detector in it, and nothing for the others.
template <class Atomics>
class any_history {
 public:
  /// Allocates what the history of that detector allocates.
  explicit any_history(const auto& policy) {
    policy.visit([&]<class Detector>(const Detector& one) {
      needs_ = needs_by_type<Detector>;
      kind_ = kind_of<Detector>;
      std::construct_at(std::addressof(of<Detector>(*this)), one);
    });
  }
  any_history(const any_history&) = delete;
  any_history& operator=(const any_history&) = delete;
  ~any_history() {
    if (kind_ == kinds::failures) std::destroy_at(std::addressof(failures_));
    if (kind_ == kinds::latest) std::destroy_at(std::addressof(latest_));
    if (kind_ == kinds::timed) std::destroy_at(std::addressof(timed_));
  }

  /// The needs of the detector that it was built for.
  [[nodiscard]] detector_needs needs() const noexcept { return needs_; }

  /// The history of `Detector`. Precondition: it was built for a detector of this type.
  template <class Detector>
  [[nodiscard]] static auto& of(auto& past) noexcept {
    constexpr auto kind = kind_of<Detector>;
    if constexpr (kind == kinds::failures) {
      return past.failures_;
    } else if constexpr (kind == kinds::latest) {
      return past.latest_;
    } else if constexpr (kind == kinds::timed) {
      return past.timed_;
    } else {
      return past.none_;
    }
  }

 private:
  using failure_ring = typename failures_within::template history<Atomics>;
  using latest_calls = typename windowed_share<count_window>::template history<Atomics>;
  using timed_calls = typename windowed_share<time_window>::template history<Atomics>;

  enum class kinds : std::uint8_t { none, failures, latest, timed };
  template <class Detector, class History = typename Detector::template history<Atomics>>
  static constexpr kinds kind_of = std::is_same_v<History, failure_ring>   ? kinds::failures
                                   : std::is_same_v<History, latest_calls> ? kinds::latest
                                   : std::is_same_v<History, timed_calls>  ? kinds::timed
                                                                           : kinds::none;

  // Written by the constructor alone.
  detector_needs needs_{};
  kinds kind_ = kinds::none;
  // A std::variant by hand, as in open_period.
  union {
    no_history none_;
    failure_ring failures_;
    latest_calls latest_;
    timed_calls timed_;
  };
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
