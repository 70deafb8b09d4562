// SPDX-License-Identifier: BSL-1.0

// The bodies that the example server reads: a chunked one comes out as it went in, however its bytes arrive.
// A JSON body is taken field by field, or refused by an answer that is JSON itself.

#include "captured_log.hpp"
#include "target.hpp"
#include "utf8.hpp"

#include "http/chunked_body.hpp"
#include "http/message.hpp"
#include "routes/body.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

namespace {

using namespace fuzz;
using staging::chunked_body;
using progress = staging::chunked_body::progress;

constexpr std::size_t limit = 64;

struct result {
  progress end;
  std::string content;
  std::string rest;
};

/// Feeds the bytes in pieces of these sizes.
template <class Size>
result take(std::string_view bytes, Size size_of_next) {
  chunked_body body{limit};
  std::string input;
  for (;;) {
    const auto size = std::min<std::size_t>(bytes.size(), size_of_next());
    input += bytes.substr(0, size);
    bytes.remove_prefix(size);
    const auto end = body.take(input);
    if (end == progress::incomplete && !bytes.empty()) continue;
    return {end, body.content(), input + std::string{bytes}};
  }
}

/// Reads the chunks one line at a time. Says whether the bytes are a complete and well-formed body.
bool plain_take(std::string_view bytes, std::string& content, std::string& rest) {
  const auto line = [&](std::string& into) {
    const auto end = bytes.find("\r\n");
    if (end == std::string_view::npos) return false;
    into = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    return std::none_of(into.begin(), into.end(),
                        [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
  };
  std::string text;
  for (;;) {
    if (!line(text)) return false;
    const auto digits = text.substr(0, text.find(';'));
    if (digits.empty() || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
      return false;
    const auto significant = digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
    if (significant.size() > 8) return false;
    const auto size = significant.empty() ? 0 : std::stoull(significant, nullptr, 16);
    if (size == 0) break;
    if (bytes.size() < size + 2 || bytes.substr(size, 2) != "\r\n") return false;
    content += bytes.substr(0, size);
    bytes.remove_prefix(size + 2);
  }
  for (;;) {
    if (!line(text)) return false;
    if (text.empty()) break;
    const auto colon = text.find(':');
    if (colon == 0 || colon == std::string::npos) return false;
    for (const char c : text.substr(0, colon)) {
      const bool is_token = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                            std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
      if (!is_token) return false;
    }
  }
  rest = bytes;
  return true;
}

std::string any_chunks(choices& from) {
  static constexpr std::array<std::string_view, 6> extensions{"", "", "", ";a", ";a=\"b\"", " ;x"};
  static constexpr std::array<std::string_view, 5> ends{"\r\n", "\r\n", "\r\n", "\n", "\r"};
  std::string bytes;
  for (auto count = from.below(5); count > 0; --count) {
    const auto data = from.text(40);
    const auto size = data.size() + (from.one_in(12) ? from.any<std::uint32_t>() : 0);
    if (size == 0) continue;
    bytes += fmt::format("{}{:x}{}", from.one_in(4) ? "00" : "", size, from.one_of(extensions));
    bytes += from.one_of(ends);
    bytes += data;
    bytes += from.one_in(8) ? from.one_of(ends) : "\r\n";
  }
  bytes += "0\r\n";
  if (from.one_in(3)) bytes += from.one_in(2) ? "Trailer: x\r\n" : from.text(20) + "\r\n";
  bytes += "\r\n";
  return bytes + from.text(10);
}

void chunked(choices& from) {
  const auto bytes = from.one_in(3) ? from.text(300) : any_chunks(from);
  from.note("{}", shown(bytes));
  std::string content;
  std::string rest;
  const bool is_complete = plain_take(bytes, content, rest);
  const auto whole = take(bytes, [&] { return bytes.size(); });
  const auto in_pieces = take(bytes, [&] { return 1 + from.below(7); });
  for (const auto& seen : {whole, in_pieces}) {
    const bool too_large = seen.end == progress::too_large;
    require(seen.content.size() <= limit, "the content has {} bytes", seen.content.size());
    if (too_large) continue;  // of content, or of what surrounds it
    require_same(seen.end == progress::complete, is_complete, "whether the body is complete");
    if (!is_complete) continue;
    require(seen.content == content, "the content is {}, expected {}", shown(seen.content), shown(content));
    require(seen.rest == rest, "what follows is {}, expected {}", shown(seen.rest), shown(rest));
  }
  if (is_complete)
    require(whole.end != progress::too_large || content.size() > limit || bytes.size() > 1024,
            "a small body is too large");
}

/// What stands between the quotes of a text.
std::string any_content(choices& from) {
  static constexpr std::array<std::string_view, 10> pieces{
      "a", " ", "\\n", "\\u0085", "\\\"", "\xc2\x85", "\xc2\xa0", "\xff", "\x01", "\xed\xa0\x80"};
  std::string text;
  for (auto count = from.below(4); count > 0; --count) text += from.one_of(pieces);
  return from.one_in(2) ? text : text + from.text(12);
}

std::string any_json(choices& from) {
  static constexpr std::array<std::string_view, 24> pieces{
      "{", "}", "\"reason\":", "\"actor\":",  "\"expiry\":", "\"kind\":",    "\"pin\"",  "\"text\"",
      ",", ":", "60",          "-1",          "1e400",       "0.5",          "null",     "true",
      "[", "]", "\"\\u0000\"", "\"\\ud800\"", "\" \"",       "\"\xc2\x80\"", "\"\xff\"", "\"other\":"};
  if (from.one_in(4)) return from.text(200);
  std::string text;
  if (from.one_in(2)) {
    // Nearly a good one.
    text = fmt::format(R"({{"reason":"{}","actor":"{}","expiry":{}}})", any_content(from), any_content(from),
                       from.one_in(2) ? "60" : from.one_of(pieces));
  } else {
    for (auto count = from.below(20); count > 0; --count) text += from.one_of(pieces);
  }
  if (from.one_in(4)) text.insert(from.below(static_cast<std::uint32_t>(text.size()) + 1), from.text(4));
  if (from.one_in(200)) text = std::string(60'000, '[') + text;
  return text;
}

/// The fields of a body.
constexpr std::initializer_list<std::string_view> known{"kind", "reason", "actor", "expiry"};

/// What the operator's routes read.
void json_body(choices& from) {
  staging::request asked;
  asked.body = any_json(from);
  from.note("{}", shown(std::string_view{asked.body}.substr(0, 400)));
  try {
    const staging::body fields{asked, known};
    const auto plain = nlohmann::json::parse(asked.body);
    for (const auto& [name, value] : plain.items())
      require(std::find(known.begin(), known.end(), name) != known.end(), "the field {} is taken",
              shown(name));
    const auto expiry = fields.number("expiry", 0.001, 86'400);
    require_same(expiry.has_value(), plain.contains("expiry"), "whether there is an expiry");
    if (expiry) {
      require_same(*expiry, plain.at("expiry").get<double>(), "the expiry");
      require(*expiry >= 0.001 && *expiry <= 86'400, "expiry is {}", *expiry);
    }
    for (const auto* const field : {"reason", "actor"}) {
      auto text = fields.text(field, 64);
      require(plain.at(field) == text, "the {} is {}", field, shown(text));
      require(!text.empty() && text.size() <= 64 && text.find_first_not_of(' ') != std::string::npos,
              "a blank {}", field);
      require(replaced(text) == text && text.find('\n') == std::string::npos, "{} has control characters: {}",
              field, shown(text));
    }
  } catch (const staging::http_error& refused) {
    const auto& why = refused.answer();
    from.note("refused: {}: {}", shown(why.field), shown(why.message));
    require_same(why.status, 400, "the status of the refusal");
    require(!why.field.empty() && why.field.size() <= 64, "the refusal names no field");
    require(why.message.size() < 400, "the refusal has {} bytes", why.message.size());
    const auto answer = staging::to_response(why, "an-id");
    const auto error = parsed_object(answer.body, "the refusal").at("error");
    require(error.at("request_id") == "an-id" && error.at("code") == "invalid_request", "the refusal is {}",
            error.dump());
  }
}

}  // namespace

void fuzz::one_input(choices& from) {
  from.one_in(2) ? chunked(from) : json_body(from);
}
