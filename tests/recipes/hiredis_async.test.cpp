// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "recipes/recipe.hpp"
#include "staging/support/real_server.hpp"

#include <string>

using namespace recipe_tests;

namespace {

/// A real Redis, started once for all tests of this program.
staging_tests::real_server& redis() {
  static const staging_tests::temporary_directory directory;
  static staging_tests::real_server server{"redis", directory.path()};
  return server;
}

staging_tests::variables password() {
  return {{"REDIS_PASSWORD", redis().environment().at("REDIS_PASSWORD")}};
}

std::vector<std::string> command(const char* limit) {
  const auto& wired = redis().environment();
  return {RECIPE, wired.at("REDIS_HOST"), wired.at("REDIS_PORT"), limit};
}

}  // namespace

TEST_CASE("hiredis: answers and errors of the caller are told apart", "[hiredis]") {
  recipe client{command(ample), password()};
  const auto all = client.ask("SET a 1;GET a;GET none;LPUSH a 2;NONSENSE;INCR a");
  CAPTURE(all);
  CHECK(all == lines{"SET a 1: success (OK), counted", "GET a: success (1), counted",
                     "GET none: success (nil), counted", "LPUSH a 2: ignored (WRONGTYPE), released",
                     "NONSENSE: ignored (ERR), released", "INCR a: success (2), counted"});
}

TEST_CASE("hiredis: a server that wants a password is a failure", "[hiredis]") {
  recipe client{command(ample), {}};
  CHECK(client.ask("GET a").front() == "GET a: failure (NOAUTH), counted");
}

TEST_CASE("hiredis: an exception of the handler does not change what was reported", "[hiredis]") {
  recipe client{command(ample), password()};
  CHECK(client.ask("ECHO poison").front() == "ECHO poison: the handler has failed, the call was counted");
  CHECK(client.ask("ECHO a").front() == "ECHO a: success (a), counted");
}

TEST_CASE("hiredis: a server that hangs is timed out, then refused, and returns", "[hiredis]") {
  recipe client{command(brief), password()};
  CHECK(client.ask("ECHO a").front() == "ECHO a: success (a), counted");
  redis().freeze();
  const auto all = client.ask("ECHO a;ECHO b;ECHO c");
  const auto refused = client.ask("ECHO d").front();
  redis().thaw();
  CAPTURE(all);
  CHECK(count_of(all, ": failure (timed out), counted") == 3);
  CHECK(refused.starts_with("ECHO d: refused, circuit open, retry in "));
  CHECK(returns(client, "ECHO e"));
}

TEST_CASE("hiredis: a server that is killed loses calls, then refuses, and returns", "[hiredis]") {
  recipe client{command(ample), password()};
  CHECK(client.ask("ECHO a").front() == "ECHO a: success (a), counted");
  redis().kill();
  const auto lost = client.ask("ECHO a").front();
  const auto unreachable = client.ask("ECHO b;ECHO c");
  const auto refused = client.ask("ECHO d").front();
  redis().restart();
  CAPTURE(lost, unreachable, refused);
  CHECK(lost.starts_with("ECHO a: failure ("));
  CHECK(count_of(unreachable, ": failure (Connection refused), counted") == 2);
  CHECK(refused.starts_with("ECHO d: refused, circuit open, retry in "));
  CHECK(returns(client, "ECHO e"));
}

TEST_CASE("hiredis: what is in flight at the end is cancelled", "[hiredis]") {
  recipe client{command(ample), password()};
  const auto all = client.stop_amid("ECHO a;ECHO b");
  CAPTURE(all);
  CHECK(count_of(all, ": cancelled (shutdown), released") == 2);
  CHECK(client.status() == 0);
}
