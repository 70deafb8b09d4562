// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fmt/format.h>
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

/// What the targets of libFuzzer share. A target defines `fuzz::one_input`.
///
/// A target must be deterministic: if a check fails, the same input runs again, and then each step is
/// printed.
namespace fuzz {

/// A text as it can be read on a terminal. It is only written if it is printed, so the text must live until
/// then.
struct shown {
  explicit shown(std::string_view given) : text{given} {}
  std::string_view text;
};

}  // namespace fuzz

template <>
struct fmt::formatter<fuzz::shown> : fmt::formatter<fmt::string_view> {
  auto format(const fuzz::shown& one, fmt::format_context& into) const {
    auto out = fmt::format_to(into.out(), "'");
    for (const char c : one.text) {
      const auto byte = static_cast<unsigned char>(c);
      const bool is_plain = byte >= 0x20 && byte < 0x7f && c != '\\';
      out = is_plain ? fmt::format_to(out, "{}", c) : fmt::format_to(out, "\\x{:02x}", byte);
    }
    return fmt::format_to(out, "'");
  }
};

namespace fuzz {

struct failed_check : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws unless `holds`. The text is only formatted if the check fails.
template <class... Args>
void require(bool holds, fmt::format_string<Args...> what, Args&&... args) {
  if (!holds) throw failed_check{fmt::format(what, std::forward<Args>(args)...)};
}

/// Two values that must be the same, and both convert to numbers or texts that can be printed.
template <class Seen, class Expected>
void require_same(const Seen& seen, const Expected& expected, const char* what) {
  if (!(seen == expected)) throw failed_check{fmt::format("{}: {}, expected {}", what, seen, expected)};
}

/// The bytes of an input, read as decisions. When they are used up, each further decision is the first one.
class choices {
 public:
  choices(const std::uint8_t* data, std::size_t size, bool tells) : data_{data, size}, tells_{tells} {}

  [[nodiscard]] bool left() { return data_.remaining_bytes() > 0; }
  /// A whole number from `least` to `most`.
  template <class Number>
  [[nodiscard]] Number between(Number least, Number most) {
    return data_.ConsumeIntegralInRange<Number>(least, most);
  }
  /// A number from 0 to below `end`.
  [[nodiscard]] std::uint32_t below(std::uint32_t end) { return between<std::uint32_t>(0, end - 1); }
  [[nodiscard]] bool one_in(std::uint32_t cases) { return below(cases) == cases - 1; }
  template <class List>
  [[nodiscard]] const auto& one_of(const List& list) {
    return *(std::begin(list) +
             static_cast<std::ptrdiff_t>(below(static_cast<std::uint32_t>(std::size(list)))));
  }
  /// Any bytes, up to `most`.
  [[nodiscard]] std::string text(std::size_t most) { return data_.ConsumeRandomLengthString(most); }
  [[nodiscard]] std::string rest() { return data_.ConsumeRemainingBytesAsString(); }
  template <class Number>
  [[nodiscard]] Number any() {
    return data_.ConsumeIntegral<Number>();
  }
  /// A whole number of microseconds. Short, long and round times are all likely.
  [[nodiscard]] std::chrono::nanoseconds time(std::chrono::nanoseconds most) {
    const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(most).count();
    const auto microseconds =
        between<std::int64_t>(0, one_in(4) ? whole : std::min<std::int64_t>(whole, 5000));
    return std::chrono::microseconds{one_in(3) ? microseconds / 1000 * 1000 : microseconds};
  }

  /// Whether this run prints its steps.
  [[nodiscard]] bool tells() const { return tells_; }
  /// Prints a step, if this run prints.
  template <class... Args>
  void note(fmt::format_string<Args...> what, Args&&... args) const {
    if (tells_) fmt::print(stderr, "  {}\n", fmt::format(what, std::forward<Args>(args)...));
  }

 private:
  FuzzedDataProvider data_;
  bool tells_;
};

/// Runs the target on one input.
void one_input(choices& from);

inline bool passes(const std::uint8_t* data, std::size_t size, bool tells) {
  try {
    choices from{data, size, tells};
    one_input(from);
    return true;
  } catch (const failed_check& failed) {
    if (tells) fmt::print(stderr, "FAILED: {}\n", failed.what());
    return false;
  }
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool tells = std::getenv("BROWNOUT_FUZZ_TELL") != nullptr;
  if (fuzz::passes(data, size, tells)) return 0;
  if (!tells && fuzz::passes(data, size, true)) std::fputs("FAILED: not twice in the same way\n", stderr);
  std::abort();
}
