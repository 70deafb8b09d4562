// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI {

/// What an error code of an asynchronous call means, for comparison:
///
///     if (error == brownout::errc::circuit_open) return serve_without_it();
///
/// An error code of this library holds a `rejection_reason`, whose text is its message. Several reasons may
/// have one meaning. No error of the operating system or of another library compares equal to one of these.
enum class errc {
  circuit_open = 1,  ///< the breaker admits no call now: open, held open, or half-open without a free place
  rate_limited,      ///< the rate limit has no token left
  bulkhead_full,     ///< the bulkhead has no place left, and its queue none
  queue_timeout,     ///< the call waited in a queue for as long as it may
  overloaded,        ///< the adaptive limit is reached, or keeps its places for calls of a higher priority
  timed_out,         ///< the call was made and had no answer at its deadline
  deadline_passed,   ///< the deadline had passed before the call was made
  cancelled,         ///< the caller gave the call up before it was made
};

namespace detail {

[[nodiscard]] constexpr errc meaning_of(rejection_reason reason) noexcept {
  switch (reason) {
    case rejection_reason::circuit_open:
    case rejection_reason::probes_in_flight:
    case rejection_reason::forced_open:
    case rejection_reason::recovering:
      return errc::circuit_open;
    case rejection_reason::rate_limited:
      return errc::rate_limited;
    case rejection_reason::bulkhead_full:
      return errc::bulkhead_full;
    case rejection_reason::queue_timeout:
      return errc::queue_timeout;
    case rejection_reason::limit_reached:
    case rejection_reason::shed:
      return errc::overloaded;
    case rejection_reason::timed_out:
      return errc::timed_out;
    case rejection_reason::deadline_passed:
      return errc::deadline_passed;
    case rejection_reason::cancelled:
      return errc::cancelled;
  }
  return errc{};
}

// The value of an error code is the reason plus one, because an error code of value 0 is no error.
[[nodiscard]] constexpr rejection_reason reason_of_value(int value) noexcept {
  return static_cast<rejection_reason>(value - 1);
}

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // Boost's choice: so a category can be constexpr
#endif
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): as Boost's own
class asio_error_category final : public boost::system::error_category {
 public:
  constexpr asio_error_category() noexcept : error_category{0x6f1dc0d2a6b54e13} {}

  [[nodiscard]] const char* name() const noexcept override { return "brownout"; }

  [[nodiscard]] std::string message(int value) const override { return std::string{text(value)}; }
  [[nodiscard]] const char* message(int value, char* buffer, std::size_t size) const noexcept override {
    if (size == 0) return buffer;
    const auto all = text(value);
    const auto length = (std::min)(all.size(), size - 1);
    std::memcpy(buffer, all.data(), length);
    buffer[length] = '\0';
    return buffer;
  }

  [[nodiscard]] bool equivalent(int value,
                                const boost::system::error_condition& other) const noexcept override {
    return other.category() == *this && static_cast<int>(meaning_of(reason_of_value(value))) == other.value();
  }
  using error_category::equivalent;

 private:
  [[nodiscard]] static std::string_view text(int value) noexcept { return to_string(reason_of_value(value)); }
};
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
inline constexpr asio_error_category asio_errors;

}  // namespace detail

/// The category of the error codes of this library; its name is "brownout".
[[nodiscard]] inline const boost::system::error_category& rejection_category() noexcept {
  return detail::asio_errors;
}

/// The error code that an asynchronous call completes with if it is rejected for this reason.
[[nodiscard]] inline boost::system::error_code make_error_code(rejection_reason reason) noexcept {
  return {static_cast<int>(reason) + 1, rejection_category()};
}
/// For comparisons with error codes.
[[nodiscard]] inline boost::system::error_condition make_error_condition(errc meaning) noexcept {
  return {static_cast<int>(meaning), rejection_category()};
}

/// The reason in an error code. Empty if the error is none of this library.
[[nodiscard]] inline std::optional<rejection_reason> rejection_reason_of(
    const boost::system::error_code& error) noexcept {
  if (!error || error.category() != rejection_category()) return std::nullopt;
  return detail::reason_of_value(error.value());
}

}  // namespace brownout::inline BROWNOUT_ABI

namespace boost::system {
template <>
struct is_error_code_enum<brownout::rejection_reason> : std::true_type {};
template <>
struct is_error_condition_enum<brownout::errc> : std::true_type {};
}  // namespace boost::system
