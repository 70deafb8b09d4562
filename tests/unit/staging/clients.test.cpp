// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "clients/client_error.hpp"
#include "clients/openai_client.hpp"
#include "clients/postgres_client.hpp"
#include "clients/redis_client.hpp"
#include "clients/s3_client.hpp"
#include "loopback_peer.hpp"
#include "postgres_peer.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

// Against peers that misbehave on purpose; the real servers are for the staging tests.

using namespace std::chrono_literals;
using brownout::outcome;
using brownout::probe_result;
using staging::call_context;
using staging_test::message;
using staging_test::postgres_that_answers;
using staging_test::row;

namespace {

constexpr std::string_view secret = "s3cr3t-word";

brownout::time_point now() {
  return brownout::monotonic_clock{}.now();
}

call_context within(brownout::duration limit, std::stop_token stop = {}) {
  return {now() + limit, std::move(stop)};
}

staging::postgres_client postgres_at(std::uint16_t port) {
  return staging::postgres_client{
      {"postgresql://demo:" + std::string{secret} + "@127.0.0.1:" + std::to_string(port) + "/postgres"}};
}
staging::redis_client redis_at(std::uint16_t port) {
  return staging::redis_client{{"127.0.0.1", port, std::string{secret}, 0}};
}
staging::s3_client s3_at(std::uint16_t port) {
  return staging::s3_client{
      {"http://127.0.0.1:" + std::to_string(port), "bucket", "us-east-1", "demo:probe", std::string{secret}}};
}
staging::openai_client openai_at(std::uint16_t port) {
  return staging::openai_client{
      {"http://127.0.0.1:" + std::to_string(port) + "/v1", std::string{secret}, "some-model"}};
}

/// Each kind of client, as the probe it is used for.
struct probed {
  std::string name;
  std::function<probe_result(const call_context&)> ping;
};

template <class Client>
probed probe_of(std::string name, Client client) {
  auto shared = std::make_shared<Client>(std::move(client));
  return {std::move(name), [shared](const call_context& context) { return shared->ping(context); }};
}

std::vector<probed> every_client_at(std::uint16_t port) {
  return {probe_of("postgres", postgres_at(port)), probe_of("redis", redis_at(port)),
          probe_of("s3", s3_at(port)), probe_of("openai", openai_at(port))};
}

/// A port of loopback where nobody listens.
std::uint16_t closed_port() {
  return loopback_peer{}.port();
}

std::string http(std::string_view status, std::string_view body, std::string_view headers = "") {
  return "HTTP/1.1 " + std::string{status} + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string{headers} + "\r\n" + std::string{body};
}

std::string completion(std::string_view content) {
  return http("200 OK",
              R"({"choices":[{"message":{"role":"assistant","content":")" + std::string{content} + "\"}}]}");
}

/// Reads one HTTP request with its body.
std::string read_request(const loopback_peer::connection& client) {
  std::string request;
  for (;;) {
    const auto head = request.find("\r\n\r\n");
    if (head != std::string::npos) {
      const auto field = request.find("Content-Length: ");
      const auto body = field < head ? std::stoul(request.substr(field + 16)) : 0;
      if (request.size() >= head + 4 + body) return request;
    }
    const auto more = client.read();
    if (more.empty()) return request;
    request += more;
  }
}

long open_descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"},
                       std::filesystem::directory_iterator{});
}

/// Waits until that thread of this process sleeps in the kernel: it has sent all it had, and waits for the
/// answer.
[[nodiscard]] bool blocks(pid_t thread) {
  const auto path = "/proc/self/task/" + std::to_string(thread) + "/stat";
  for (const auto end = now() + 30s; now() < end; std::this_thread::yield()) {
    std::string stat;
    std::getline(std::ifstream{path}, stat);
    if (stat.find(") S ") != std::string::npos) return true;
  }
  return false;
}

/// Answers every HTTP request the same, on as many connections as the client likes.
loopback_peer::script always(std::string answer) {
  return [answer = std::move(answer)](const loopback_peer::connection& client) {
    while (!read_request(client).empty()) client.write(answer);
  };
}

}  // namespace

TEST_CASE("a refused connection is a failure that says so and shows no secret", "[staging][clients]") {
  for (auto& client : every_client_at(closed_port())) {
    CAPTURE(client.name);
    const auto found = client.ping(within(1min));
    CHECK(found.result == outcome::failure);
    CHECK(found.reason == "connection refused");
  }
}

TEST_CASE("an option that libpq does not know is told from a database that is down", "[staging][clients]") {
  staging::postgres_client client{{"host=127.0.0.1 sslmode=bogus password=" + std::string{secret}}};
  const auto found = client.ping(within(1s));
  CHECK(found.result == outcome::failure);
  CHECK(found.reason == "connection option invalid");
}

TEST_CASE("a server that accepts and never answers costs a ping its time-out, not more",
          "[staging][clients]") {
  const loopback_peer silent;
  for (auto& client : every_client_at(silent.port())) {
    CAPTURE(client.name);
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto start = now();
      const auto found = client.ping(within(50ms));
      CHECK(now() - start >= 50ms);
      CHECK(now() - start < 10s);
      CHECK(found.result == outcome::failure);
      CHECK(found.reason == "timed out");
    }
  }
}

TEST_CASE("a stop request ends a hung ping at once, as cancelled", "[staging][clients]") {
  for (std::size_t which = 0; which < 4; ++which) {
    std::stop_source shutdown;
    brownout::time_point asked;
    const auto caller = ::gettid();
    const loopback_peer peer{[&](const loopback_peer::connection& client) {
      static_cast<void>(client.read());
      if (blocks(caller)) asked = now();
      shutdown.request_stop();
      while (!client.read().empty()) {
      }
    }};
    auto client = every_client_at(peer.port()).at(which);
    CAPTURE(client.name);
    const auto found = client.ping(within(1h, shutdown.get_token()));
    CHECK(found.result == outcome::cancelled);
    CHECK(found.reason == "given up");
    CHECK(now() - asked < 500ms);
  }
}

TEST_CASE("nothing is sent when the stop was requested or the deadline is over", "[staging][clients]") {
  const loopback_peer peer{[](const loopback_peer::connection& client) {
    while (!client.read().empty()) {
    }
  }};
  std::stop_source shutdown;
  shutdown.request_stop();
  for (auto& client : every_client_at(peer.port())) {
    CAPTURE(client.name);
    CHECK(client.ping(within(1min, shutdown.get_token())).result == outcome::cancelled);
    const auto late = client.ping(within(-1s));
    CHECK(late.result == outcome::failure);
    CHECK(late.reason == "timed out");
  }
}

TEST_CASE("a server that closes, or talks nonsense that quotes the secret, is a failure without it",
          "[staging][clients]") {
  const auto answer =
      GENERATE(as<std::string>{}, "", "-ERR s3cr3t-word is wrong\r\n", "E s3cr3t-word\n",
               "HTTP/1.1 500 s3cr3t-word\r\n\r\n", "HTTP/1.1 403 no\r\nContent-Length: 11\r\n\r\ns3cr3t-word",
               "*4294967297\r\n", "$-7\r\n");
  const loopback_peer peer{[&](const loopback_peer::connection& client) {
    static_cast<void>(client.read());
    client.write(answer);
  }};
  for (auto& client : every_client_at(peer.port())) {
    CAPTURE(client.name, answer);
    const auto found = client.ping(within(30s));
    CHECK(found.result == outcome::failure);
    CHECK_FALSE(found.reason.empty());
    CHECK(found.reason != "timed out");
    CHECK(found.reason.find(secret) == std::string::npos);
    CHECK(found.reason.find("127.0.0.1") == std::string::npos);
  }
}

TEST_CASE("failed pings leave no descriptor behind", "[staging][clients]") {
  const loopback_peer silent;
  const auto port = closed_port();
  auto refused = every_client_at(port);
  auto hung = every_client_at(silent.port());
  const auto once = [&] {
    for (auto& client : refused) static_cast<void>(client.ping(within(1min)));
    for (auto& client : hung) static_cast<void>(client.ping(within(1ms)));
  };
  once();  // whatever the libraries open once
  const auto before = open_descriptors();
  for (int repeat = 0; repeat < 10; ++repeat) once();
  CHECK(open_descriptors() <= before);
}

TEST_CASE("a stop request ends a request that hangs on a kept connection", "[staging][clients][http]") {
  // Unlike a new connection, a kept one has no timer of libcurl's that would happen to wake it soon.
  std::stop_source shutdown;
  brownout::time_point asked;
  const auto caller = ::gettid();
  const loopback_peer peer{[&](const loopback_peer::connection& client) {
    static_cast<void>(read_request(client));
    client.write(http("200 OK", "{}"));
    static_cast<void>(read_request(client));
    if (blocks(caller)) asked = now();
    shutdown.request_stop();
    static_cast<void>(client.read());
  }};
  auto openai = openai_at(peer.port());
  REQUIRE(openai.ping(within(1min)).result == outcome::success);
  CHECK(openai.ping(within(30s, shutdown.get_token())).result == outcome::cancelled);
  CHECK(now() - asked < 500ms);
  CHECK(openai.broken());
}

TEST_CASE("a Redis answer that comes too late is not taken for the next one", "[staging][clients][redis]") {
  const loopback_peer peer{[](const loopback_peer::connection& client) {
    static_cast<void>(client.read());
    client.write("+OK\r\n");  // AUTH
    static_cast<void>(client.read());
    if (client.number() == 1) client.write("$6\r\nsecond\r\n");
    // On connection 0 the first GET stays unanswered: a client that came back to it would get the late
    // answer.
    while (!client.read().empty()) client.write("$4\r\nlate\r\n");
  }};
  auto redis = redis_at(peer.port());
  CHECK_THROWS_AS(redis.get("first", within(50ms)), staging::client_error);
  CHECK(redis.broken());
  CHECK(redis.get("second", within(1min)) == "second");
  CHECK_FALSE(redis.broken());
}

TEST_CASE("a Redis answer may arrive byte by byte", "[staging][clients][redis]") {
  const std::string value{"a\r\n\0b", 5};
  const loopback_peer peer{[&](const loopback_peer::connection& client) {
    static_cast<void>(client.read());
    client.write("+OK\r\n");
    static_cast<void>(client.read());
    for (const char byte : "$5\r\n" + value + "\r\n") client.write({&byte, 1});
    static_cast<void>(client.read());
  }};
  CHECK(redis_at(peer.port()).get("key", within(1min)) == value);
}

TEST_CASE("Redis is sent the password, the database and the time to live", "[staging][clients][redis]") {
  std::string heard;
  {
    const loopback_peer peer{[&](const loopback_peer::connection& client) {
      for (auto words = client.read(); !words.empty(); words = client.read()) {
        heard += words;
        client.write("+OK\r\n");
      }
    }};
    staging::redis_client redis{{"127.0.0.1", peer.port(), "pass word", 7}};
    redis.set_ex("key", "value", 1500ms, within(1min));
    CHECK_THROWS_AS(redis.set_ex("key", "value", 0ms, within(1min)), std::invalid_argument);
  }
  CHECK(heard ==
        "*2\r\n$4\r\nAUTH\r\n$9\r\npass word\r\n"
        "*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n"
        "*5\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n$2\r\nPX\r\n$4\r\n1500\r\n");
}

TEST_CASE("a Redis answer without end is cut off", "[staging][clients][redis]") {
  const loopback_peer peer{[](const loopback_peer::connection& client) {
    static_cast<void>(client.read());
    client.write("+OK\r\n");
    static_cast<void>(client.read());
    client.write("$1000000000\r\n");
    client.write(std::string(std::size_t{20} << 20U, 'x'));
  }};
  auto redis = redis_at(peer.port());
  CHECK_THROWS_WITH(redis.get("key", within(1min)), "answer too large");
  CHECK(redis.broken());
}

TEST_CASE("a Redis list is refused before memory is taken for its elements", "[staging][clients][redis]") {
  const auto list = GENERATE(as<std::string>{}, "*1000000000\r\n", "*1\r\n+PONG\r\n", "*0\r\n");
  const loopback_peer peer{[&](const loopback_peer::connection& client) {
    static_cast<void>(client.read());
    client.write("+OK\r\n");
    static_cast<void>(client.read());
    client.write(list);
    static_cast<void>(client.read());
  }};
  CAPTURE(list);
  const auto start = now();
  CHECK(redis_at(peer.port()).ping(within(3s)).reason == "unexpected answer");
  CHECK(now() - start < 1s);
}

TEST_CASE("the rows of PostgreSQL are read as they are", "[staging][clients][postgres]") {
  const loopback_peer peer{postgres_that_answers(row({"LAMP-01", "desk lamp", "-42", "3490"}))};
  const auto rows = postgres_at(peer.port()).inventory(within(1min));
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].sku == "LAMP-01");
  CHECK(rows[0].name == "desk lamp");
  CHECK(rows[0].quantity == -42);
  CHECK(rows[0].price_cents == 3490);
}

TEST_CASE("an answer of PostgreSQL that has another shape than was asked for is a failure",
          "[staging][clients][postgres]") {
  const auto copy_format = std::string(3, '\0');
  const auto answer =
      GENERATE_REF(as<std::string>{}, row({}), row({"1", "2"}), row({"LAMP-01", "desk lamp", "42"}),
                   row({"LAMP-01", "desk lamp", "1.5", "3490"}), row({"LAMP-01", "", "", "1"}),
                   row({"LAMP-01", "", "9223372036854775808", "1"}), message('G', copy_format),
                   message('H', copy_format), message('W', copy_format));
  const loopback_peer peer{postgres_that_answers(answer)};
  CAPTURE(answer);
  CHECK_THROWS_WITH(postgres_at(peer.port()).inventory(within(30s)), "unexpected answer");
  const auto found = postgres_at(peer.port()).ping(within(30s));
  CHECK(found.result == outcome::failure);
  CHECK(found.reason == "unexpected answer");
}

TEST_CASE("a state of PostgreSQL that is none is not repeated", "[staging][clients][postgres]") {
  const auto& [state, shown] = GENERATE(table<std::string, std::string>({{"53200", "53200"},
                                                                         {"XX0AB", "XX0AB"},
                                                                         {"s3cr3t-word", "unknown"},
                                                                         {"a\nb<c", "unknown"},
                                                                         {"", "unknown"}}));
  const loopback_peer peer{postgres_that_answers(
      message('E', "SERROR" + std::string(1, '\0') + 'C' + state + std::string(2, '\0')))};
  CHECK_THROWS_WITH(postgres_at(peer.port()).inventory(within(1min)),
                    "query refused (SQLSTATE " + shown + ')');
}

TEST_CASE("the bucket is asked for with a signed HEAD, on one connection", "[staging][clients][http]") {
  std::string heard;
  {
    const loopback_peer peer{[&](const loopback_peer::connection& client) {
      for (auto request = read_request(client); !request.empty(); request = read_request(client)) {
        heard = request;
        client.write(http("200 OK", ""));
      }
    }};
    auto s3 = s3_at(peer.port());
    for (int repeat = 0; repeat < 3; ++repeat) CHECK(s3.ping(within(1min)).result == outcome::success);
    CHECK(peer.accepted() == 1);
    CHECK_FALSE(s3.broken());
  }
  CAPTURE(heard);
  CHECK(heard.rfind("HEAD /bucket HTTP/1.1\r\n", 0) == 0);
  CHECK(heard.find("Authorization: AWS4-HMAC-SHA256 Credential=demo:probe/") != std::string::npos);
  CHECK(heard.find("/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, ") !=
        std::string::npos);
  CHECK(heard.find("x-amz-content-sha256: "
                   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n") !=
        std::string::npos);
  CHECK(heard.find(secret) == std::string::npos);
}

TEST_CASE("only 200 means that a bucket or a model list is there", "[staging][clients][http]") {
  const auto status =
      GENERATE(as<std::string>{}, "204 No Content", "301 Moved", "302 Found", "401 Unauthorized",
               "403 Forbidden", "404 Not Found", "429 Too Many", "500 Broken", "503 Busy");
  const loopback_peer peer{[&](const loopback_peer::connection& client) {
    // A redirect that was followed would find a 200.
    const auto request = read_request(client);
    client.write(request.find(" /elsewhere ") != std::string::npos
                     ? http("200 OK", "")
                     : "HTTP/1.1 " + status +
                           "\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n"
                           "Connection: close\r\n\r\n");
  }};
  const auto code = "(HTTP " + status.substr(0, 3) + ')';
  for (const auto& found :
       {s3_at(peer.port()).ping(within(1min)), openai_at(peer.port()).ping(within(1min))}) {
    CAPTURE(status, found.reason);
    CHECK(found.result == outcome::failure);
    CHECK(found.reason.find(code) != std::string::npos);
  }
}

TEST_CASE("a recommendation is asked for with key, model and prompt", "[staging][clients][http]") {
  std::string heard;
  const loopback_peer peer{[&](const loopback_peer::connection& client) {
    heard = read_request(client);
    client.write(completion("Reorder \\u00c4pfel."));
  }};
  CHECK(openai_at(peer.port()).recommend("what \"next\"?\xff", within(1min)) == "Reorder \xC3\x84pfel.");
  CAPTURE(heard);
  CHECK(heard.rfind("POST /v1/chat/completions HTTP/1.1\r\n", 0) == 0);
  CHECK(heard.find("Authorization: Bearer " + std::string{secret} + "\r\n") != std::string::npos);
  CHECK(heard.find(R"("content":"what \"next\"?)"
                   "\xEF\xBF\xBD") != std::string::npos);
  CHECK(heard.find(R"("model":"some-model")") != std::string::npos);
}

TEST_CASE("a recommendation without a text is a failure", "[staging][clients][http]") {
  const auto body =
      GENERATE(as<std::string>{}, "", "{", "[]", "{}", R"({"choices":[]})", R"({"choices":{}})",
               R"({"choices":[{"message":{"content":null}}]})", R"({"choices":[{"message":"text"}]})");
  const loopback_peer peer{always(http("200 OK", body))};
  CAPTURE(body);
  CHECK_THROWS_WITH(openai_at(peer.port()).recommend("prompt", within(1min)), "unexpected answer");
}

TEST_CASE("a refused prompt says nothing about the service, a refused key or quota does",
          "[staging][clients][http]") {
  struct expectation {
    std::string status;
    outcome result;
  };
  for (const auto& [status, result] : {expectation{"400 Bad", outcome::ignored},
                                       {"404 Unknown", outcome::ignored},
                                       {"422 Odd", outcome::ignored},
                                       {"401 No", outcome::failure},
                                       {"429 Slow down", outcome::failure},
                                       {"500 Broken", outcome::failure}}) {
    CAPTURE(status);
    const loopback_peer peer{always(http(status, "{}"))};
    auto openai = openai_at(peer.port());
    try {
      static_cast<void>(openai.recommend("prompt", within(1min)));
      FAIL("no error");
    } catch (const staging::client_error& error) {
      CHECK(error.result() == result);
      CHECK_FALSE(openai.broken());
    }
  }
}

TEST_CASE("an HTTP answer of more than 1 MiB is cut off", "[staging][clients][http]") {
  const std::string fits = completion(std::string((std::size_t{1} << 20U) - 100, 'x'));
  const std::string larger = completion(std::string(std::size_t{1} << 20U, 'x'));
  {
    const loopback_peer peer{always(fits)};
    CHECK(openai_at(peer.port()).recommend("prompt", within(1min)).size() == (std::size_t{1} << 20U) - 100);
  }
  const loopback_peer peer{always(larger)};
  auto openai = openai_at(peer.port());
  CHECK_THROWS_WITH(openai.recommend("prompt", within(1min)), "answer too large");
  CHECK(openai.broken());
}

TEST_CASE("proxies of the environment are not used", "[staging][clients][http]") {
  const loopback_peer peer{always(http("200 OK", "{}"))};
  const auto nobody = "http://127.0.0.1:" + std::to_string(closed_port());
  for (const auto* name : {"http_proxy", "all_proxy"}) ::setenv(name, nobody.c_str(), 1);
  const auto found = openai_at(peer.port()).ping(within(1min));
  for (const auto* name : {"http_proxy", "all_proxy"}) ::unsetenv(name);
  CHECK(found.result == outcome::success);
}

TEST_CASE("an HTTP connection the server closed while it was idle is replaced", "[staging][clients][http]") {
  const loopback_peer peer{[](const loopback_peer::connection& client) {
    static_cast<void>(read_request(client));
    client.write(http("200 OK", "{}"));  // and closes, unannounced
  }};
  auto openai = openai_at(peer.port());
  for (int repeat = 0; repeat < 5; ++repeat) CHECK(openai.ping(within(1min)).result == outcome::success);
  CHECK(peer.accepted() == 5);
}
