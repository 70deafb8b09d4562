// SPDX-License-Identifier: BSL-1.0

// Malformed and ambiguous requests, through HAProxy to the real server.
#include "catch2.hpp"
#include "staging/support/crowd.hpp"
#include "staging/support/proxy.hpp"
#include "staging/support/staging_server.hpp"

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

struct bad_request {
  std::string name;
  std::string bytes;
};

const std::string key = std::string{"X-API-Key: "} + staging_server::key + "\r\n";
const std::string body = R"({"level":"OPTIMAL","reason":"r","actor":"a","expiry":1})";

std::string hexadecimal(std::size_t number) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%zx", number);
  return text.data();
}

/// A GET with another request line, and headers behind the key.
std::string get(const std::string& line, const std::string& host = "Host: a\r\n",
                const std::string& more = "") {
  return line + "\r\n" + host + key + more + "\r\n";
}
std::string get_with(const std::string& more) {
  return get("GET /health HTTP/1.1", "Host: a\r\n", more);
}
std::string with_host(const std::string& host) {
  return get("GET /health HTTP/1.1", "Host: " + host + "\r\n");
}

/// A POST with these headers and this text behind the head.
std::string post(const std::string& headers, const std::string& text) {
  return "POST /api/degradation/override HTTP/1.1\r\nHost: a\r\n" + key + headers + "\r\n" + text;
}
std::string with_length(const std::string& length) {
  return post("Content-Length: " + length + "\r\n", body);
}
const std::string chunked = "Transfer-Encoding: chunked\r\n";
const std::string size = hexadecimal(body.size());
std::string with_size(const std::string& written) {
  return post(chunked, written + "\r\n" + body + "\r\n0\r\n\r\n");
}
std::string with_coding(const std::string& header) {
  return post(header, size + "\r\n" + body + "\r\n0\r\n\r\n");
}

const std::string length = std::to_string(body.size());
const std::string smuggled = get("GET /smuggled HTTP/1.1");

/// None of these may be answered with 200.
std::vector<bad_request> refused() {
  using namespace std::string_literals;
  std::vector<bad_request> all{
      // How a chunk begins and ends.
      {"chunk size +d", with_size("+" + size)},
      {"chunk size -d", with_size("-" + size)},
      {"chunk size 0xd", with_size("0x" + size)},
      {"chunk size with a blank before", with_size(" " + size)},
      {"chunk size with a tab before", with_size("\t" + size)},
      {"chunk size with an underscore", with_size(size + "_")},
      {"chunk size that is no number", with_size("g")},
      {"chunk size missing", with_size("")},
      {"chunk size of 2^64 - 1", with_size("ffffffffffffffff")},
      {"chunk size of 17 digits", with_size("fffffffffffffffff")},
      {"chunk size line with a bare LF", post(chunked, size + "\n" + body + "\r\n0\r\n\r\n")},
      {"chunk size line with a bare CR", post(chunked, size + "\r" + body + "\r\n0\r\n\r\n")},
      {"chunk extension with a bare LF", with_size(size + ";a\nb")},
      {"junk after the data of a chunk", post(chunked, size + "\r\n" + body + "x\r\n0\r\n\r\n")},
      {"data of a chunk that ends with a bare LF", post(chunked, size + "\r\n" + body + "\n0\r\n\r\n")},
      {"last chunk with bare LFs", post(chunked, size + "\r\n" + body + "\r\n0\n\n")},
      {"trailer", post(chunked, size + "\r\n" + body + "\r\n0\r\nA: b\r\n\r\n")},
      {"trailer with a length", post(chunked, size + "\r\n" + body + "\r\n0\r\nContent-Length: 3\r\n\r\n")},
      {"trailer without a colon", post(chunked, size + "\r\n" + body + "\r\n0\r\nA b\r\n\r\n")},
      // Length and coding.
      {"length, then coding", with_coding("Content-Length: 3\r\n" + chunked)},
      {"coding, then length", with_coding(chunked + "Content-Length: 3\r\n")},
      {"coding and length, hiding a request",
       post("Content-Length: " + length + "\r\n" + chunked, "0\r\n\r\n" + smuggled)},
      {"two lengths", post("Content-Length: 3\r\nContent-Length: " + length + "\r\n", body)},
      {"two lengths in one header", with_length(length + ", 3")},
      {"length +d", with_length("+" + length)},
      {"length -1", with_length("-1")},
      {"length 0xd", with_length("0x" + hexadecimal(body.size()))},
      {"length with a fraction", with_length(length + ".0")},
      {"length with a blank inside", with_length("5 5")},
      {"length empty", with_length("")},
      {"length beyond 64 bits", with_length("99999999999999999999")},
      {"length above the limit", with_length("70000")},
      {"body shorter than its length", with_length("1000")},
      {"coding gzip", with_coding("Transfer-Encoding: gzip\r\n")},
      {"coding gzip, chunked", with_coding("Transfer-Encoding: gzip, chunked\r\n")},
      {"coding chunked, gzip", with_coding("Transfer-Encoding: chunked, gzip\r\n")},
      {"coding chunked twice", with_coding("Transfer-Encoding: chunked, chunked\r\n")},
      {"coding in two headers", with_coding(chunked + chunked)},
      {"coding identity", post("Transfer-Encoding: identity\r\nContent-Length: " + length + "\r\n", body)},
      {"coding xchunked", with_coding("Transfer-Encoding: xchunked\r\n")},
      {"coding with a vertical tab", with_coding("Transfer-Encoding: \vchunked\r\n")},
      {"coding in quotes", with_coding("Transfer-Encoding: \"chunked\"\r\n")},
      {"coding empty", with_coding("Transfer-Encoding:\r\n")},
      {"coding with a blank before the colon", with_coding("Transfer-Encoding : chunked\r\n")},
      {"coding with a comma before", with_coding("Transfer-Encoding: ,chunked\r\n")},
      {"coding with a parameter", with_coding("Transfer-Encoding: chunked;q=1\r\n")},
      {"GET with a length", get_with("Content-Length: 3\r\n") + "abc"},
      {"GET with chunks", get_with(chunked) + "3\r\nabc\r\n0\r\n\r\n"},
      {"GET whose body is a request",
       get_with("Content-Length: " + std::to_string(smuggled.size()) + "\r\n") + smuggled},
      {"an expectation nobody has", post("Expect: 200-ok\r\nContent-Length: 3\r\n", "abc")},
      // Who is asked.
      {"Host a:port", with_host("a:port")},
      {"Host a:", with_host("a:")},
      {"Host a:123456", with_host("a:123456")},
      {"Host a:1:2", with_host("a:1:2")},
      {"Host [::1", with_host("[::1")},
      {"Host ::1", with_host("::1")},
      {"Host [::1]x", with_host("[::1]x")},
      {"Host []", with_host("[]")},
      {"Host a%zz", with_host("a%zz")},
      {"Host a%00", with_host("a%00")},
      {"Host a..b", with_host("a..b")},
      {"Host -a", with_host("-a")},
      {"Host with a user", with_host("user@a")},
      {"Host with a path", with_host("a/b")},
      {"Host with a query", with_host("a?b")},
      {"Host with a blank", with_host("a b")},
      {"Host with two names", with_host("a,b")},
      {"Host with a backslash", with_host("a\\b")},
      {"Host beyond ASCII", with_host("\xc3\xa4")},
      {"Host empty", with_host("")},
      {"Host missing", get("GET /health HTTP/1.1", "")},
      {"Host missing in HTTP/1.0", get("GET /health HTTP/1.0", "")},
      {"two Hosts", get("GET /health HTTP/1.1", "Host: a\r\nHost: b\r\n")},
      {"absolute form without a host", get("GET http:///health HTTP/1.1")},
      {"absolute form without a host, and an empty Host", get("GET http:///health HTTP/1.1", "Host:\r\n")},
      {"absolute form with a query for a host", get("GET http://?/health HTTP/1.1")},
      {"absolute form with a port for a host", get("GET http://:80/health HTTP/1.1")},
      {"absolute form of another host", get("GET http://b/health HTTP/1.1")},
      {"absolute form with a user", get("GET http://user@a/health HTTP/1.1")},
      {"absolute form without Host", get("GET http://a/health HTTP/1.1", "")},
      {"absolute form of another scheme", get("GET ftp://a/health HTTP/1.1")},
      // The request line.
      {"target without a slash", get("GET health HTTP/1.1")},
      {"target with a fragment", get("GET /health#x HTTP/1.1")},
      {"target with a control character", get("GET /health\x01 HTTP/1.1")},
      {"target with a byte above 127", get("GET /health\xff HTTP/1.1")},
      {"target *", get("GET * HTTP/1.1")},
      {"CONNECT", get("CONNECT a:80 HTTP/1.1", "Host: a:80\r\n")},
      {"a blank before the method", " " + get_with("")},
      {"a blank after the version", get("GET /health HTTP/1.1 ")},
      {"method with a delimiter", get("G@T /health HTTP/1.1")},
      {"method in lower case", get("get /health HTTP/1.1")},
      {"HTTP/0.9", "GET /health\r\n\r\n"},
      {"HTTP/1.2", get("GET /health HTTP/1.2")},
      {"HTTP/1.10", get("GET /health HTTP/1.10")},
      {"HTTP/2.0 in text", get("GET /health HTTP/2.0")},
      {"HTTP in lower case", get("GET /health http/1.1")},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"the start of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + std::string(100, '\0')},
      {"a target of 40000 bytes", get("GET /health?" + std::string(40'000, 'a') + " HTTP/1.1")},
      // The headers.
      {"header with a blank before the colon", get_with("A : b\r\n")},
      {"header without a colon", get_with("A\r\n")},
      {"header without a name", get_with(": b\r\n")},
      {"header with a control character in its name", get_with("A\x01: b\r\n")},
      {"header with a NUL", get_with("A: b\0c\r\n"s)},
      {"header with a bare CR", get_with("A: b\rC: d\r\n")},
      {"first header with a blank before", get("GET /health HTTP/1.1", " A: b\r\nHost: a\r\n")},
      {"header of 40000 bytes", get_with("A: " + std::string(40'000, 'a') + "\r\n")},
      {"200 headers",
       [] {
         std::string headers;
         for (int i = 0; i < 200; ++i) headers += "A: b\r\n";
         return get_with(headers);
       }()},
  };
  return all;
}

/// What HAProxy understands in one way only, and writes anew: each is one request to the server, which itself
/// would refuse it.
std::vector<bad_request> rewritten() {
  auto with_bare_ends = get_with("");
  std::erase(with_bare_ends, '\r');
  return {
      {"lines that end with a bare LF", with_bare_ends},
      {"one line that ends with a bare LF", "GET /health HTTP/1.1\nHost: a\r\n" + key + "\r\n"},
      {"a folded line", get_with("A: b\r\n c\r\n")},
      {"two blanks in the request line", get("GET  /health HTTP/1.1")},
      {"tabs in the request line", get("GET\t/health\tHTTP/1.1")},
      {"three empty lines before", "\r\n\r\n\r\n" + get_with("")},
      {"one Host twice", get("GET /health HTTP/1.1", "Host: a\r\nHost: a\r\n")},
      {"one length twice",
       post("Content-Length: " + length + "\r\nContent-Length: " + length + "\r\n", body)},
      {"one length twice in one header", with_length(length + ", " + length)},
  };
}

/// Well-formed requests, which show that a 200 can be had.
std::vector<bad_request> good() {
  return {
      {"GET", get_with("")},
      {"POST", with_length(length)},
      {"absolute form", get("GET http://a/health HTTP/1.1")},
      {"Host with a port", with_host("a:80")},
      {"Host with an IPv6 address", with_host("[::1]:80")},
      {"HTTP/1.0", get("GET /health HTTP/1.0")},
      {"an empty line before", "\r\n" + get_with("")},
  };
}

/// Sends each on a connection of its own; the statuses that came back.
std::vector<std::vector<int>> send_all(int port, const std::vector<bad_request>& all) {
  crowd clients{port};
  clients.join(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) clients.send(i, all[i].bytes);
  // What HAProxy waits for in vain it answers after 2 s; a second answer on a connection would come before.
  clients.receive(3s, [](const auto&) { return false; });
  std::vector<std::vector<int>> statuses;
  for (const auto& each : clients.members()) statuses.push_back(each.statuses());
  return statuses;
}

/// Memory that a process holds, in KiB.
long resident_kib(pid_t id) {
  std::ifstream statm{"/proc/" + std::to_string(id) + "/statm"};
  long pages = 0;
  statm >> pages >> pages;
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

}  // namespace

TEST_CASE("no malformed request is answered with 200 through HAProxy, or reaches the server as another",
          "[proxy]") {
  staging_server server{{}};
  proxy front{server.port()};
  const auto bad = refused();
  CHECK(bad.size() >= 100);
  static_cast<void>(send_all(front.port(), bad));  // caches are filled
  const auto before = resident_kib(server.child().id());
  const auto answers = send_all(front.port(), bad);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    CAPTURE(bad[i].name, answers[i]);
    CHECK(std::ranges::none_of(answers[i], [](int status) { return status < 400; }));
    CHECK(answers[i].size() <= 1);
  }
  CHECK(resident_kib(server.child().id()) - before <= 8 * 1024);
  for (const auto& line : server.log()) CHECK(line.value("path", "") != "/smuggled");
  CHECK(server.child().running());
  CHECK(front.running());
  CHECK(status_of(front.port(), get_with("")) == 200);
}

TEST_CASE("what HAProxy writes anew is one request, and well-formed requests pass", "[proxy]") {
  const staging_server server{{}};
  proxy front{server.port()};
  for (const auto& cases : {rewritten(), good()}) {
    const auto answers = send_all(front.port(), cases);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      CAPTURE(cases[i].name, answers[i]);
      CHECK(answers[i] == std::vector{200});
    }
  }
}
