// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <exception>
#include <new>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI::detail {

struct matches_all {
  constexpr bool operator()(const auto&) const noexcept { return true; }
};

#if defined(__cpp_exceptions)

// Handlers, not casts, distinguish the types of exceptions, so that this works without RTTI.

/// How many exceptions of a chain are examined, the outermost one included. `std::throw_with_nested` makes
/// such chains.
inline constexpr int longest_exception_chain = 16;

/// The exception inside the one that is being handled, or null.
[[nodiscard]] inline std::exception_ptr nested_in_handled() noexcept {
  try {
    throw;
  } catch (const std::nested_exception& outer) {
    return outer.nested_ptr();
  } catch (...) {
    return nullptr;
  }
}

/// Whether a handler of `Handled` would catch `thrown`, or an exception inside it, and `matches` returns true
/// for that one.
template <class Handled, class Predicate>
[[nodiscard]] bool is_caught_as(std::exception_ptr thrown, const Predicate& matches) {
  BROWNOUT_PRECONDITION(thrown != nullptr, "a classifier was asked about no exception");
  for (int looked_at = 0; thrown != nullptr && looked_at < longest_exception_chain; ++looked_at) {
    try {
      std::rethrow_exception(thrown);
    } catch (Handled seen) {
      if (detail::ask_of(matches, seen)) return true;
      thrown = nested_in_handled();
    } catch (const std::nested_exception& outer) {
      thrown = outer.nested_ptr();
    } catch (...) {
      return false;
    }
  }
  return false;
}

/// Whether `thrown`, or an exception inside it, is no evidence about the dependency: a rejection of another
/// guard that is not a time-out, or `std::bad_alloc`.
[[nodiscard]] inline bool is_no_evidence(std::exception_ptr thrown) noexcept {
  for (int looked_at = 0; thrown != nullptr && looked_at < longest_exception_chain; ++looked_at) {
    try {
      std::rethrow_exception(thrown);
    } catch (const call_rejected& refused) {
      return !is_failure(refused.why());
    } catch (const std::bad_alloc&) {
      return true;
    } catch (const std::nested_exception& outer) {
      thrown = outer.nested_ptr();
    } catch (...) {
      return false;
    }
  }
  return false;
}

/// The text of an exception, or an empty one.
[[nodiscard]] inline std::string_view text_of(const std::exception& thrown) noexcept {
  const char* const text = thrown.what();
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

/// The default verdict about an exception, and the text of the exception. The text is valid as long as the
/// exception exists.
struct judged_exception {
  outcome result;
  std::string_view text;
};

/// Judges the exception that is being handled. It has others inside.
[[nodiscard]] inline judged_exception judge_handled_chain() noexcept {
  if (is_no_evidence(std::current_exception())) return {outcome::ignored, {}};
  try {
    throw;
  } catch (const std::exception& outermost) {
    return {outcome::failure, text_of(outermost)};
  } catch (...) {
    return {outcome::failure, {}};
  }
}

#endif

}  // namespace brownout::inline BROWNOUT_ABI::detail
