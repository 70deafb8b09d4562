// SPDX-License-Identifier: BSL-1.0
#include "http/client_address.hpp"

#include "catch2.hpp"

#include <stdexcept>
#include <string>

using staging::client_resolver;
using staging::ip_address;
using staging::ip_network;

namespace {

ip_address address(const std::string& text) {
  const auto parsed = ip_address::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

bool contains(const std::string& network, const std::string& text) {
  const auto parsed = ip_network::parse(network);
  REQUIRE(parsed);
  return parsed->contains(address(text));
}

}  // namespace

TEST_CASE("an address is read in every spelling and written in one", "[staging][http]") {
  CHECK(address("192.0.2.1").text() == "192.0.2.1");
  CHECK(address("2001:DB8:0:0::1").text() == "2001:db8::1");
  CHECK(address("::ffff:192.0.2.1") == address("192.0.2.1"));
  CHECK(address("::ffff:192.0.2.1").text() == "192.0.2.1");
  CHECK(address("::FFFF:c000:0201") == address("192.0.2.1"));
  CHECK_FALSE(address("::192.0.2.1") == address("192.0.2.1"));
  for (const std::string text : {"", "localhost", "192.0.2", "192.0.2.256", " 192.0.2.1", "192.0.2.1 ",
                                 "1.2.3.4:80", "2001:db8::1::2", "fe80::1%eth0"}) {
    CAPTURE(text);
    CHECK_FALSE(ip_address::parse(text));
  }
  CHECK_FALSE(ip_address::parse(std::string_view{"1.2.3.4\0evil", 12}));
  CHECK_FALSE(ip_address::parse(std::string(1'000, '1')));
}

TEST_CASE("a rate limit counts an IPv4 address or an IPv6 subscriber", "[staging][http]") {
  CHECK(address("192.0.2.1").subscriber() == "192.0.2.1");
  CHECK(address("2001:db8:1:2::1").subscriber() == address("2001:db8:1:2:ffff::9").subscriber());
  CHECK(address("2001:db8:1:2::1").subscriber() != address("2001:db8:1:3::1").subscriber());
}

TEST_CASE("a network holds the addresses its prefix says", "[staging][http]") {
  CHECK(contains("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  CHECK(contains("192.168.4.0/22", "192.168.7.255"));
  CHECK_FALSE(contains("192.168.4.0/22", "192.168.8.0"));
  CHECK(contains("127.0.0.1", "127.0.0.1"));
  CHECK_FALSE(contains("127.0.0.1", "127.0.0.2"));
  CHECK(contains("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  CHECK(contains("fd00::/8", "fd12::1"));
  CHECK(contains("::/0", "2001:db8::1"));
  for (const std::string text : {"10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "/8",
                                 "proxy", "10.0.0.1/8", "192.168.5.0/22", "fd00::1/8", "::1/0"}) {
    CAPTURE(text);
    CHECK_FALSE(ip_network::parse(text));
  }
}

TEST_CASE("a network is written in one spelling", "[staging][http]") {
  const auto written = [](const char* text) { return ip_network::parse(text)->text(); };
  CHECK(written("10.0.0.0/8") == "10.0.0.0/8");
  CHECK(written("FD00:0::/8") == "fd00::/8");
  CHECK(written("::/0") == "::/0");
  CHECK(written("0.0.0.0/0") == "0.0.0.0/0");
  CHECK(written("10.0.0.1/32") == "10.0.0.1");
  CHECK(written("2001:db8::1/128") == "2001:db8::1");
  CHECK(written("2001:db8::1") == "2001:db8::1");
}

TEST_CASE("a forwarded header counts only from a trusted proxy", "[staging][http]") {
  const client_resolver none{{}};
  CHECK(none.client(address("127.0.0.1"), "203.0.113.9").text() == "127.0.0.1");

  const client_resolver clients{{"127.0.0.1", "10.0.0.0/8"}};
  CHECK(clients.client(address("127.0.0.1"), "203.0.113.9").text() == "203.0.113.9");
  CHECK(clients.client(address("192.0.2.7"), "203.0.113.9").text() == "192.0.2.7");
  CHECK(clients.client(address("127.0.0.1"), "").text() == "127.0.0.1");
}

TEST_CASE("the client is the rightmost address that is no trusted proxy", "[staging][http]") {
  const client_resolver clients{{"127.0.0.1", "10.0.0.0/8"}};
  const auto from = [&](std::string_view forwarded) {
    return clients.client(address("127.0.0.1"), forwarded).text();
  };

  CHECK(from("198.51.100.1, 203.0.113.9") == "203.0.113.9");  // the left one is the client's own invention
  CHECK(from("198.51.100.1, 203.0.113.9, 10.1.1.1") == "203.0.113.9");
  CHECK(from("203.0.113.9,\t10.1.1.1 ,10.2.2.2") == "203.0.113.9");
  CHECK(from("10.1.1.1, 10.2.2.2") == "10.1.1.1");
  CHECK(from("203.0.113.9:4711") == "203.0.113.9");
  CHECK(from("[2001:db8::1]:4711") == "2001:db8::1");
  CHECK(from("2001:db8::1") == "2001:db8::1");
  CHECK(from("203.0.113.9, unknown, 10.1.1.1") == "10.1.1.1");
  CHECK(from("203.0.113.9, ") == "127.0.0.1");
  CHECK(from("[") == "127.0.0.1");
  CHECK(from(",,,,") == "127.0.0.1");
}

TEST_CASE("a trusted proxy that is no address is refused by name", "[staging][http]") {
  CHECK_THROWS_AS(client_resolver{{"proxy.example"}}, std::invalid_argument);
  CHECK_THROWS_WITH(client_resolver{{"10.0.0.0/99"}},
                    Catch::Matchers::StartsWith("trusted_proxies: '10.0.0.0/99'"));
}
