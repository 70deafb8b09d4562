// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// The answer to `try_acquire` of a guard: a permit, or the rejection. (A `circuit_breaker` has `admission`,
/// which fits into fewer registers.)
///
/// It holds the place of the call, so give it a name: `if (auto place = limit.try_acquire())`. Without a name
/// the place is given back before the call begins.
template <class Permit>
class [[nodiscard]] wrapped_admission {
 public:
  /// For guards: of a call that was admitted.
  explicit wrapped_admission(Permit&& admitted) noexcept
      : permit_{std::move(admitted)}, was_admitted_{true}, nothing_{} {}
  /// For guards. `why`: of a call that was refused; then `admitted` is settled.
  wrapped_admission(Permit&& admitted, const brownout::rejection& why) noexcept
      : permit_{std::move(admitted)}, was_admitted_{!permit_.settled()}, why_{why} {}
  /// The permit moves along.
  wrapped_admission(wrapped_admission&&) noexcept = default;
  /// As above. A permit that this admission held gives its place back.
  wrapped_admission& operator=(wrapped_admission&&) noexcept = default;
  wrapped_admission(const wrapped_admission&) = delete;
  wrapped_admission& operator=(const wrapped_admission&) = delete;
  // Inlined, so that the permit of a call can stay in registers.
  BROWNOUT_ALWAYS_INLINE ~wrapped_admission() = default;

  /// True when the call may be made: it was admitted, and the permit is still here and not settled.
  [[nodiscard]] explicit operator bool() const noexcept { return !permit_.settled(); }

  /// The permit. Precondition: the call was admitted.
  Permit* operator->() noexcept { return &checked(); }
  /// The permit itself. Precondition: admitted.
  Permit& operator*() & noexcept { return checked(); }
  /// The permit to move away; of a refused call a settled one.
  Permit&& operator*() && noexcept { return std::move(permit_); }

  /// Why the call was refused, and when to try again. Precondition: the call was refused.
  [[nodiscard]] brownout::rejection rejection() const noexcept {
    BROWNOUT_PRECONDITION(!was_admitted_, "admission::rejection() on an admitted call");
    return why_;
  }

 private:
  [[nodiscard]] Permit& checked() noexcept {
    BROWNOUT_PRECONDITION(was_admitted_, "the permit of a refused call: check the admission first");
    return permit_;
  }

  Permit permit_;
  bool was_admitted_;
  // A call that is admitted writes no rejection.
  union {
    char nothing_;
    brownout::rejection why_;
  };
};

}  // namespace brownout::inline BROWNOUT_ABI
