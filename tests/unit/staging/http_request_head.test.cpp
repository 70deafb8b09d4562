// SPDX-License-Identifier: BSL-1.0
#include "http/request_head.hpp"

#include "catch2.hpp"

#include <string>

using staging::parse_head;
using staging::request_head;

namespace {

request_head good(const std::string& text) {
  auto parsed = parse_head(text);
  const auto* wrong = std::get_if<staging::error_answer>(&parsed);
  INFO(text << " -> " << (wrong != nullptr ? wrong->message : "fine"));
  REQUIRE(wrong == nullptr);
  return std::get<request_head>(parsed);
}

staging::error_answer bad(const std::string& text) {
  auto parsed = parse_head(text);
  INFO(text);
  REQUIRE(std::holds_alternative<staging::error_answer>(parsed));
  return std::get<staging::error_answer>(parsed);
}

staging::error_answer bad_with(const std::string& headers, const std::string& method = "POST",
                               const std::string& version = "HTTP/1.1") {
  return bad(method + " / " + version + "\r\nHost: a\r\n" + headers + "\r\n");
}

}  // namespace

TEST_CASE("a head is split into its parts", "[staging][http]") {
  const auto head = good(
      "POST /a/b?c=d?e HTTP/1.1\r\nHost: example.org:9000\r\nX-A:\t 1 2 \r\nx-b: 3\r\nX-B: 4\r\nEmpty:\r\n"
      "Content-Length: 42\r\n\r\n");
  CHECK(head.method == "POST");
  CHECK(head.path == "/a/b");
  CHECK(head.minor_version == 1);
  CHECK(head.single("x-a") == "1 2");
  CHECK_FALSE(head.single("X-B"));
  CHECK(head.joined("X-B") == "3,4");
  CHECK(head.single("empty") == "");
  CHECK(head.content_length == 42);
  CHECK(head.keeps_alive);
  CHECK_FALSE(head.chunked);
  CHECK_FALSE(head.expects_continue);
}

TEST_CASE("the absolute form of a target is understood", "[staging][http]") {
  CHECK(good("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n").path == "/b");
  CHECK(good("GET HTTP://a HTTP/1.1\r\nHost: a\r\n\r\n").path == "/");
  CHECK(good("GET http://a?c HTTP/1.1\r\nHost: a\r\n\r\n").path == "/");
  CHECK(good("GET http://[::1]:80/b HTTP/1.1\r\nHost: a\r\n\r\n").path == "/b");
  for (const std::string target : {"http://", "http:///b", "http://?c", "http://:80/", "http://a:port/",
                                   "http://[::1/b", "http://u@a/", "http:/a", "https://a/", "a:80"}) {
    CHECK(bad("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 400);
  }
}

TEST_CASE("a target is a path, or the star of OPTIONS, and well encoded", "[staging][http]") {
  CHECK(good("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path == "*");
  CHECK(good("GET /a%2Fb?c=%20 HTTP/1.1\r\nHost: a\r\n\r\n").path == "/a%2Fb");
  for (const std::string target : {"*", "/a%zz", "/a%2", "/a%", "/a?b=%g0"}) {
    CHECK(bad("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 400);
  }
}

TEST_CASE("a request line that is not one is refused", "[staging][http]") {
  for (const std::string line :
       {"", "GET", "GET /", "GET  HTTP/1.1", "GET / / HTTP/1.1", " GET / HTTP/1.1", "G@T / HTTP/1.1",
        "GET a HTTP/1.1", "GET /\x01 HTTP/1.1", "GET /\xC3\xA4 HTTP/1.1", "GET /#a HTTP/1.1",
        "GET / http/1.1", "GET / HTTP/1.1 ", "GET /\tHTTP/1.1"}) {
    CHECK(bad(line + "\r\nHost: a\r\n\r\n").status == 400);
  }
  CHECK(bad(std::string(33, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n").status == 400);
  CHECK(bad("GET / HTTP/2.0\r\nHost: a\r\n\r\n").status == 505);
  CHECK(bad("GET / HTTP/1.1\nHost: a\n\n").status == 400);
}

TEST_CASE("a header line that another program could read differently is refused", "[staging][http]") {
  for (const std::string line :
       {"X-A : 1", " X-A: 1", "X-A: 1\r\n folded", "X-A", ": 1", "X A: 1", "X-A: a\rb", "X-A: a\nb"}) {
    CHECK(bad_with(line + "\r\n").status == 400);
  }
  CHECK(bad_with(std::string{"X-A: a\0b\r\n", 10}).field == "X-A");
  CHECK(bad("GET / HTTP/1.1\r\nHost: a\r\n").status == 400);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "X-A: 1\r\n";
  CHECK(bad_with(many).status == 431);
}

TEST_CASE("HTTP/1.1 needs exactly one Host", "[staging][http]") {
  CHECK(bad("GET / HTTP/1.1\r\n\r\n").field == "Host");
  CHECK(bad("GET / HTTP/1.1\r\nHost:\r\n\r\n").field == "Host");
  CHECK(bad("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").field == "Host");
  CHECK(bad("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n").field == "Host");
  CHECK(good("GET / HTTP/1.1\r\nhost: [::1]:80\r\n\r\n").single("Host") == "[::1]:80");
  CHECK(good("GET / HTTP/1.0\r\n\r\n").minor_version == 0);
}

TEST_CASE("a Host is a name or an address, with a port or without", "[staging][http]") {
  for (const std::string host : {"a", "a.example", "192.0.2.1:80", "[2001:db8::1]", "[::ffff:192.0.2.1]:1",
                                 "a:", "a%20b", "a_b~c", "a:65535"}) {
    CHECK(good("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").single("Host") == host);
  }
  for (const std::string host :
       {"a:port", "a:80:80", "a:65536",    "a:-1",  "a:+1", ":80",         ":",          "[::1",
        "::1",    "[::1]80", "[::1]:port", "[]",    "[a]",  "[192.0.2.1]", "[::1%25lo]", "a%zz",
        "a%2",    "u@a",     "a b",        "a,b c", "a[b]", "a]",          "a?b",        "http://a"}) {
    CHECK(bad("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").field == "Host");
  }
}

TEST_CASE("a body has one length, or is chunked, and never both", "[staging][http]") {
  CHECK(bad_with("Content-Length: 5\r\nContent-Length: 5\r\n").field == "Content-Length");
  CHECK(bad_with("Content-Length: 5\r\nContent-Length: 6\r\n").status == 400);
  CHECK(bad_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n").status == 400);
  CHECK(bad_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n").status == 400);
  for (const std::string value : {"", "-1", "+1", "5, 5", "0x5", "5 5", "1e3", "18446744073709551616"}) {
    CHECK(bad_with("Content-Length: " + value + "\r\n").field == "Content-Length");
  }
  for (const std::string value : {"gzip", "gzip, chunked", "xchunked", "identity", "chunked, chunked"}) {
    CHECK(bad_with("Transfer-Encoding: " + value + "\r\n").status == 501);
  }
  CHECK(bad_with("Transfer-Encoding: chunked\r\n", "POST", "HTTP/1.0").status == 400);
  CHECK(good("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n").chunked);
  CHECK(bad_with("Content-Length: 5\r\n", "GET").status == 400);
  CHECK(bad_with("Transfer-Encoding: chunked\r\n", "HEAD").status == 400);
  CHECK(good("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").content_length == 0);
}

TEST_CASE("a head says whether its connection goes on and whether its body waits", "[staging][http]") {
  CHECK_FALSE(good("GET / HTTP/1.1\r\nHost: a\r\nConnection: Foo , CLOSE\r\n\r\n").keeps_alive);
  CHECK(good("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n").keeps_alive);
  CHECK_FALSE(good("GET / HTTP/1.0\r\n\r\n").keeps_alive);
  CHECK(good("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keeps_alive);
  CHECK(good("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n")
            .expects_continue);
  CHECK_FALSE(good("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n").expects_continue);
  CHECK(bad_with("Content-Length: 1\r\nExpect: magic\r\n").status == 417);
}
