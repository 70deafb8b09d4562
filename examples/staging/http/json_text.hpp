// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace staging {

/// Writes one JSON object as text, member by member. For what each request writes: a document that is built
/// first costs ten times as much.
///
/// Names are written as they are: they need no escaping.
class json_text {
 public:
  /// Text, a number, `bool`, `nullptr`, or an optional one of these, whose lack is null. A number that is not
  /// finite is null too, and text that is not UTF-8 is replaced.
  template <class T>
  void member(std::string_view name, const T& value) {
    begin_member(name);
    append(value);
  }

  /// A member whose value is JSON text already.
  void raw(std::string_view name, std::string_view value) {
    begin_member(name);
    text_ += value;
  }

  /// From here to `end`: the members of an object that is a member itself.
  void begin(std::string_view name) {
    begin_member(name);
    text_ += '{';
  }
  void end() { text_ += '}'; }

  /// The members so far, separated by commas, without the outer braces.
  [[nodiscard]] const std::string& members() const noexcept { return text_; }

  /// The object.
  [[nodiscard]] std::string object() const { return '{' + text_ + '}'; }

 private:
  void begin_member(std::string_view name) {
    if (!text_.empty() && text_.back() != '{') text_ += ',';
    text_ += '"';
    text_ += name;
    text_ += R"(":)";
  }

  template <class T>
  void append(const T& value) {
    if constexpr (std::is_null_pointer_v<T>)
      text_ += "null";
    else if constexpr (std::is_same_v<T, bool>)
      text_ += value ? "true" : "false";
    else if constexpr (std::is_floating_point_v<T>)
      append_number(value);
    else if constexpr (std::is_integral_v<T>)
      text_ += std::to_string(value);
    else if constexpr (std::is_convertible_v<T, std::string_view>)
      append_text(value);
    else if (value)
      append(*value);
    else
      append(nullptr);
  }
  void append_number(double value);
  void append_text(std::string_view value);

  std::string text_;
};

}  // namespace staging
