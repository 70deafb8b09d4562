// SPDX-License-Identifier: BSL-1.0
#include "clients/kept_connection.hpp"
#include "catch2.hpp"

#include <memory>
#include <new>

using staging::client_error;
using staging::connection_lost;

namespace {

/// Connections are numbers in the order they were opened.
struct numbered_connections {
  [[nodiscard]] auto open() {
    return [this] { return std::make_unique<int>(++opened); };
  }
  [[nodiscard]] int use() {
    return kept.use(open(), [](int& connection) { return connection; });
  }
  template <class Error>
  void fail(const Error& error) {
    kept.use(open(), [&](int&) -> int { throw error; });
  }

  int opened = 0;
  staging::kept_connection<std::unique_ptr<int>> kept;
};

}  // namespace

TEST_CASE("a connection is kept from one clean operation to the next", "[staging][clients]") {
  numbered_connections n;
  CHECK_FALSE(n.kept.broken());
  CHECK(n.use() == 1);
  CHECK(n.use() == 1);
  CHECK(n.opened == 1);
  CHECK_FALSE(n.kept.broken());
}

TEST_CASE("an operation that does not end cleanly costs the connection", "[staging][clients]") {
  numbered_connections n;
  REQUIRE(n.use() == 1);
  CHECK_THROWS_AS(n.fail(staging::timed_out()), client_error);
  CHECK(n.kept.broken());
  CHECK(n.use() == 2);
  CHECK_FALSE(n.kept.broken());
  CHECK_THROWS_AS(n.fail(std::bad_alloc{}), std::bad_alloc);
  CHECK(n.kept.broken());
  CHECK(n.use() == 3);
}

TEST_CASE("a kept connection that was lost while idle is replaced within the operation",
          "[staging][clients]") {
  numbered_connections n;
  REQUIRE(n.use() == 1);
  const int used = n.kept.use(n.open(), [](int& connection) {
    if (connection == 1) throw connection_lost{};
    return connection;
  });
  CHECK(used == 2);
  CHECK_FALSE(n.kept.broken());
}

TEST_CASE("a new connection that is lost is not tried again", "[staging][clients]") {
  numbered_connections n;
  CHECK_THROWS_AS(n.fail(connection_lost{}), connection_lost);
  CHECK(n.opened == 1);
  REQUIRE(n.use() == 2);
  CHECK_THROWS_AS(n.fail(connection_lost{}), connection_lost);
  CHECK(n.opened == 3);
  CHECK(n.kept.broken());
}

TEST_CASE("a connection that cannot be opened leaves the client broken", "[staging][clients]") {
  numbered_connections n;
  const auto refuse = []() -> std::unique_ptr<int> { throw client_error{"connection refused"}; };
  CHECK_THROWS_AS(n.kept.use(refuse, [](int&) { return 0; }), client_error);
  CHECK(n.kept.broken());
  CHECK(n.use() == 1);
}
