// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace brownout::inline BROWNOUT_ABI::detail {

#if defined(BROWNOUT_CHECK_LIFETIMES)
/// Counts the permits of a breaker that are not settled, for the check of lifetimes. Thread-safe, wait-free.
class permits_out {
 public:
  /// `name`: of the breaker, which outlives this.
  explicit permits_out(const std::string& name) noexcept : name_{&name} {}
  permits_out(const permits_out&) = delete;
  permits_out& operator=(const permits_out&) = delete;
  /// Calls the assertion handler if there is a permit.
  ~permits_out() {
    const auto out = count_.load(std::memory_order_relaxed);
    if (out == 0) return;
    const auto what = "breaker '" + *name_ + "' is destroyed while " + std::to_string(out) +
                      " of its permits are not settled: it must outlive its permits";
    assertion_failed(what.c_str(), __FILE__, __LINE__);
  }

  // relaxed: a correct program destroys the breaker after its permits.
  void add() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void remove() noexcept { count_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  const std::string* name_;
  std::atomic<std::int64_t> count_{0};  // written by the threads that take and settle permits
};
#else
/// Counts nothing.
class permits_out {
 public:
  explicit permits_out(const std::string& /*name*/) noexcept {}
  void add() noexcept {}
  void remove() noexcept {}
};
#endif

}  // namespace brownout::inline BROWNOUT_ABI::detail
