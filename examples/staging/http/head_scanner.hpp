// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string_view>

namespace staging {

/// Finds the end of a request's head in bytes that arrive piece by piece; looks at each byte once.
class head_scanner {
 public:
  enum class progress {
    incomplete,     ///< more bytes are needed
    complete,       ///< `head` has it
    line_too_long,  ///< not even the request line fits the limit
    too_large,      ///< the headers do not fit the limit
    malformed       ///< a line that does not end with CR LF
  };

  /// `input`: all bytes since the last head; at most `limit` of them may belong to this one.
  [[nodiscard]] progress scan(std::string_view input, std::size_t limit) noexcept {
    for (; seen_ < input.size() && seen_ < limit; ++seen_) {
      if (input[seen_] != '\n') continue;
      if (seen_ == line_ || input[seen_ - 1] != '\r') return progress::malformed;
      const bool empty = seen_ == line_ + 1;
      line_ = seen_ + 1;
      if (!empty) {
        has_request_line_ = true;
      } else if (has_request_line_) {
        return progress::complete;
      } else if (++empty_lines_ > 2) {  // some old clients end a body with one; more is not a request
        return progress::malformed;
      } else {
        begin_ = line_;
      }
    }
    if (seen_ < limit) return progress::incomplete;
    return has_request_line_ ? progress::too_large : progress::line_too_long;
  }

  /// After `complete`: from the request line to the empty line.
  [[nodiscard]] std::string_view head(std::string_view input) const noexcept {
    return input.substr(begin_, line_ - begin_);
  }

  /// After `complete`: how many bytes of the input are done with.
  [[nodiscard]] std::size_t size() const noexcept { return line_; }

 private:
  std::size_t seen_ = 0;
  std::size_t line_ = 0;   // where the current line begins
  std::size_t begin_ = 0;  // where the request line begins
  int empty_lines_ = 0;
  bool has_request_line_ = false;
};

}  // namespace staging
