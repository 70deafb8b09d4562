// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace staging {

/// Puts a chunked request body together, strictly by RFC 9112, section 7.1.
///
/// A size is hexadecimal digits and nothing else, every line ends with CR LF, and CR LF follows the data of
/// each chunk. Extensions and trailer fields must be well formed, and are dropped. Pure: no socket, no clock.
class chunked_body {
 public:
  enum class progress {
    incomplete,  ///< more bytes are needed
    complete,    ///< `content()` is the whole body
    malformed,   ///< answer 400
    too_large    ///< content, or what surrounds it, exceeds its limit: answer 413
  };

  /// `limit`: bytes of content.
  explicit chunked_body(std::size_t limit) : limit_(limit) {}

  /// Removes from the front of `input` what belongs to the body. After `complete`, the rest of `input` is the
  /// next request.
  [[nodiscard]] progress take(std::string& input);

  [[nodiscard]] std::string& content() noexcept { return content_; }

 private:
  enum class part { size, data, end_of_data, trailer };

  [[nodiscard]] progress take_from(std::string_view& rest);
  [[nodiscard]] progress take_line(std::string_view line);

  std::size_t limit_;
  part next_ = part::size;
  std::uint64_t left_ = 0;   // bytes of the current chunk that have not come
  std::size_t framing_ = 0;  // bytes of lines seen
  std::string content_;
};

}  // namespace staging
