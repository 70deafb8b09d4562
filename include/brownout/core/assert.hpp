// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A function that gets the reason and the place before the program ends. See `set_assertion_handler`.
using assertion_handler = void (*)(const char* what, const char* file, int line) noexcept;

namespace detail {

/// The handler that is installed at start.
[[noreturn]] inline void print_and_abort(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: brownout: %s\n", file, line, what);
  std::abort();
}

// Written by set_assertion_handler, read when a check has failed. Publishes only a function pointer, so
// relaxed is enough.
inline std::atomic<assertion_handler> installed_assertion_handler{&print_and_abort};

[[noreturn]] inline void assertion_failed(const char* what, const char* file, int line) noexcept {
  installed_assertion_handler.load(std::memory_order_relaxed)(what, file, line);
  std::abort();  // the handler has returned, and the state is broken
}

/// Throws `error`. Without exceptions it calls the assertion handler with the text of `error`.
template <class Error>
[[noreturn]] void raise(Error error) {
#if defined(__cpp_exceptions)
  throw std::move(error);
#else
  assertion_failed(error.what(), __FILE__, __LINE__);
#endif
}

}  // namespace detail

/// Installs the function that is called before the program aborts, and returns the function that it replaces.
///
/// The library checks its preconditions in every build, with and without `NDEBUG`. A broken precondition is a
/// mistake in the calling code: the handler is called, and then the program aborts. Without exceptions
/// (`-fno-exceptions`), the same happens where an exception would be thrown, for example for an invalid
/// option.
///
/// Default: prints file, line and text to stderr. A handler may log, write a minidump or end the program in
/// its own way, for example by `std::_Exit` in a test. It must not throw. If it returns, the program aborts.
/// It must not be null.
///
/// There is one handler for the program, and another one for code that is built without exceptions.
/// Thread-safe, lock-free.
inline assertion_handler set_assertion_handler(assertion_handler handler) noexcept {
  return detail::installed_assertion_handler.exchange(handler, std::memory_order_relaxed);
}

}  // namespace brownout::inline BROWNOUT_ABI

/// Checks a precondition of the library's own API, in every build. `what` is the text for the handler.
#define BROWNOUT_PRECONDITION(condition, what) \
  ((condition) ? static_cast<void>(0) : ::brownout::detail::assertion_failed(what, __FILE__, __LINE__))
