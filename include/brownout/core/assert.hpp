// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// Receives a broken precondition, or, with `-fno-exceptions`, what would have been thrown. It must not
/// return.
using assertion_handler = void (*)(const char* what, const char* file, int line) noexcept;

namespace detail {

[[noreturn]] inline void print_and_abort(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: brownout: %s\n", file, line, what);
  std::abort();
}

// Written by set_assertion_handler, read when something is already wrong. Publishes a function pointer, and
// with it nothing else, so relaxed is enough.
inline std::atomic<assertion_handler> installed_assertion_handler{&print_and_abort};

[[noreturn]] inline void assertion_failed(const char* what, const char* file, int line) noexcept {
  installed_assertion_handler.load(std::memory_order_relaxed)(what, file, line);
  std::abort();  // a handler that returns would run on with broken state
}

/// Throws `error`; without exceptions hands its text to the assertion handler.
template <class Error>
[[noreturn]] void raise(Error error) {
#if defined(__cpp_exceptions)
  throw std::move(error);
#else
  assertion_failed(error.what(), __FILE__, __LINE__);
#endif
}

}  // namespace detail

/// Replaces the assertion handler and returns the previous one. Default: print to stderr and abort.
/// Thread-safe, lock-free.
inline assertion_handler set_assertion_handler(assertion_handler handler) noexcept {
  return detail::installed_assertion_handler.exchange(handler, std::memory_order_relaxed);
}

}  // namespace brownout::inline BROWNOUT_ABI

/// Checks a precondition of the library's own API in every build: a compare and a branch off the hot path.
#define BROWNOUT_PRECONDITION(condition, what) \
  ((condition) ? static_cast<void>(0) : ::brownout::detail::assertion_failed(what, __FILE__, __LINE__))
