// SPDX-License-Identifier: BSL-1.0

// The head of a request to the example server, from the bytes to the answer and the log line: request id,
// client and key are found as plain readings of the header lines find them. Answer and log line stay
// well-formed whatever came.

#include "captured_log.hpp"
#include "target.hpp"

#include "http/client_address.hpp"
#include "http/head_scanner.hpp"
#include "http/request_head.hpp"
#include "http/responder.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace fuzz;

constexpr std::string_view key = "zq7Kx-the-key-of-the-server";

std::string lower(std::string text) {
  for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return text;
}

std::string any_value(choices& from, std::string_view name) {
  static constexpr std::array<std::string_view, 10> addresses{
      "192.0.2.1", "10.0.0.1", "10.0.0.2:80", "2001:db8::1", "[2001:db8::1]:80", "::ffff:10.0.0.3",
      "unknown",   "",         "1.2.3",       "fd00::1"};
  static constexpr std::array<std::string_view, 6> ids{"abc", "a.B_9-", "a b", "", "-", "a\tb"};
  if (from.one_in(4)) return from.text(80);
  if (name == "X-Forwarded-For") {
    std::string list{from.one_of(addresses)};
    for (auto more = from.below(4); more > 0; --more)
      list += std::string{from.one_in(2) ? ", " : ","} + std::string{from.one_of(addresses)};
    return list;
  }
  if (name == "X-Request-ID")
    return from.one_in(3) ? std::string(60 + from.below(8), 'x') : std::string{from.one_of(ids)};
  if (name == "X-API-Key") return std::string{key.substr(0, key.size() - (from.one_in(3) ? 1 : 0))};
  if (name == "Authorization")
    return (from.one_in(3) ? "bearer  " : from.one_in(2) ? "Basic " : "Bearer ") + std::string{key};
  if (name == "Content-Length") return std::to_string(from.any<std::uint32_t>() % 100'000);
  if (name == "Transfer-Encoding") return from.one_in(3) ? "gzip" : "chunked";
  if (name == "Content-Encoding") return from.one_in(2) ? "gzip" : "identity";
  if (name == "Expect") return "100-continue";
  if (name == "Connection") return from.one_in(2) ? "close" : "keep-alive, x";
  return "127.0.0.1:9000";  // of Host
}

/// Lines of a head, well-formed or nearly so.
std::string made_head(choices& from) {
  static constexpr std::array<std::string_view, 8> names{
      "X-Request-ID", "X-Forwarded-For", "X-API-Key",  "Authorization",
      "Host",         "Content-Length",  "Connection", "Expect"};
  static constexpr std::array<std::string_view, 3> rare{"Transfer-Encoding", "Content-Encoding", "Host"};
  static constexpr std::array<std::string_view, 6> targets{
      "/open", "/keyed/database", "/keyed/%41%2F", "http://h/open", "/keyed/a?q=%00", "/none"};
  static constexpr std::array<std::string_view, 5> methods{"GET", "POST", "HEAD", "DELETE", "OPTIONS"};
  std::string head =
      fmt::format("{} {} HTTP/1.{}\r\nHost: h\r\n", from.one_of(methods),
                  from.one_in(6) ? from.text(30) : std::string{from.one_of(targets)}, from.one_in(8) ? 0 : 1);
  for (auto count = from.below(8); count > 0; --count) {
    const std::string name{from.one_in(6) ? from.one_of(rare) : from.one_of(names)};
    const auto value = any_value(from, name);
    head += (from.one_in(8) ? lower(name) : name) + (from.one_in(6) ? ":" : ": ") + value + "\r\n";
  }
  head += "\r\n";
  if (from.one_in(6)) head.insert(from.below(static_cast<std::uint32_t>(head.size())), from.text(4));
  return head;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.erase(0, 1);
  return text;
}

/// The values of a header, as the text of a well-formed head has them.
std::vector<std::string> values_of(std::string_view text, const std::string& name) {
  std::vector<std::string> found;
  std::size_t at = text.find("\r\n") + 2;
  for (auto end = text.find("\r\n", at); end != at; at = end + 2, end = text.find("\r\n", at)) {
    const auto line = text.substr(at, end - at);
    const auto colon = line.find(':');
    if (lower(std::string{line.substr(0, colon)}) == lower(name))
      found.push_back(trimmed(std::string{line.substr(colon + 1)}));
  }
  return found;
}

bool is_plain_id(const std::string& text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
             std::string::npos;
}

/// An address in the form that both families share, or nothing.
std::optional<std::array<unsigned char, 16>> plain_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  if (text.find('\0') != std::string::npos) return std::nullopt;
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  return inet_pton(AF_INET6, ("::ffff:" + text).c_str(), bytes.data()) == 1 &&
                 text.find(':') == std::string::npos
             ? std::optional{bytes}
             : std::nullopt;
}

/// The first address from the right that no trusted proxy (10.0.0.0/8) has.
std::array<unsigned char, 16> plain_client(std::array<unsigned char, 16> client,
                                           const std::string& forwarded) {
  const auto is_trusted = [](const auto& one) {
    const std::array<unsigned char, 13> network{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10};
    return std::equal(network.begin(), network.end(), one.begin());
  };
  std::vector<std::string> hops{""};
  for (const char c : forwarded) {
    if (c == ',') {
      hops.emplace_back();
    } else {
      hops.back() += c;
    }
  }
  if (forwarded.empty()) hops.clear();
  for (auto hop = hops.rbegin(); hop != hops.rend() && is_trusted(client); ++hop) {
    auto text = trimmed(*hop);
    if (text.starts_with('[')) {
      const auto end = text.find(']');
      if (end != std::string::npos) text = text.substr(1, end - 1);
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
      text = text.substr(0, text.find(':'));
    }
    const auto next = plain_address(text);
    if (!next) break;
    client = *next;
  }
  return client;
}

bool plain_has_key(std::string_view text) {
  const auto keys = values_of(text, "X-API-Key");
  if (keys.size() == 1 && keys.front() == key) return true;
  const auto tokens = values_of(text, "Authorization");
  if (tokens.size() != 1 || lower(tokens.front().substr(0, 7)) != "bearer ") return false;
  auto token = tokens.front().substr(7);
  token.erase(0, token.find_first_not_of(' '));
  return token == key;
}

/// What RFC 9112 demands of every head that is taken.
void require_strict(std::string_view text) {
  require(text.size() >= 4 && text.substr(text.size() - 4) == "\r\n\r\n", "a head without an end is taken");
  std::size_t lines = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\r') require(text[i + 1] == '\n', "a bare CR is taken");
    if (c == '\n') {
      require(i > 0 && text[i - 1] == '\r', "a bare LF is taken");
      ++lines;
    }
    require(c >= 0x20 || c == '\r' || c == '\n' || c == '\t', "a control character is taken");
    require(c != 0x7f, "DEL is taken");
  }
  require(text.find("\r\n\r\n") == text.size() - 4, "two heads are taken for one");
  require(lines <= 102, "too many headers are taken");
  const auto lengths = values_of(text, "Content-Length");
  const auto codings = values_of(text, "Transfer-Encoding");
  require(lengths.size() + codings.size() <= 1, "two lengths are taken");
  for (const auto& length : lengths)
    require(!length.empty() && length.find_first_not_of("0123456789") == std::string::npos, "a length is {}",
            shown(length));
  const auto hosts = values_of(text, "Host").size();
  const bool is_old = text.substr(0, text.find("\r\n")).ends_with("HTTP/1.0");
  require(hosts == 1 || (is_old && hosts == 0), "{} Hosts are taken", hosts);
}

void require_answer(const std::string& answer, const std::string& id, bool is_head) {
  const auto end = answer.find("\r\n\r\n");
  require(end != std::string::npos && answer.starts_with("HTTP/1.1 "), "the answer has no head");
  const auto body = answer.substr(end + 4);
  const auto head = answer.substr(0, end + 4);
  // Its lines are as strict as those of a request.
  require_strict("GET / HTTP/1.1\r\nHost: h\r\n" + head.substr(head.find("\r\n") + 2));
  const auto ids = values_of(head, "X-Request-ID");
  require(ids.size() == 1 && ids.front() == id, "the request id of the answer is another one");
  if (is_head) return require(body.empty(), "an answer to HEAD has a body");
  require_same(values_of(head, "Content-Length").at(0), std::to_string(body.size()),
               "the length of the body");
  static_cast<void>(parsed_object(body, "the body"));
}

/// What the log says of an answer.
struct expected_line {
  std::string id;
  int status;
  bool may_hold_key;  // a path or a method may be anything, the key too
};

/// Gives a head to the server, and compares what it finds in it.
std::optional<expected_line> ask(choices& from, staging::responder& real, std::size_t limit) {
  const auto head = from.one_in(4) ? from.text(400) + "\r\n\r\n" : made_head(from);
  if (from.tells()) from.note("{}", shown(head));

  // However the bytes arrive, the scanner finds the same.
  using progress = staging::head_scanner::progress;
  staging::head_scanner whole;
  staging::head_scanner pieces;
  const auto at_once = whole.scan(head, limit);
  auto bit_by_bit = progress::incomplete;
  for (std::size_t size = 0; size < head.size() && bit_by_bit == progress::incomplete;) {
    size = std::min(head.size(), size + 1 + from.below(20));
    bit_by_bit = pieces.scan(std::string_view{head}.substr(0, size), limit);
  }
  require(at_once == bit_by_bit, "the bytes are scanned in two ways");
  if (at_once != progress::complete) return std::nullopt;
  const std::string text{whole.head(head)};
  require(text == pieces.head(head), "the head ends in two places");

  static constexpr std::array<std::string_view, 3> peers{"10.9.8.7", "192.0.2.9", "2001:db8::9"};
  const auto& peer = from.one_of(peers);
  const bool is_taken = std::holds_alternative<staging::request_head>(staging::parse_head(text));
  if (is_taken) require_strict(text);
  staging::exchange subject{real.examine(text, *staging::ip_address::parse(peer), {}), {}};
  const auto& about = subject.about;
  const auto id = about.subject.id;
  const int status = about.refusal ? about.refusal->status : 200;
  from.note("from {}: status {}, id {}, client {}", peer, status, id, about.subject.client);

  const auto ids = is_taken ? values_of(text, "X-Request-ID") : std::vector<std::string>{};
  const bool is_given = ids.size() == 1 && is_plain_id(ids.front());
  require(is_plain_id(id), "the request id is {}", shown(id));
  if (is_given) require_same(id, ids.front(), "the request id");
  if (!is_given) require(std::find(ids.begin(), ids.end(), id) == ids.end(), "a wrong request id is taken");

  std::string forwarded;
  if (is_taken) {
    for (const auto& one : values_of(text, "X-Forwarded-For"))
      forwarded += (forwarded.empty() ? "" : ",") + one;
  }
  const auto client = plain_client(*plain_address(std::string{peer}), forwarded);
  require(plain_address(about.subject.client) == client, "the client is {}", shown(about.subject.client));

  const bool is_keyed = about.target != nullptr && about.target->who == staging::access::keyed;
  require(is_taken || status >= 400, "a malformed head is answered");
  if (is_taken && is_keyed && status != 405)
    require_same(status == 401, !plain_has_key(text), "whether the request is refused for its key");

  const bool is_head = about.subject.method == "HEAD";
  const bool may_hold_key = (about.subject.path + about.subject.method).find(key) != std::string::npos;
  const auto answer = real.answer(subject, {});
  require_same(answer.substr(9, 3), std::to_string(status), "the status of the answer");
  require_answer(answer, id, is_head);
  require(may_hold_key || answer.find(key) == std::string::npos, "the key is in the answer");
  return expected_line{id, status, may_hold_key};
}

}  // namespace

void fuzz::one_input(choices& from) {
  captured_log captured;
  staging::http_options options;
  options.api_key = key;
  options.trusted_proxies = {"10.0.0.0/8"};
  options.rate_limit.enabled = false;
  staging::responder real{options, captured.log()};
  const auto answer_ok = [](const staging::request& asked, staging::response& out) {
    out.json({{"name", asked.parameter("name")}, {"client", asked.client}});
  };
  using staging::access;
  using staging::quota;
  real.add({"GET", "/open", "open", access::open, quota::health, answer_ok});
  real.add({"POST", "/keyed/{name}", "keyed", access::keyed, quota::operation, answer_ok});
  real.add({"GET", "/keyed/{name}", "keyed", access::keyed, quota::operation, answer_ok});

  std::vector<expected_line> expected;
  do {
    if (auto one = ask(from, real, options.head_limit)) expected.push_back(*std::move(one));
  } while (from.left() && expected.size() < 20);

  const auto lines = captured.end();
  require_same(lines.size(), expected.size(), "the number of log lines");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto line = parsed_object(lines[i], "the log line");
    require(line.at("request_id") == expected[i].id && line.at("status") == expected[i].status,
            "the log line is of another request: {}", shown(lines[i]));
    require(expected[i].may_hold_key || lines[i].find(key) == std::string::npos, "the key is in the log: {}",
            shown(lines[i]));
  }
}
