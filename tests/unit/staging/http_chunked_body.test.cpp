// SPDX-License-Identifier: BSL-1.0
#include "http/chunked_body.hpp"

#include "catch2.hpp"

#include <string>

using staging::chunked_body;
using progress = staging::chunked_body::progress;

namespace {

progress result_of(std::string text, std::size_t limit = 100) {
  chunked_body body{limit};
  return body.take(text);
}

}  // namespace

TEST_CASE("chunks are put together, and what follows them stays", "[staging][http]") {
  std::string input =
      "3\r\nabc\r\nA;name=\"a b\";other\r\n0123456789\r\n0002\r\n\r\n\r\n0\r\nX-Sum: 1\r\n\r\nGET /";
  chunked_body body{100};
  CHECK(body.take(input) == progress::complete);
  CHECK(body.content() == "abc0123456789\r\n");
  CHECK(input == "GET /");
}

TEST_CASE("chunks may come byte by byte", "[staging][http]") {
  const std::string text = "3\r\nabc\r\n2;x\r\nde\r\n0\r\nA: b\r\n\r\n";
  chunked_body body{100};
  std::string input;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    input += text[i];
    REQUIRE(body.take(input) == progress::incomplete);
  }
  input += text.back();
  CHECK(body.take(input) == progress::complete);
  CHECK(body.content() == "abcde");
}

TEST_CASE("a chunk that another program could read differently is malformed", "[staging][http]") {
  for (const std::string size : {"+3", "-3", "0x3", " 3", "3 ", "\t3", "3 ;a", "3,", "", ";a", "g", "3\r",
                                 "3;\x01", "3;a\rb", "10000000000000003", "FFFFFFFFFFFFFFFFF"}) {
    CAPTURE(size);
    CHECK(result_of(size + "\r\nabc\r\n0\r\n\r\n") == progress::malformed);
  }
  for (const std::string text :
       {"3\nabc\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabc\r\n0\n\r\n", "3\r\nabc\r\n0\r\n\n",
        "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabcX\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3\r\nabcjunk",
        "3\r\nab\r\n0\r\n\r\n", "0\r\nno field\r\n\r\n", "0\r\n A: folded\r\n\r\n", "0\r\nA : b\r\n\r\n",
        "0\r\nA: b\rc\r\n\r\n", "\r\n0\r\n\r\n"}) {
    CAPTURE(text);
    CHECK(result_of(text) == progress::malformed);
  }
}

TEST_CASE("content and what surrounds it are limited", "[staging][http]") {
  CHECK(result_of("64\r\n" + std::string(100, 'x') + "\r\n0\r\n\r\n") == progress::complete);
  CHECK(result_of("65\r\n") == progress::too_large);
  CHECK(result_of("FFFFFFFFFFFFFFFF\r\n") == progress::too_large);
  CHECK(result_of("64\r\n" + std::string(100, 'x') + "\r\n1\r\n") == progress::too_large);
  CHECK(result_of("1;" + std::string(2'000, 'x')) == progress::too_large);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 1'000; ++i) trailers += "A: b\r\n";
  CHECK(result_of(trailers) == progress::too_large);
  std::string small;
  for (int i = 0; i < 100; ++i) small += "1\r\nx\r\n";
  CHECK(result_of(small + "0\r\n\r\n") == progress::complete);
}
