// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/version.hpp"

#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The permit of an asynchronous call. If it is destroyed unsettled, it goes back, and nothing is counted.
//
// Not left to the permit: its destructor would count a failure if an exception passes. Here that exception
// need not come from the operation, but for example from an allocator that has no memory for the call.
template <class Permit>
class returning_permit {
 public:
  explicit returning_permit(Permit&& admitted) noexcept : permit_{std::move(admitted)} {}
  returning_permit(returning_permit&&) noexcept = default;
  returning_permit& operator=(returning_permit&&) = delete;
  BROWNOUT_ALWAYS_INLINE ~returning_permit() {
    if (!permit_.settled()) [[unlikely]] {
      permit_.complete(outcome::cancelled);
    }
  }

  [[nodiscard]] Permit& operator*() noexcept { return permit_; }
  [[nodiscard]] Permit* operator->() noexcept { return &permit_; }

 private:
  Permit permit_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
