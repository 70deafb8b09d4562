// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/testing/memory_access.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The accesses of a schedule as text, a line each. Variables are numbered in the order in which they are
/// first accessed, so that the text of a schedule is the same in each process.
class schedule_trace {
 public:
  void note(const memory_access& seen) {
    text_ +=
        "  thread " + std::to_string(seen.thread) + ", variable " + std::to_string(number_of(seen.where));
    switch (seen.kind) {
      case access_kind::load:
        text_ += ": reads " + hexadecimal(seen.before);
        break;
      case access_kind::compare_failed:
        text_ += ": finds " + hexadecimal(seen.before) + " and leaves it";
        break;
      case access_kind::store:
      case access_kind::exchange:
      case access_kind::compare_done:
        text_ += ": writes " + hexadecimal(seen.after) + " for " + hexadecimal(seen.before);
        break;
    }
    text_ += '\n';
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  [[nodiscard]] std::size_t number_of(const void* where) {
    const auto place = std::find(variables_.begin(), variables_.end(), where);
    const auto number = static_cast<std::size_t>(place - variables_.begin());
    if (place == variables_.end()) variables_.push_back(where);
    return number;
  }
  [[nodiscard]] static std::string hexadecimal(std::uint64_t value) {
    char digits[16];
    const auto ended = std::to_chars(std::begin(digits), std::end(digits), value, 16);
    return "0x" + std::string{std::begin(digits), ended.ptr};
  }

  std::vector<const void*> variables_{};
  std::string text_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
