// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"

#include <functional>
#include <type_traits>
#include <utility>

namespace brownout::detail {

/// Settles a permit when the scope ends: a failure, unless the call returned. A destructor rather than a
/// handler, so that the same code serves with and without exceptions.
template <class Permit>
class settlement {
 public:
  explicit settlement(Permit& admitted) noexcept : permit_{admitted} {}
  settlement(const settlement&) = delete;
  settlement& operator=(const settlement&) = delete;
  ~settlement() {
    if (!permit_.settled()) [[unlikely]] {
      permit_.complete(outcome::failure);
    }
  }

  void returned() noexcept { permit_.complete(outcome::success); }

 private:
  Permit& permit_;
};

/// Makes an admitted call and settles its permit: success when `function` returns, failure when it throws.
template <class Permit, class F>
std::invoke_result_t<F> invoke_settling(Permit& admitted, F&& function) {
  using returned = std::invoke_result_t<F>;
  settlement<Permit> settles{admitted};
  if constexpr (std::is_void_v<returned>) {
    std::invoke(std::forward<F>(function));
    settles.returned();
  } else if constexpr (std::is_reference_v<returned>) {
    returned value = std::invoke(std::forward<F>(function));
    settles.returned();
    return static_cast<returned>(value);
  } else {
    returned value = std::invoke(std::forward<F>(function));
    settles.returned();
    return value;
  }
}

template <class Breaker, class F>
std::invoke_result_t<F> call(Breaker& breaker, F&& function) {
  auto admitted = breaker.try_acquire();
  if (!admitted) [[unlikely]] {
    raise(call_rejected{admitted.rejection(), breaker.name()});
  }
  return invoke_settling(*admitted, std::forward<F>(function));
}

template <class Breaker, class F>
result<std::invoke_result_t<F>> try_call(Breaker& breaker, F&& function) {
  auto admitted = breaker.try_acquire();
  if (!admitted) [[unlikely]] {
    return admitted.rejection();
  }
  if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
    invoke_settling(*admitted, std::forward<F>(function));
    return {};
  } else {
    return invoke_settling(*admitted, std::forward<F>(function));
  }
}

}  // namespace brownout::detail
