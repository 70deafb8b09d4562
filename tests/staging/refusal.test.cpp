// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/raw_socket.hpp"
#include "staging/support/staging_server.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

/// What a refusal to start must look like: status 2, and one line that names the variable, its value and what
/// is allowed.
void check_refused(const variables& environment, const std::string& variable, const std::string& value) {
  const auto refused = run({BROWNOUT_STAGING_SERVER}, environment, 10s);
  CAPTURE(refused.err);
  CHECK(refused.status == 2);
  CHECK(refused.out == "");
  CHECK(std::ranges::count(refused.err, '\n') == 1);
  CHECK(refused.err.find(variable) != std::string::npos);
  CHECK(refused.err.find(value) != std::string::npos);
  CHECK(refused.err.find("must ") != std::string::npos);
}

/// The same, and `--check-config` refuses it in the same words.
void check_refused_both_ways(const variables& environment, const std::string& variable,
                             const std::string& value) {
  check_refused(environment, variable, value);
  const auto checked = run({BROWNOUT_STAGING_SERVER, "--check-config"}, environment, 10s);
  CHECK(checked.status == 2);
  CHECK(checked.out == "");
  CHECK(checked.err == run({BROWNOUT_STAGING_SERVER}, environment, 10s).err);
}

}  // namespace

TEST_CASE("a configuration that is wrong is refused before anything starts", "[process]") {
  check_refused_both_ways({{"API_PORT", "http"}}, "API_PORT", "'http'");
  check_refused_both_ways({{"HEALTH_CHECK_INTERVAL", "-1"}}, "HEALTH_CHECK_INTERVAL", "'-1'");
  check_refused_both_ways({{"SERVICE_WEIGHTS", "openai:0.5,database:0.3,redis:0.1,s3:0.05"}},
                          "SERVICE_WEIGHTS", "redis:0.1");
  check_refused_both_ways({{"DEGRADED_THRESHOLD", "95"}}, "DEGRADED_THRESHOLD", "'95'");
  check_refused_both_ways({{"MINIMAL_THRESHOLD", "0"}}, "MINIMAL_THRESHOLD", "'0'");
  check_refused_both_ways({{"DATABASE_URL", "mysql://root:hush@host"}}, "DATABASE_URL", "***");
}

TEST_CASE("a name that is nearly one of the server's is refused, and the one meant is named", "[process]") {
  const auto& [given, meant] = GENERATE(table<std::string, std::string>({
      {"S3_ENDPOINT", "S3_ENDPOINT_URL"},
      {"DASHBOARD_APIKEY", "DASHBOARD_API_KEY"},
      {"DB_TIMEOUT_MS", "DB_TIMEOUT"},
  }));
  const auto refused = run({BROWNOUT_STAGING_SERVER}, {{given, "hush"}, {"API_PORT", "0"}}, 10s);
  CHECK(refused.status == 2);
  CHECK(refused.out == "");
  CHECK(refused.err == given + ": this server has no such variable, and takes it for " + meant +
                           "; it must be renamed, or " + meant + " be set too\n");
}

TEST_CASE("a server that must be real refuses to simulate", "[process]") {
  check_refused_both_ways({{"REQUIRE_REAL", "true"}}, "REQUIRE_REAL", "openai, database, redis, s3");
}

TEST_CASE("an option of libpq that no server can satisfy is refused, and named", "[process]") {
  check_refused_both_ways({{"DATABASE_URL", "postgresql://h/d?sslmode=bogus"}}, "DATABASE_URL", "sslmode");
  check_refused_both_ways({{"DATABASE_URL", "postgresql://h:0/d"}}, "DATABASE_URL", "port");
  check_refused_both_ways({{"DATABASE_URL", "postgresql://h/d"}, {"PGSSLMODE", "bogus"}}, "PGSSLMODE",
                          "'bogus'");
}

TEST_CASE("a secret can be in a file, and shows up nowhere", "[process]") {
  const temporary_directory directory;
  const auto file = (directory.path() / "key").string();
  const std::string secret = "hush-hush-hush-hush";
  std::ofstream{file} << secret << '\n';
  const variables environment{{"API_PORT", "0"}, {"DASHBOARD_API_KEY_FILE", file}};

  SECTION("it is the value") {
    process server{{BROWNOUT_STAGING_SERVER}, environment};
    CHECK(eventually(10s, [&] { return server.out().find("listening") != std::string::npos; }));
    for (const auto& text : {server.out(), server.err()}) CHECK(text.find("hush") == std::string::npos);
    CHECK(server.err() == "");  // no key had to be made
  }
  SECTION("beside the value itself it is refused") {
    auto both = environment;
    both["DASHBOARD_API_KEY"] = secret;
    check_refused_both_ways(both, "DASHBOARD_API_KEY_FILE", "must not be set beside DASHBOARD_API_KEY");
  }
  SECTION("a file that is not there is refused") {
    check_refused_both_ways({{"DASHBOARD_API_KEY_FILE", file + ".gone"}}, "DASHBOARD_API_KEY_FILE",
                            "No such file or directory");
  }
}

TEST_CASE("a time-out that was probably meant in milliseconds is warned of", "[process]") {
  const staging_server server{{{"DB_TIMEOUT", "3000"}}};
  const auto lines = server.log();
  CHECK(std::ranges::any_of(lines, [](const auto& line) {
    return line["level"] == "warning" && line.value("warning", "").starts_with("DB_TIMEOUT='3000': ");
  }));
  const auto checked = run({BROWNOUT_STAGING_SERVER, "--check-config"}, {{"DB_TIMEOUT", "3000"}}, 10s);
  CHECK(checked.status == 0);
  CHECK(checked.err.find("milliseconds") != std::string::npos);
}

TEST_CASE("a server that may open few files accepts fewer connections, and answers one more", "[process]") {
  constexpr int allowed = 200;
  process server{
      {"sh", "-c", R"(ulimit -n "$1" && exec "$0")", BROWNOUT_STAGING_SERVER, std::to_string(allowed)},
      {{"API_PORT", "0"}, {"SHUTDOWN_DRAIN", "0"}}};
  const std::string address = R"("address":"http://127.0.0.1:)";
  REQUIRE(eventually(10s, [&] { return server.out().find(address) != std::string::npos; }));
  const auto log = server.out();
  CHECK(log.find("API_CONNECTIONS='2048': the system allows 200 open files") != std::string::npos);

  const int port = std::stoi(log.substr(log.find(address) + address.size()));
  std::vector<raw_socket> idle;
  for (int i = 0; i < 2 * allowed; ++i) idle.emplace_back(port);
  const raw_socket client{port};
  REQUIRE(client.send("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  CHECK(client.receive_all(2s).starts_with("HTTP/1.1 200 "));
  CHECK(server.out().find("accepting connections failed") == std::string::npos);
}

TEST_CASE("a port in use is refused by the variable's name", "[process]") {
  const staging_server first{{}};
  const auto port = std::to_string(first.port());
  check_refused({{"API_PORT", port}}, "API_PORT", "'" + port + "'");
}

TEST_CASE("a start that gets too few threads is refused in one line, never a crash", "[process]") {
  // Each thread's stack takes 256 MiB of the address space, which has room for so many of them; all else
  // takes less than half of one. But for a sanitizer, which takes more than there is: then nothing can be
  // said.
  const auto with_room_for = [](int threads, std::vector<std::string> command) {
    command.insert(command.begin(), {"sh", "-c", R"(ulimit -s 262144 && ulimit -v "$0" && exec "$@")",
                                     std::to_string((2 * threads + 1) * 131'072)});
    return command;
  };
  const variables environment{{"API_PORT", "0"}, {"MALLOC_ARENA_MAX", "1"}, {"SHUTDOWN_DRAIN", "0"}};
  if (run(with_room_for(0, {BROWNOUT_STAGING_SERVER, "--help"}), environment, 10s).status != 0) return;

  int started = 0;
  for (const int threads : {0, 1, 20, 32, 33, 34, 35, 36, 37, 38, 39, 40, 60}) {
    CAPTURE(threads);
    process server{with_room_for(threads, {BROWNOUT_STAGING_SERVER}), environment};
    CHECK(eventually(
        10s, [&] { return !server.running() || server.out().find("listening") != std::string::npos; }));
    if (server.running()) {
      ++started;
      server.signal(SIGTERM);
      CHECK(server.wait(2s) == 0);
    } else {
      CAPTURE(server.err());
      CHECK(server.wait(0s) == 2);
      CHECK(server.out() == "");
      CHECK(std::ranges::count(server.err(), '\n') == 1);
      CHECK(server.err().find("Resource temporarily unavailable") != std::string::npos);
    }
  }
  CHECK(started >= 1);
  CHECK(started <= 4);
}

TEST_CASE("an unknown argument is refused, --help lists the variables, --check-config checks them",
          "[process]") {
  CHECK(run({BROWNOUT_STAGING_SERVER, "--sing"}, {}, 10s).status == 2);
  const auto help = run({BROWNOUT_STAGING_SERVER, "--help"}, {}, 10s);
  CHECK(help.status == 0);
  CHECK(help.out.find("HEALTH_CHECK_INTERVAL") != std::string::npos);
  CHECK(run({BROWNOUT_STAGING_SERVER, "--check-config"}, {}, 10s).status == 0);
}

TEST_CASE("on its embedded default the server makes a key, prints it once and simulates everything",
          "[process]") {
  const process server{{BROWNOUT_STAGING_SERVER}, {{"API_PORT", "0"}}};
  const bool printed = eventually(10s, [&] {
    return server.err().find("DASHBOARD_API_KEY") != std::string::npos &&
           server.out().find("listening") != std::string::npos;
  });
  CHECK(printed);
  CHECK(server.out().find(R"("simulated":["openai","database","redis","s3"])") != std::string::npos);
}
