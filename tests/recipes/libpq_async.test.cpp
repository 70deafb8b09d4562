// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "recipes/recipe.hpp"
#include "staging/support/real_server.hpp"

#include <string>
#include <vector>

using namespace recipe_tests;

namespace {

/// A real PostgreSQL, started once for all tests of this program.
staging_tests::real_server& postgres() {
  static const staging_tests::temporary_directory directory;
  static staging_tests::real_server server{"postgres", directory.path()};
  return server;
}

std::vector<std::string> command(const char* limit) {
  return {RECIPE, postgres().environment().at("DATABASE_URL"), limit};
}

}  // namespace

TEST_CASE("libpq: answers and errors of the caller are told apart", "[libpq]") {
  recipe client{command(ample), {}};
  const auto all =
      client.ask("SELECT 7;SELECT 1 WHERE false;SELECT 1/0;SELEC;SELECT x FROM missing;SET TIME ZONE 'UTC'");
  CAPTURE(all);
  CHECK(count_of(all, "SELECT 7: success (7), counted") == 1);
  CHECK(count_of(all, "SELECT 1 WHERE false: success (no rows), counted") == 1);
  CHECK(count_of(all, "SELECT 1/0: ignored (SQLSTATE 22012), released") == 1);
  CHECK(count_of(all, "SELEC: ignored (SQLSTATE 42601), released") == 1);
  CHECK(count_of(all, "SELECT x FROM missing: ignored (SQLSTATE 42P01), released") == 1);
  CHECK(count_of(all, "SET TIME ZONE 'UTC': success (SET), counted") == 1);
}

TEST_CASE("libpq: statements that take too long time out together, and the circuit opens", "[libpq]") {
  recipe client{command(brief), {}};
  const auto began = std::chrono::steady_clock::now();
  const auto all = client.ask("SELECT pg_sleep(9);SELECT pg_sleep(9);SELECT pg_sleep(9)");
  CHECK(std::chrono::steady_clock::now() - began <
        std::chrono::milliseconds{4000});  // not one after the other
  CAPTURE(all);
  CHECK(count_of(all, "SELECT pg_sleep(9): failure (timed out), counted") == 3);
  CHECK(client.ask("SELECT 1").front().starts_with("SELECT 1: refused, circuit open, retry in "));
}

TEST_CASE("libpq: an exception of the handler does not change what was reported", "[libpq]") {
  recipe client{command(ample), {}};
  CHECK(client.ask("SELECT 'poison'").front() ==
        "SELECT 'poison': the handler has failed, the call was counted");
  CHECK(client.ask("SELECT 1").front() == "SELECT 1: success (1), counted");
}

TEST_CASE("libpq: a session that the server ends is a failure", "[libpq]") {
  recipe client{command(ample), {}};
  // The last words of the session (SQLSTATE 57P01) may arrive together with the end of the connection.
  CHECK(count_of(client.ask("SELECT pg_terminate_backend(pg_backend_pid())"), ": failure (") == 1);
  CHECK(client.ask("SELECT 1").front() == "SELECT 1: success (1), counted");
}

TEST_CASE("libpq: a server that hangs is timed out, then refused, and returns", "[libpq]") {
  recipe client{command(brief), {}};
  CHECK(client.ask("SELECT 1").front() == "SELECT 1: success (1), counted");
  postgres().freeze();
  const auto all = client.ask("SELECT 2;SELECT 3;SELECT 4");
  const auto refused = client.ask("SELECT 5").front();
  postgres().thaw();
  CAPTURE(all);
  CHECK(count_of(all, ": failure (timed out), counted") == 3);
  CHECK(refused.starts_with("SELECT 5: refused, circuit open, retry in "));
  CHECK(returns(client, "SELECT 6"));
}

TEST_CASE("libpq: a server that is killed refuses, and returns", "[libpq]") {
  recipe client{command(ample), {}};
  CHECK(client.ask("SELECT 1").front() == "SELECT 1: success (1), counted");
  postgres().kill();
  const auto all = client.ask("SELECT 2;SELECT 3;SELECT 4");
  const auto refused = client.ask("SELECT 5").front();
  postgres().restart();
  CAPTURE(all);
  CHECK(count_of(all, ": failure (") == 3);
  CHECK(count_of(all, ": failure (cannot connect), counted") >=
        2);  // the idle session may end a moment later
  CHECK(refused.starts_with("SELECT 5: refused, circuit open, retry in "));
  CHECK(returns(client, "SELECT 6"));
}

TEST_CASE("libpq: what is in flight at the end is cancelled", "[libpq]") {
  recipe client{command(ample), {}};
  const auto all = client.stop_amid("SELECT pg_sleep(9);SELECT 1");
  CAPTURE(all);
  CHECK(count_of(all, ": cancelled (shutdown), released") == 2);
  CHECK(client.status() == 0);
}
