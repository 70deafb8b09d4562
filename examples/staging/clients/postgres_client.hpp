// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/call_context.hpp"
#include "clients/kept_connection.hpp"
#include "clients/socket_wait.hpp"
#include "config/settings.hpp"

#include "brownout/system/probe.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct pg_conn;    // libpq's PGconn
struct pg_result;  // libpq's PGresult

namespace staging {

/// One row of the demo table `inventory`.
struct inventory_row {
  std::string sku;
  std::string name;
  std::int64_t quantity = 0;
  std::int64_t price_cents = 0;
};

/// Talks to PostgreSQL over one connection, made when it is needed and again when it was lost.
///
/// Every operation ends by its deadline or at once on a stop request, with one exception: libpq resolves host
/// names with the system's blocking resolver. A numeric address in the URL avoids it. Not thread-safe.
class postgres_client {
 public:
  explicit postgres_client(database_settings settings) : settings_(std::move(settings)) {}

  /// Success: a connection is open and `SELECT 1` answers.
  [[nodiscard]] brownout::probe_result ping(const call_context& context);

  /// The first 1000 rows of the demo table by sku. Throws client_error.
  [[nodiscard]] std::vector<inventory_row> inventory(const call_context& context);

  /// Whether the last operation cost the connection.
  [[nodiscard]] bool broken() const noexcept { return connection_.broken(); }

 private:
  struct closer {
    void operator()(pg_conn* connection) const noexcept;
    void operator()(pg_result* result) const noexcept;
  };
  using connection = std::unique_ptr<pg_conn, closer>;
  using result = std::unique_ptr<pg_result, closer>;

  [[nodiscard]] connection connect(socket_wait& wait) const;
  [[nodiscard]] static result exchange(pg_conn& server, const std::string& sql, socket_wait& wait);
  /// `columns`: how many the answer must have.
  [[nodiscard]] result query(const std::string& sql, int columns, const call_context& context);

  database_settings settings_;
  kept_connection<connection> connection_;
};

}  // namespace staging
