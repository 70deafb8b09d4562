// SPDX-License-Identifier: BSL-1.0
#include "http/server.hpp"

#include "catch2.hpp"
#include "http_fixture.hpp"

#include <array>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <tuple>

using namespace staging;
using namespace staging::testing;

TEST_CASE("a keyed route answers whoever has the key, in either header", "[staging][http]") {
  const running_server at;
  const auto status = [&](const std::string& headers) {
    const auto got = at.ask("GET", "/health", headers);
    REQUIRE(got);
    return got->status;
  };
  CHECK(status(with_key) == 200);
  CHECK(status("Authorization: Bearer " + running_server::key + "\r\n") == 200);
  CHECK(status("authorization: bEARER  " + running_server::key + "\r\n") == 200);

  CHECK(status("") == 401);
  CHECK(status("X-API-Key: wrong\r\n") == 401);
  CHECK(status("X-API-Key:\r\n") == 401);
  CHECK(status("Authorization: Basic " + running_server::key + "\r\n") == 401);
  CHECK(status("Authorization: Bearer\r\n") == 401);
  CHECK(status("Authorization: " + running_server::key + "\r\n") == 401);
  CHECK(status("X-API-Key: wrong\r\n" + with_key) == 401);  // which of the two would it be?

  const auto refused = at.ask("GET", "/health");
  CHECK(refused->error().at("code") == "unauthorized");
  CHECK(refused->header("WWW-Authenticate") == "Bearer");
  CHECK(at.ask("GET", "/livez")->status == 200);
}

TEST_CASE("a wrong key is answered before the body is there, and the body never becomes a request",
          "[staging][http]") {
  const running_server at;
  const std::string head = "POST /echo/a HTTP/1.1\r\nHost: a\r\nX-API-Key: wrong\r\n";

  SECTION("not one byte of the body has come") {
    auto client = at.connect();
    client.send(head + "Content-Length: 1000\r\n\r\n");
    const auto got = client.receive();
    REQUIRE(got);
    CHECK(got->status == 401);
    CHECK(got->header("Connection") == "close");
    CHECK(client.is_closed());
  }
  SECTION("the body looks like a request") {
    auto client = at.connect();
    client.send(head + "Content-Length: 36\r\n\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    REQUIRE(client.receive()->status == 401);
    CHECK(client.is_closed());
    REQUIRE(eventually([&] { return at.lines->lines().size() == 1; }));
  }
  SECTION("the client asks first: it is not told to continue") {
    auto client = at.connect();
    client.send(head + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    CHECK(client.receive()->status == 401);
    CHECK(client.is_closed());
  }
  SECTION("the client asks first with the right key: it is") {
    auto client = at.connect();
    client.send("POST /echo/a HTTP/1.1\r\nHost: a\r\n" + with_key +
                "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    const auto interim = client.receive();
    REQUIRE(interim);
    CHECK(interim->status == 100);
    client.send("hello");
    const auto got = client.receive();
    REQUIRE(got);
    CHECK(got->status == 200);
    CHECK(nlohmann::json::parse(got->body).at("body") == "hello");
  }
}

TEST_CASE("the key is never logged, right or wrong", "[staging][http]") {
  const running_server at;
  at.ask("GET", "/health?key=in-the-query", "X-API-Key: not-the-key\r\n");
  at.ask("GET", "/health", with_key);
  REQUIRE(eventually([&] { return at.lines->lines().size() == 2; }));
  CHECK(at.all_lines().find(running_server::key) == std::string::npos);
  CHECK(at.all_lines().find("not-the-key") == std::string::npos);
  CHECK(at.all_lines().find("in-the-query") == std::string::npos);
}

TEST_CASE("unknown paths get 404, wrong methods 405 with what is allowed", "[staging][http]") {
  const running_server at;
  const auto missing = at.ask("GET", "/nothing");
  REQUIRE(missing);
  CHECK(missing->status == 404);
  CHECK(missing->error().at("code") == "not_found");

  const auto wrong = at.ask("DELETE", "/health");
  REQUIRE(wrong);
  CHECK(wrong->status == 405);
  CHECK(wrong->header("Allow") == "GET, HEAD");
  CHECK(wrong->header("Connection") == "close");
  CHECK(at.ask("BREW", "/echo/a")->header("Allow") == "POST");

  auto client = at.connect();
  client.send(
      "POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\nGET /livez HTTP/1.0\r\n\r\n....");
  CHECK(client.receive()->status == 405);
  CHECK(client.is_closed());
}

TEST_CASE("HEAD is GET without the body", "[staging][http]") {
  const running_server at;
  auto client = at.connect();
  client.send("HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\nHEAD /health HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto got = client.receive(false);
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(got->header("Content-Length") == std::to_string(std::string{"{\"up\":true}"}.size()));
  CHECK(client.receive(false)->status == 401);
  CHECK(client.is_closed());
}

TEST_CASE("a body may be as long as the limit", "[staging][http]") {
  const running_server at{[](http_options& options) { options.payload_limit = 100; }};
  for (const std::string& length : {std::string{"Content-Length: 100\r\n\r\n"},
                                    std::string{"Transfer-Encoding: chunked\r\n\r\n64\r\n"}}) {
    auto client = at.connect();
    client.send("POST /echo/a HTTP/1.1\r\nHost: a\r\n" + with_key + length + std::string(100, 'x') +
                "\r\n0\r\n\r\n");
    const auto got = client.receive();
    REQUIRE(got);
    CHECK(got->status == 200);
    CHECK(nlohmann::json::parse(got->body).at("body") == std::string(100, 'x'));
  }
}

TEST_CASE("a body over the limit gets 413, announced, chunked or endless", "[staging][http]") {
  const running_server at{[](http_options& options) { options.payload_limit = 100; }};
  const std::string head = "POST /echo/a HTTP/1.1\r\nHost: a\r\n" + with_key;
  auto client = at.connect();

  SECTION("announced, and not sent") {
    client.send(head + "Content-Length: 101\r\n\r\n");
  }
  SECTION("announced as more than fits any memory") {
    client.send(head + "Content-Length: 9999999999999999999\r\n\r\n");
  }
  SECTION("one chunk too large") {
    client.send(head + "Transfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x') + "\r\n0\r\n\r\n");
  }
  SECTION("chunks without end") {
    std::string chunks;
    for (int i = 0; i < 1'000; ++i) chunks += "1\r\nx\r\n";
    client.send(head + "Transfer-Encoding: chunked\r\n\r\n" + chunks);
  }
  SECTION("a chunk line without end") {
    client.send(head + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(10'000, 'x'));
  }
  const auto got = client.receive();
  REQUIRE(got);
  CHECK(got->status == 413);
  CHECK(got->error().at("code") == "payload_too_large");
  CHECK(got->header("Connection") == "close");
  CHECK(client.is_closed());
}

TEST_CASE("chunked bodies are put together, and malformed ones end their connection", "[staging][http]") {
  const running_server at;
  auto client = at.connect();
  const std::string head =
      "POST /echo/a HTTP/1.1\r\nHost: a\r\n" + with_key + "Transfer-Encoding: chunked\r\n\r\n";
  SECTION("well formed") {
    client.send(head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    const auto got = client.receive();
    REQUIRE(got);
    CHECK(got->status == 200);
    CHECK(nlohmann::json::parse(got->body).at("body") == "abcde");
    client.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.receive()->body == "{\"up\":true}");
  }
  SECTION("malformed") {
    client.send(head + "zz\r\nabc\r\n0\r\n\r\n");
    const auto got = client.receive();
    REQUIRE(got);
    CHECK(got->status == 400);
    CHECK(got->error().at("field") == "body");
    CHECK(client.is_closed());
  }
}

TEST_CASE("the limits are each client's own for each kind of route", "[staging][http]") {
  const running_server at{[](http_options& options) { options.rate_limit.requests = 2; },
                          [](http_server& server) {
                            const auto fine = [](const request&, response&) {};
                            server.route("GET", "/h", "h", access::keyed, fine, quota::health);
                            server.route("GET", "/m", "m", access::keyed, fine, quota::metrics);
                            server.route("GET", "/d", "d", access::keyed, fine, quota::demo);
                          }};
  const auto status = [&](const std::string& path) { return at.ask("GET", path, with_key)->status; };
  for (const std::string path : {"/h", "/m", "/d", "/health", "/none"}) {
    CAPTURE(path);
    const int usual = path == "/none" ? 404 : 200;
    CHECK(status(path) == usual);
    const auto last = at.ask("GET", path, with_key);
    CHECK(last->status == usual);
    CHECK(last->header("RateLimit-Remaining") == "0");
    CHECK(status(path) == 429);
  }
}

TEST_CASE("every answer carries the date, as RFC 9110 asks", "[staging][http]") {
  const running_server at;
  for (const auto& got :
       {at.ask("GET", "/livez"), at.ask("GET", "/none"), at.ask("GET", "/livez", "Host: b\r\n")}) {
    REQUIRE(got);
    std::tm told{};
    const auto text = got->header("Date");
    REQUIRE(text.size() == 29);
    REQUIRE(strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &told) != nullptr);
    CHECK(std::abs(std::difftime(timegm(&told), std::time(nullptr))) <= 2);
  }
}

TEST_CASE("a compressed body is refused", "[staging][http]") {
  const running_server at;
  CHECK(at.ask("POST", "/echo/a", with_key + "Content-Encoding: gzip\r\n", "xx")->status == 415);
  CHECK(at.ask("POST", "/echo/a", with_key + "Content-Encoding: identity\r\n", "xx")->status == 200);
}

TEST_CASE("the body reaches the route byte for byte, whatever type it claims", "[staging][http]") {
  const running_server at;
  for (const std::string type :
       {"multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "a/b"}) {
    const auto got = at.ask("POST", "/echo/thing%20one",
                            with_key + "Range: bytes=0-1\r\nContent-Type: " + type + "\r\n", "a=1&b");
    REQUIRE(got);
    CHECK(got->status == 200);
    CHECK(nlohmann::json::parse(got->body).at("body") == "a=1&b");
    CHECK(nlohmann::json::parse(got->body).at("name") == "thing one");
  }
}

TEST_CASE("requests of one connection are answered in order, pipelined ones too", "[staging][http]") {
  const running_server at{[](http_options& options) { options.keep_alive_requests = 3; }};
  auto client = at.connect();
  const auto post = [](const std::string& body) {
    return "POST /echo/a HTTP/1.1\r\nHost: a\r\n" + with_key +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  client.send(post("one") + "\r\n" + post("three") + post("fifteen") + post("never"));
  for (const std::string body : {"one", "three", "fifteen"}) {
    const auto got = client.receive();
    REQUIRE(got);
    CHECK(nlohmann::json::parse(got->body).at("body") == body);
    CHECK(got->header("Connection") == (body == "fifteen" ? "close" : "keep-alive"));
  }
  CHECK(client.is_closed());
}

TEST_CASE("a malformed head gets 400 and the end of the connection", "[staging][http]") {
  const running_server at;
  const auto [head, status] = GENERATE(table<std::string, int>({
      {"GET /livez HTTP/1.1\r\n\r\n", 400},
      {"GET /livez HTTP/1.1\nHost: a\n\n", 400},
      {"GET /livez HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n", 400},
      {"\r\n\r\n\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nGET ", 400},
      {"\x16\x03\x01\x02\n", 400},
      {"GET /livez HTTP/3.0\r\nHost: a\r\n\r\n", 505},
      {"POST /echo/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: x\r\n\r\n", 417},
      {"GET /" + std::string(20'000, 'a'), 414},
      {"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'a'), 431},
  }));
  INFO(head.substr(0, 80));
  auto client = at.connect();
  client.send(head);
  const auto got = client.receive();
  REQUIRE(got);
  CHECK(got->status == status);
  CHECK(got->error().at("code").get<std::string>().size() > 3);
  CHECK(got->header("X-Frame-Options") == "DENY");
  CHECK(got->header("Connection") == "close");
  CHECK(client.is_closed());
}

TEST_CASE("slow heads and slow bodies are ended by a deadline, not by silence", "[staging][http]") {
  const running_server at{[](http_options& options) {
    options.head_timeout = 200ms;
    options.body_timeout = 200ms;
  }};
  auto client = at.connect();
  std::string slowly;
  SECTION("the head") {
    slowly = "GET /livez HTTP/1.1\r\nHost: a\r\n";
  }
  SECTION("the body") {
    slowly = "POST /echo/a HTTP/1.1\r\nHost: a\r\n" + with_key + "Content-Length: 50000\r\n\r\n";
  }
  client.send(slowly);
  std::atomic<bool> answered{false};
  std::thread drip{[&] {
    while (!answered) {
      client.send("x");
      std::this_thread::sleep_for(5ms);
    }
  }};
  const auto got = client.receive();
  answered = true;
  drip.join();
  REQUIRE(got);
  CHECK(got->status == 408);
  CHECK(client.is_closed());
}

TEST_CASE("a silent connection is closed without a word", "[staging][http]") {
  const running_server at{[](http_options& options) { options.head_timeout = 50ms; }};
  auto client = at.connect();
  CHECK(client.is_closed());
}

TEST_CASE("every answer carries the security headers", "[staging][http]") {
  const running_server at{
      {}, [](http_server& server) {
        server.route("GET", "/page", "page", access::open, [](const request&, response& out) {
          out.content_type = "text/html";
          out.headers.push_back({"Content-Security-Policy", "default-src 'self'"});
        });
        server.route("GET", "/broken", "broken", access::open, [](const request&, response&) { throw 1; });
      }};
  const std::vector<std::tuple<std::string, std::string, std::string, int>> requests{
      {"GET", "/livez", "", 200}, {"GET", "/health", with_key, 200},    {"GET", "/health", "", 401},
      {"GET", "/none", "", 404},  {"PUT", "/livez", "", 405},           {"GET", "/broken", "", 500},
      {"GET", "/page", "", 200},  {"GET", "/livez", "Host: b\r\n", 400}};
  for (const auto& [method, path, headers, status] : requests) {
    CAPTURE(method, path, status);
    const auto got = at.ask(method, path, headers);
    REQUIRE(got);
    CHECK(got->status == status);
    CHECK(got->header("X-Content-Type-Options") == "nosniff");
    CHECK(got->header("X-Frame-Options") == "DENY");
    CHECK(got->header("Referrer-Policy") == "no-referrer");
    CHECK(got->header("Permissions-Policy").find("camera=()") != std::string::npos);
    CHECK(got->header("Cache-Control") == "no-store");
    const auto policy = got->header("Content-Security-Policy");
    if (path == "/page") {
      CHECK(policy == "default-src 'self'");
    } else {
      CHECK(policy.starts_with("default-src 'none'"));
      CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
      CHECK(got->header("Content-Type") == "application/json");
    }
    CHECK(got->header("Strict-Transport-Security") == "(none)");
    CHECK(got->header("Keep-Alive") == "(none)");
    CHECK(got->header("EXCEPTION_WHAT") == "(none)");
  }
  const running_server secure{[](http_options& options) { options.hsts = true; }};
  CHECK(secure.ask("GET", "/none")->header("Strict-Transport-Security").starts_with("max-age=31536000"));
}

TEST_CASE("a request id is kept when it is well formed, and made otherwise", "[staging][http]") {
  const running_server at;
  const auto given = at.ask("POST", "/echo/a", with_key + "X-Request-ID: my.request_id-1\r\n", "x");
  REQUIRE(given);
  CHECK(given->header("X-Request-ID") == "my.request_id-1");
  CHECK(nlohmann::json::parse(given->body).at("id") == "my.request_id-1");

  const auto made = [](const std::string& id) {
    return id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
  };
  CHECK(made(at.ask("GET", "/livez")->header("X-Request-ID")));
  for (const std::string& bad :
       {std::string{"a b"}, std::string{"<script>"}, std::string(65, 'a'), std::string{}}) {
    CHECK(made(at.ask("GET", "/livez", "X-Request-ID: " + bad + "\r\n")->header("X-Request-ID")));
  }
  CHECK(made(at.ask("GET", "/livez", "X-Request-ID: a\r\nX-Request-ID: b\r\n")->header("X-Request-ID")));

  const auto refused = at.ask("GET", "/health", "X-Request-ID: refused-1\r\n");
  CHECK(refused->header("X-Request-ID") == "refused-1");
  CHECK(refused->error().at("request_id") == "refused-1");
}

TEST_CASE("a client over its limit gets 429 and is told when to come back", "[staging][http]") {
  const running_server at{[](http_options& options) { options.rate_limit.requests = 3; }};
  for (const int left : {2, 1, 0}) {
    const auto got = at.ask("GET", "/health", with_key);
    REQUIRE(got);
    CHECK(got->status == 200);
    CHECK(got->header("RateLimit-Limit") == "3");
    CHECK(got->header("RateLimit-Remaining") == std::to_string(left));
    CHECK(std::stoi(got->header("RateLimit-Reset")) >= 57);
    CHECK(std::stoi(got->header("RateLimit-Reset")) <= 60);
  }
  const auto refused = at.ask("GET", "/health", with_key);
  REQUIRE(refused);
  CHECK(refused->status == 429);
  CHECK(refused->error().at("code") == "too_many_requests");
  CHECK(refused->header("Retry-After") == refused->header("RateLimit-Reset"));
  CHECK(std::stoi(refused->header("Retry-After")) >= 57);
  CHECK(refused->header("RateLimit-Remaining") == "0");

  CHECK(at.ask("DELETE", "/health")->status == 429);
  CHECK(at.ask("GET", "/livez")->status == 200);  // health checks go on
  CHECK(at.ask("GET", "/livez")->header("RateLimit-Limit") == "(none)");
}

TEST_CASE("wrong keys and unknown paths count against the limit", "[staging][http]") {
  const running_server at{[](http_options& options) { options.rate_limit.requests = 2; }};
  const auto guess = at.ask("GET", "/health", "X-API-Key: guess\r\n");
  CHECK(guess->status == 401);
  CHECK(guess->header("RateLimit-Remaining") == "1");
  CHECK(at.ask("GET", "/health", "X-API-Key: guess\r\n")->status == 401);
  CHECK(at.ask("GET", "/health", with_key)->status == 429);
  for (const int status : {404, 404, 429}) CHECK(at.ask("GET", "/none")->status == status);
}

TEST_CASE("the limit can be turned off", "[staging][http]") {
  const running_server at{
      [](http_options& options) { options.rate_limit = {.enabled = false, .requests = 1}; }};
  for (int i = 0; i < 5; ++i) CHECK(at.ask("GET", "/health", with_key)->status == 200);
  CHECK(at.ask("GET", "/health", with_key)->header("RateLimit-Limit") == "(none)");
}

TEST_CASE("the limit is each client's own, and only a trusted proxy may name the client", "[staging][http]") {
  const std::string first = with_key + "X-Forwarded-For: 203.0.113.1\r\n";
  const std::string second = with_key + "X-Forwarded-For: 203.0.113.1\r\nX-Forwarded-For: 203.0.113.2\r\n";
  SECTION("through a trusted proxy") {
    const running_server at{[](http_options& options) {
      options.rate_limit.requests = 1;
      options.trusted_proxies = {"127.0.0.0/8"};
    }};
    CHECK(at.ask("GET", "/health", first)->status == 200);
    CHECK(at.ask("GET", "/health", first)->status == 429);
    CHECK(at.ask("GET", "/health", second)->status == 200);
    REQUIRE(eventually([&] { return at.lines->lines().size() == 3; }));
    CHECK(nlohmann::json::parse(at.lines->lines()[2]).at("client") == "203.0.113.2");
  }
  SECTION("from anyone else") {
    const running_server at{[](http_options& options) { options.rate_limit.requests = 1; }};
    CHECK(at.ask("GET", "/health", first)->status == 200);
    CHECK(at.ask("GET", "/health", second)->status == 429);
    REQUIRE(eventually([&] { return at.lines->lines().size() == 2; }));
    CHECK(nlohmann::json::parse(at.lines->lines()[0]).at("client") == "127.0.0.1");
  }
}

TEST_CASE("a route's error becomes its answer; any other exception says nothing", "[staging][http]") {
  const running_server at{
      {}, [](http_server& server) {
        server.route("GET", "/bad", "bad", access::open,
                     [](const request&, response&) { throw bad_request("level", "must be a level"); });
        server.route("GET", "/broken", "broken", access::open, [](const request&, response& out) {
          out.headers.push_back({"X-Half-Done", "1"});
          throw std::runtime_error("postgres://user:secret@host");
        });
        server.route("GET", "/odd", "odd", access::open, [](const request&, response&) { throw 42; });
      }};
  const auto bad = at.ask("GET", "/bad");
  CHECK(bad->status == 400);
  CHECK(bad->error().at("field") == "level");
  CHECK(bad->error().at("message") == "must be a level");

  for (const std::string path : {"/broken", "/odd"}) {
    const auto broken = at.ask("GET", path);
    REQUIRE(broken);
    CHECK(broken->status == 500);
    CHECK(broken->error().at("code") == "internal_error");
    CHECK(broken->body.find("secret") == std::string::npos);
    CHECK(broken->header("X-Half-Done") == "(none)");
    CHECK(broken->header("Connection") == "keep-alive");
  }
  REQUIRE(eventually([&] { return at.lines->lines().size() == 5; }));
  CHECK(at.all_lines().find("secret") == std::string::npos);
  CHECK(at.all_lines().find("std::runtime_error") != std::string::npos);
}

TEST_CASE("each request is one log line, with the same id, and one count", "[staging][http]") {
  std::mutex mutex;
  std::vector<std::tuple<std::string, int, double>> counted;
  const running_server at{{}, [&](http_server& server) {
                            server.on_request([&](std::string_view route, int status, double seconds) {
                              const std::scoped_lock lock{mutex};
                              counted.emplace_back(route, status, seconds);
                              if (status == 404) throw std::runtime_error("a listener's own fault");
                            });
                          }};
  at.ask("POST", "/echo/a?secret=1", with_key + "X-Request-ID: one\r\n", "x");
  at.ask("GET", "/none/" + std::string(1'000, 'a'), "X-Request-ID: two\r\n");
  at.ask("DELETE", "/health", "X-Request-ID: three\r\n");
  at.ask("GET", "/livez", "Host: b\r\n");

  REQUIRE(at.log.flush(patience));
  std::vector<nlohmann::json> lines;
  for (const auto& line : at.lines->lines()) {
    if (auto parsed = nlohmann::json::parse(line); parsed.at("message") == "request")
      lines.push_back(std::move(parsed));
  }
  REQUIRE(lines.size() == 4);  // there before the answers were
  CHECK(lines[0].at("request_id") == "one");
  CHECK(lines[0].at("method") == "POST");
  CHECK(lines[0].at("route") == "echo");
  CHECK(lines[0].at("path") == "/echo/a");
  CHECK(lines[0].at("status") == 200);
  CHECK(lines[0].at("client") == "127.0.0.1");
  CHECK(lines[0].at("duration_ms").get<double>() > 0);
  CHECK(lines[0].at("duration_ms").get<double>() < 3'000);
  CHECK(lines[1].at("request_id") == "two");
  CHECK(lines[1].at("route") == "other");
  CHECK(lines[1].at("path").get<std::string>().size() == 256);
  CHECK(lines[2].at("route") == "health");
  CHECK(lines[2].at("status") == 405);
  CHECK(lines[3].at("route") == "other");
  CHECK(lines[3].at("status") == 400);

  const std::scoped_lock lock{mutex};
  REQUIRE(counted.size() == 4);
  CHECK(std::get<0>(counted[0]) == "echo");
  CHECK(std::get<1>(counted[0]) == 200);
  CHECK(std::get<2>(counted[0]) > 0);
  CHECK(std::get<0>(counted[1]) == "other");
  CHECK(std::get<1>(counted[1]) == 404);
}

TEST_CASE("when all connections are busy, the next one is told so at once", "[staging][http]") {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> running{0};
  const running_server at{[](http_options& options) { options.connections = 2; },
                          [&](http_server& server) {
                            server.route("GET", "/wait", "wait", access::open,
                                         [&](const request&, response&) {
                                           ++running;
                                           released.wait();
                                         });
                          }};
  release_guard guard{release};
  const std::string wait = "GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  auto first = at.connect();
  auto second = at.connect();
  first.send(wait);
  second.send(wait);
  REQUIRE(eventually([&] { return running == 2; }));

  std::set<std::string> told;
  for (int i = 0; i < 10; ++i) {
    auto refused = at.connect();
    const auto got = refused.receive();
    REQUIRE(got);
    CHECK(got->status == 503);
    CHECK(got->error().at("code") == "overloaded");
    CHECK(got->header("Connection") == "close");
    CHECK(got->header("X-Frame-Options") == "DENY");
    CHECK(refused.is_closed());
    told.insert(got->header("Retry-After"));
  }
  guard.release();
  // Not all at once, and none later than a place that is only held is given up.
  CHECK(told == std::set<std::string>{"1", "2", "3", "4", "5"});
  for (auto* served : {&first, &second}) CHECK(served->receive()->status == 200);
}

TEST_CASE("an idle connection gives its place to a new one", "[staging][http]") {
  const running_server at{[](http_options& options) {
    options.connections = 2;
    options.head_timeout = 60s;
    options.keep_alive_timeout = 60s;
  }};
  const std::string live = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";
  auto longest = at.connect();
  SECTION("one that has been served") {
    longest.send(live);
    CHECK(longest.receive()->header("Connection") == "keep-alive");
  }
  SECTION("one that has never said anything") {}
  auto idle = at.connect();
  idle.send(live);
  REQUIRE(idle.receive()->status == 200);
  auto next = at.connect();
  next.send(live);
  const auto got = next.receive();
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(longest.is_closed());
  idle.send(live);
  CHECK(idle.receive()->status == 200);
}

TEST_CASE("connections that wait take no thread, whatever they wait for", "[staging][http]") {
  const running_server at{[](http_options& options) {
                            options.threads = options.readers = 1;
                            options.head_timeout = options.body_timeout = 60s;
                            options.keep_alive_timeout = options.write_timeout = 60s;
                          },
                          [](http_server& server) {
                            server.route(
                                "GET", "/large", "large", access::open,
                                [](const request&, response& out) { out.body.assign(16U << 20U, 'x'); });
                          }};
  std::vector<std::unique_ptr<raw_client>> waiting;
  for (const std::string& said :
       {std::string{}, std::string{"GET /livez HTTP/1.1\r\nHo"},
        std::string{"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"},
        "POST /echo/a HTTP/1.1\r\nHost: a\r\n" + with_key + "Content-Length: 5\r\n\r\nhe",
        "POST /echo/a HTTP/1.1\r\nHost: a\r\n" + with_key + "Transfer-Encoding: chunked\r\n\r\n5\r\nhe"}) {
    for (int i = 0; i < 5; ++i) {
      waiting.push_back(std::make_unique<raw_client>(at.port));
      waiting.back()->send(said);
    }
  }
  REQUIRE(eventually([&] { return at.lines->lines().size() == 5; }));  // the large answers have begun
  for (int i = 0; i < 10; ++i) {
    const auto got = at.ask("GET", "/livez");
    REQUIRE(got);
    CHECK(got->status == 200);
  }
}

TEST_CASE("a route that never waits answers while every worker waits", "[staging][http]") {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> running{0};
  const auto wait = [&](const request&, response&) {
    ++running;
    released.wait();
  };
  const auto prompt = [](const request&, response&) {};
  const running_server at{[](http_options& options) { options.threads = 2; },
                          [&](http_server& server) {
                            server.route("GET", "/wait", "wait", access::open, wait);
                            server.route("GET", "/prompt", "prompt", access::open, prompt, quota::health,
                                         run_by::reader);
                          }};
  release_guard guard{release};
  std::vector<std::unique_ptr<raw_client>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(std::make_unique<raw_client>(at.port));
  for (const auto& each : waiting) each->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(eventually([&] { return running == 2; }));

  for (int i = 0; i < 10; ++i) {
    const auto got = at.ask("GET", "/prompt");
    REQUIRE(got);
    CHECK(got->status == 200);
  }
  CHECK(at.ask("GET", "/nowhere")->status == 404);
  CHECK(at.server.connections().threads == 2);
  CHECK(at.server.connections().busy == 2);
  CHECK(running == 2);
  guard.release();
  for (const auto& each : waiting) CHECK(each->receive()->status == 200);
}

TEST_CASE("a client that does not take its answer loses it, and its thread goes on", "[staging][http]") {
  const running_server at{[](http_options& options) {
                            options.threads = options.readers = 1;
                            options.write_timeout = 100ms;
                          },
                          [](http_server& server) {
                            server.route(
                                "GET", "/large", "large", access::open,
                                [](const request&, response& out) { out.body.assign(16U << 20U, 'x'); });
                          }};
  auto stuck = at.connect();
  stuck.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(eventually([&] { return at.lines->lines().size() == 1; }));
  CHECK(at.ask("GET", "/livez")->status == 200);
}

TEST_CASE("while draining, answers are given and connections end with them", "[staging][http]") {
  running_server at;
  auto client = at.connect();
  client.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.receive()->header("Connection") == "keep-alive");
  CHECK_FALSE(at.server.draining());
  at.server.begin_drain();
  CHECK(at.server.draining());
  client.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto got = client.receive();
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(got->header("Connection") == "close");
  CHECK(client.is_closed());
  CHECK(at.ask("GET", "/livez")->status == 200);
}

TEST_CASE("stop lets running requests end, ends idle connections at once, and takes no new ones",
          "[staging][http]") {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> running{0};
  std::atomic<bool> answered{false};
  running_server at{[](http_options& options) { options.keep_alive_timeout = options.head_timeout = 60s; },
                    [&](http_server& server) {
                      server.route("GET", "/wait", "wait", access::open, [&](const request&, response& out) {
                        ++running;
                        released.wait();
                        out.json({{"done", true}});
                        answered = true;
                      });
                    }};
  release_guard guard{release};
  auto silent = at.connect();
  auto idle = at.connect();
  idle.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(idle.receive()->status == 200);
  auto busy = at.connect();
  busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(eventually([&] { return running == 1; }));

  std::atomic<bool> stopped_too_early{false};
  std::thread stopper{[&] {
    at.server.stop();
    stopped_too_early = !answered;
  }};
  CHECK(idle.is_closed());
  CHECK(silent.is_closed());
  CHECK(eventually([&] {
    try {
      return at.connect().is_closed();
    } catch (const std::runtime_error&) {
      return true;
    }
  }));
  guard.release();
  stopper.join();
  CHECK_FALSE(stopped_too_early);
  const auto got = busy.receive();
  REQUIRE(got);
  CHECK(nlohmann::json::parse(got->body).at("done") == true);
  at.server.stop();  // again: nothing to do
}

TEST_CASE("a server stopped before it starts does not start", "[staging][http]") {
  json_log log{std::make_shared<captured_lines>()};
  http_options options;
  options.api_key = "k";
  http_server server{options, log};
  CHECK_THROWS_AS(server.start(), std::logic_error);
  const auto port = server.bind("127.0.0.1", 0);
  server.stop();
  server.start();
  REQUIRE(eventually([&] {
    try {
      return raw_client{port}.is_closed();
    } catch (const std::runtime_error&) {
      return true;
    }
  }));
}

TEST_CASE("a port in use is an error that says so", "[staging][http]") {
  const running_server at;
  json_log log{std::make_shared<captured_lines>()};
  http_options options;
  options.api_key = "k";
  http_server second{options, log};
  const auto address = "127.0.0.1:" + std::to_string(at.port);
  CHECK_THROWS_WITH(second.bind("127.0.0.1", at.port),
                    "cannot listen on " + address + ": the port is in use");
  CHECK_THROWS_AS(second.bind("192.0.2.1", 0), std::runtime_error);
}

TEST_CASE("options and routes that can't work are refused by name", "[staging][http]") {
  json_log log{std::make_shared<captured_lines>()};
  const auto refuses = [&](const std::function<void(http_options&)>& spoil, const std::string& name) {
    http_options options;
    options.api_key = "k";
    spoil(options);
    CHECK_THROWS_WITH((http_server{options, log}), Catch::Matchers::StartsWith(name));
  };
  refuses([](http_options& options) { options.api_key.clear(); }, "api_key");
  refuses([](http_options& options) { options.threads = 0; }, "threads");
  refuses([](http_options& options) { options.readers = 0; }, "readers");
  refuses([](http_options& options) { options.connections = 0; }, "connections");
  refuses([](http_options& options) { options.payload_limit = 0; }, "payload_limit");
  refuses([](http_options& options) { options.head_limit = 0; }, "head_limit");
  refuses([](http_options& options) { options.keep_alive_requests = 0; }, "keep_alive_requests");
  refuses([](http_options& options) { options.head_timeout = 0ms; }, "head_timeout");
  refuses([](http_options& options) { options.trusted_proxies = {"everyone"}; }, "trusted_proxies");

  http_options options;
  options.api_key = "k";
  http_server server{options, log};
  CHECK_THROWS_AS(server.route("BREW", "/a", "a", access::open, [](const request&, response&) {}),
                  std::invalid_argument);
}
