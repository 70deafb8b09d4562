// SPDX-License-Identifier: BSL-1.0
#include "http/chunked_body.hpp"

#include "http/request_head.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace staging {

namespace {

constexpr std::size_t line_limit = 1024;

// The number in front of a chunk's extension; nothing when the line is malformed.
std::optional<std::uint64_t> size_of_chunk(std::string_view line) noexcept {
  const auto digits = line.substr(0, line.find(';'));
  std::uint64_t size = 0;
  // from_chars takes neither blanks nor a sign nor `0x`. A number of more than 64 bits is malformed.
  const auto [stop, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  if (failure != std::errc{} || stop != digits.data() + digits.size()) return std::nullopt;
  if (!is_field_value(line.substr(digits.size()))) return std::nullopt;
  return size;
}

}  // namespace

chunked_body::progress chunked_body::take(std::string& input) {
  std::string_view rest{input};
  const auto result = take_from(rest);
  input.erase(0, input.size() - rest.size());
  return result;
}

chunked_body::progress chunked_body::take_from(std::string_view& rest) {
  for (;;) {
    if (next_ == part::data) {
      const auto taken = std::min<std::uint64_t>(left_, rest.size());
      content_.append(rest.substr(0, taken));
      rest.remove_prefix(taken);
      left_ -= taken;
      if (left_ > 0) return progress::incomplete;
      next_ = part::end_of_data;
    }
    const auto end = rest.find('\n');
    const auto length = std::min(end, rest.size());
    if (next_ == part::end_of_data && length > 1) return progress::malformed;
    if (length > line_limit) return progress::too_large;
    if (end == std::string_view::npos) return progress::incomplete;
    if (length == 0 || rest[length - 1] != '\r') return progress::malformed;
    // One-byte chunks cost six bytes each; what is longer than that is padding.
    framing_ += length + 1;
    if (framing_ > limit_ * 6 + line_limit) return progress::too_large;
    const auto result = take_line(rest.substr(0, length - 1));
    if (result == progress::malformed || result == progress::too_large) return result;
    rest.remove_prefix(length + 1);
    if (result == progress::complete) return result;
  }
}

chunked_body::progress chunked_body::take_line(std::string_view line) {
  if (next_ == part::trailer) {
    if (line.empty()) return progress::complete;
    return is_field_line(line) ? progress::incomplete : progress::malformed;
  }
  if (next_ == part::end_of_data) {
    if (!line.empty()) return progress::malformed;
    next_ = part::size;
    return progress::incomplete;
  }
  const auto size = size_of_chunk(line);
  if (!size) return progress::malformed;
  if (*size > limit_ - content_.size()) return progress::too_large;
  left_ = *size;
  next_ = left_ == 0 ? part::trailer : part::data;
  return progress::incomplete;
}

}  // namespace staging
