// SPDX-License-Identifier: BSL-1.0

// The log of the example server: whatever is logged, each line is one JSON object, and says what was logged.

#include "captured_log.hpp"
#include "target.hpp"
#include "utf8.hpp"

#include "http/json_text.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace fuzz;
using nlohmann::json;

/// Each byte sequence that is not UTF-8 becomes U+FFFD.
std::string as_unicode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto one = decode(text);
    out += one.is_character ? text.substr(0, one.length) : "\xef\xbf\xbd";
    text.remove_prefix(one.length);
  }
  return out;
}

struct field {
  std::string name;
  json value;  // text as it was given, which may be no UTF-8
};

json any_value(choices& from) {
  switch (from.below(6)) {
    case 0:
      return from.text(40);
    case 1:
      return from.any<std::int64_t>();
    case 2:
      return std::bit_cast<double>(from.any<std::uint64_t>());
    case 3:
      return from.one_in(2);
    case 4:
      return nullptr;
    default:
      return from.between(-8, 8) / 4.0;
  }
}

std::vector<field> any_fields(choices& from) {
  static constexpr std::array<std::string_view, 8> names{"request_id", "path",    "client", "time",
                                                         "level",      "message", "reason", "exception"};
  std::vector<field> made;
  for (const auto name : names) {
    if (from.one_in(2)) made.push_back({std::string{name}, any_value(from)});
  }
  return made;
}

void require_value(const json& line, const std::string& name, const json& expected) {
  require(line.contains(name), "the line has no {}", name);
  const auto& seen = line.at(name);
  if (expected.is_string()) {
    const auto text = as_unicode(expected.get_ref<const std::string&>());
    require(seen.is_string() && seen.get<std::string>() == text, "{} is {}, expected {}", name,
            shown(seen.dump()), shown(text));
  } else if (expected.is_number_float() && !std::isfinite(expected.get<double>())) {
    require(seen.is_null(), "{} is not finite, and not null", name);
  } else if (expected.is_number_float()) {
    require(seen.is_number() && seen.get<double>() == expected.get<double>(), "{} is {}", name, seen.dump());
  } else {
    require(seen == expected, "{} is {}", name, seen.dump());
  }
}

/// What a line must say.
struct expected_line {
  std::string message;
  std::map<std::string, json> fields;
};

/// By `log_fields`, whose `time`, `level` and `message` are ignored.
void write_fields(staging::json_log& log, const std::vector<field>& fields, expected_line& expected) {
  auto members = staging::log_fields::object();
  for (const auto& [name, value] : fields) {
    members[name] = value;
    if (name != "time" && name != "level" && name != "message") expected.fields[name] = value;
  }
  log.write(staging::log_level::info, expected.message, members);
}

/// By `json_text`, which must have a `request_id`, and none of these three.
void write_text(staging::json_log& log, const std::vector<field>& fields, expected_line& expected) {
  staging::json_text members;
  for (const auto& [name, value] : fields) {
    if (name == "time" || name == "level" || name == "message") continue;
    if (value.is_string()) members.member(name, value.get<std::string>());
    if (value.is_number_integer()) members.member(name, value.get<std::int64_t>());
    if (value.is_number_float()) members.member(name, value.get<double>());
    if (value.is_boolean()) members.member(name, value.get<bool>());
    if (value.is_null()) members.member(name, std::optional<std::string>{});
    expected.fields[name] = value;
  }
  if (!expected.fields.contains("request_id")) members.member("request_id", nullptr);
  log.write(staging::log_level::info, expected.message, members);
}

void compare(const std::string& text, const expected_line& expected) {
  const auto line = parsed_object(text, "the line");
  require_value(line, "message", expected.message);
  require_value(line, "level", "info");
  require(line.contains("time") && line.at("time").is_string(), "the line has no time");
  require(line.contains("request_id"), "the line has no request_id");
  for (const auto& [name, value] : expected.fields) require_value(line, name, value);
  const std::size_t others = expected.fields.contains("request_id") ? 3 : 4;
  require_same(line.size(), expected.fields.size() + others, "the number of fields");
}

}  // namespace

void fuzz::one_input(choices& from) {
  captured_log captured;
  std::vector<expected_line> expected;
  do {
    const auto fields = any_fields(from);
    expected.push_back({from.text(60), {}});
    (from.one_in(2) ? write_text : write_fields)(captured.log(), fields, expected.back());
  } while (from.left() && expected.size() < 40);
  const auto lines = captured.end();
  require_same(lines.size(), expected.size(), "the number of lines");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (from.tells()) from.note("{}", shown(lines[i]));
    compare(lines[i], expected[i]);
  }
}
