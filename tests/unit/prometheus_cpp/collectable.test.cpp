// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"
#include "unit/system/staging_bench.hpp"

#include "brownout/observe/prometheus_text.hpp"
#include "brownout/observe/system_metrics.hpp"
#include "brownout/prometheus_cpp/collectable.hpp"

#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace system_test;
using brownout::metric_type;
using brownout::prometheus_collectable;

namespace {

/// The body of `GET /metrics` from this port of the loopback interface.
std::string scrape(int port) {
  const int socket_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
    send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(socket_, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(got));
    }
  }
  close(socket_);
  const auto head = answer.find("\r\n\r\n");
  return head == std::string::npos ? std::string{} : answer.substr(head + 4);
}

/// The lines of a page, with each value as one that is written alike everywhere.
std::multiset<std::string> lines_of(const std::string& page) {
  std::multiset<std::string> lines;
  std::istringstream in{page};
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) {
      lines.insert(line);
      continue;
    }
    if (line.starts_with("exposer_")) continue;  // the exposer's own
    const auto value = line.rfind(' ') + 1;
    lines.insert(line.substr(0, value) + std::to_string(std::strtod(line.c_str() + value, nullptr)));
  }
  std::erase_if(lines, [](const std::string& line) { return line.find(" exposer_") != std::string::npos; });
  return lines;
}

std::string serialised(const prometheus_collectable& shown) {
  return prometheus::TextSerializer{}.Serialize(shown.Collect());
}

const auto every_kind = [](auto& page) {
  page.family("a_total", metric_type::counter, "A \"counter\".");
  page.sample({{"l", "x\"\\\n"}}, 1.5);
  page.family("b", metric_type::gauge, "b");
  page.sample({}, std::numeric_limits<double>::quiet_NaN());
  page.sample({{"l", "y"}}, std::uint64_t{12});
  page.family("c", metric_type::histogram, "c");
  brownout::histogram durations{{0.1, 0.5}};
  durations.observe(0.2);
  durations.observe(3);
  page.sample({{"l", "z"}}, durations.read());
  page.family("d", metric_type::summary, "d");
  page.summary({}, 2.5, 3);
  page.family("e", metric_type::untyped, "e");
  page.sample({}, 7.0);
  page.family("empty", metric_type::gauge, "empty");
  page.family("a_total", metric_type::counter, "Again.");
  page.sample({{"l", "a\xff\r"}}, 2.0);
};

}  // namespace

TEST_CASE("an exposer of prometheus-cpp shows what the text writer shows", "[observe][M3][M3a]") {
  staging staging;
  staging.run(1s);
  staging.watched.at(dependency::redis).force_open();
  staging.watched.refresh(staging.watched.now());
  const auto write = [&](auto& page) {
    every_kind(page);
    write_metrics(page, staging.watched.snapshot(staging.watched.now()), {{"system", "shop\xff"}});
  };
  brownout::prometheus_text text;
  write(text);

  prometheus::Exposer exposer{"127.0.0.1:0"};
  const auto shown = std::make_shared<prometheus_collectable>(write);
  exposer.RegisterCollectable(shown);
  const auto ports = exposer.GetListeningPorts();
  REQUIRE(ports.size() == 1);
  const auto scraped = scrape(ports.front());
  CHECK(scraped.find("brownout_health_score{system=\"shop\xef\xbf\xbd\"} 85") != std::string::npos);
  CHECK(lines_of(scraped) == lines_of(text.text()));
}

TEST_CASE("a line feed in a help text does not break the page of prometheus-cpp", "[observe]") {
  const prometheus_collectable shown{[](auto& page) {
    page.family("m", metric_type::gauge, "one\ntwo\xff");
    page.sample({}, 1.0);
  }};
  CHECK(serialised(shown) == "# HELP m one two\xef\xbf\xbd\n# TYPE m gauge\nm 1\n");
}

TEST_CASE("whole numbers of any type are samples of prometheus-cpp, as of the text", "[observe][M3a]") {
  const prometheus_collectable shown{[](auto& page) {
    page.family("m", metric_type::gauge, "h");
    page.sample({{"a", "int"}}, -42);
    page.sample({{"a", "bool"}}, true);
    page.sample({{"a", "size"}}, std::size_t{7});
  }};
  CHECK(serialised(shown) ==
        "# HELP m h\n# TYPE m gauge\nm{a=\"int\"} -42\nm{a=\"bool\"} 1\nm{a=\"size\"} 7\n");
}

TEST_CASE("a function that throws leaves the scrape without its metrics", "[observe][M3b]") {
  const prometheus_collectable shown{[](auto& page) {
    every_kind(page);
    throw std::runtime_error{"no snapshot"};
  }};
  CHECK(shown.Collect().empty());
}

TEST_CASE("what prometheus-cpp would show wrongly is a broken precondition", "[observe][M1e]") {
  const auto aborts = [](metric_type type, auto&& misuse) {
    return core_test::in_child([&] {
             brownout::prometheus_families page;
             page.family("m", type, "h");
             misuse(page);
           }).signal == SIGABRT;
  };
  using enum metric_type;
  CHECK_FALSE(aborts(gauge, [](auto& page) { page.sample({{"a", "x"}}, 1.0); }));
  CHECK(aborts(gauge, [](auto& page) { page.sample({{"a-label", "x"}}, 1.0); }));
  CHECK(aborts(gauge, [](auto& page) { page.sample({{"a", "x"}, {"a", "y"}}, 1.0); }));
  CHECK(aborts(gauge, [](auto& page) { page.family("m", counter, "h"); }));
  CHECK(aborts(gauge, [](auto& page) { page.family("1m", gauge, "h"); }));
  CHECK(aborts(gauge, [](auto& page) { page.summary({}, 1, 1); }));
  CHECK(aborts(histogram, [](auto& page) { page.sample({}, 1.0); }));
  CHECK(core_test::in_child([] { brownout::prometheus_families{}.sample({}, 1.0); }).signal == SIGABRT);
  CHECK(core_test::in_child([] { prometheus_collectable{nullptr}; }).signal == SIGABRT);
}
