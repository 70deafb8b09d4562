// SPDX-License-Identifier: BSL-1.0
#include "clients/postgres_client.hpp"

#include "clients/client_error.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <system_error>

namespace staging {

namespace {

[[nodiscard]] bool is_sqlstate(std::string_view text) {
  return text.size() == 5 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

/// The SQLSTATE that ends libpq's message of a refused session, or nothing: libpq hands it out in no other
/// way.
[[nodiscard]] std::string_view sqlstate_of(std::string_view message) {
  while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
  const auto state = message.substr(message.find_last_of(' ') + 1);
  return is_sqlstate(state) ? state : std::string_view{};
}

/// Says why no session came about, in words of our own: libpq's message names host and user.
[[nodiscard]] client_error no_session(const PGconn& server) {
  const std::string_view message = PQerrorMessage(&server);
  const auto mentions = [message](std::errc code) {
    return message.find(std::make_error_code(code).message()) != std::string_view::npos;
  };
  if (const auto state = sqlstate_of(message); !state.empty()) {
    const std::string code = " (SQLSTATE " + std::string{state} + ')';
    if (state == "28P01" || state == "28000") return client_error("authentication refused" + code);
    if (state == "3D000") return client_error("database does not exist" + code);
    if (state == "53300") return client_error("too many connections" + code);
    if (state == "57P03") return client_error("server is starting up or shutting down" + code);
    return client_error("session refused" + code);
  }
  if (PQconnectionNeedsPassword(&server) != 0) return client_error("password needed");
  if (mentions(std::errc::connection_refused)) return client_error("connection refused");
  if (message.starts_with("invalid ")) return client_error("connection option invalid");
  return client_error("cannot connect");
}

/// Whether a server begins to copy, which no statement here asks for. libpq would hand out such a result
/// again and again.
[[nodiscard]] bool is_copy(const PGresult& result) {
  const auto status = PQresultStatus(&result);
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/// A statement the server answered with an error: it is alive, so what matters is whose fault it was.
[[nodiscard]] client_error refused_statement(const PGresult& result) {
  const char* const field = PQresultErrorField(&result, PG_DIAG_SQLSTATE);
  const std::string_view state = field != nullptr && is_sqlstate(field) ? field : "unknown";
  if (state == "57014") return timed_out();  // query_canceled: the statement_timeout set below
  // Class 42: syntax error or access rule violation; a missing table, say.
  const bool ours = state.substr(0, 2) == "42";
  return client_error("query refused (SQLSTATE " + std::string{state} + ')',
                      ours ? brownout::outcome::ignored : brownout::outcome::failure);
}

[[nodiscard]] std::int64_t integer(const PGresult& result, int row, int column) {
  const std::string_view text = PQgetvalue(&result, row, column);
  std::int64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  // What is left of a fraction would be a wrong figure.
  if (failure != std::errc{} || stop != end) throw client_error("unexpected answer");
  return value;
}

}  // namespace

void postgres_client::closer::operator()(pg_conn* connection) const noexcept {
  PQfinish(connection);
}
void postgres_client::closer::operator()(pg_result* result) const noexcept {
  PQclear(result);
}

postgres_client::connection postgres_client::connect(socket_wait& wait) const {
  // The URL may override the fallback, nothing overrides the encoding: every text must be fit for JSON.
  constexpr std::array<const char*, 4> names{"dbname", "fallback_application_name", "client_encoding",
                                             nullptr};
  const std::array<const char*, 4> values{settings_.url.c_str(), "brownout-staging", "UTF8", nullptr};
  connection server{PQconnectStartParams(names.data(), values.data(), 1)};
  if (!server) throw client_error("out of memory");

  PQsetErrorVerbosity(server.get(), PQERRORS_SQLSTATE);
  // The default writes notices to standard error.
  PQsetNoticeReceiver(
      server.get(), [](void*, const PGresult*) {}, nullptr);

  auto step = PQstatus(server.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    if (step == PGRES_POLLING_FAILED) throw no_session(*server);
    // Asked anew each time: libpq changes sockets when it tries the next address.
    wait.until(PQsocket(server.get()), step == PGRES_POLLING_READING ? POLLIN : POLLOUT);
    step = PQconnectPoll(server.get());
  }
  if (PQsetnonblocking(server.get(), 1) != 0) throw connection_lost();
  return server;
}

postgres_client::result postgres_client::exchange(pg_conn& server, const std::string& sql,
                                                  socket_wait& wait) {
  if (PQsendQuery(&server, sql.c_str()) == 0) throw connection_lost();
  for (;;) {
    const int unsent = PQflush(&server);
    if (unsent < 0) throw connection_lost();
    if (unsent == 0) break;
    // Reading too: a server that waits for us to read would never take the rest.
    if ((wait.until(PQsocket(&server), POLLIN | POLLOUT) & POLLIN) != 0 && PQconsumeInput(&server) == 0)
      throw connection_lost();
  }

  result last;
  for (;;) {
    while (PQisBusy(&server) != 0) {
      wait.until(PQsocket(&server), POLLIN);
      if (PQconsumeInput(&server) == 0) throw connection_lost();
    }
    result next{PQgetResult(&server)};
    if (!next) break;
    if (is_copy(*next)) throw client_error("unexpected answer");
    last = std::move(next);
  }
  // A session the server ended (a shutdown, an administrator) reports that as the statement's error first.
  if (!last || PQstatus(&server) != CONNECTION_OK) throw connection_lost();
  return last;
}

postgres_client::result postgres_client::query(const std::string& sql, int columns,
                                               const call_context& context) {
  socket_wait wait{context};
  // Given up here must mean given up there: a statement left behind a lock would hold its session for ever,
  // and those left by a few hundred time-outs are all the sessions a server has.
  const auto left = remaining(context);
  if (!left) throw timed_out();
  const std::string bounded = "SET statement_timeout = " + std::to_string(left->count()) + "; " + sql;

  auto answer = connection_.use([&] { return connect(wait); },
                                [&](pg_conn& server) { return exchange(server, bounded, wait); });
  if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) throw refused_statement(*answer);
  // libpq gives a null pointer for a column that is not there.
  if (PQnfields(answer.get()) != columns) throw client_error("unexpected answer");
  return answer;
}

brownout::probe_result postgres_client::ping(const call_context& context) {
  return probe_by([&] {
    const auto answer = query("SELECT 1", 1, context);
    if (PQntuples(answer.get()) != 1 || std::string_view{PQgetvalue(answer.get(), 0, 0)} != "1")
      throw client_error("unexpected answer");
  });
}

std::vector<inventory_row> postgres_client::inventory(const call_context& context) {
  const auto answer = query(
      "SELECT sku, coalesce(name, ''), coalesce(quantity, 0), coalesce(price_cents, 0) "
      "FROM inventory ORDER BY sku LIMIT 1000",
      4, context);
  std::vector<inventory_row> rows;
  const int count = PQntuples(answer.get());
  rows.reserve(static_cast<std::size_t>(count));
  for (int row = 0; row < count; ++row)
    rows.push_back({PQgetvalue(answer.get(), row, 0), PQgetvalue(answer.get(), row, 1),
                    integer(*answer, row, 2), integer(*answer, row, 3)});
  return rows;
}

}  // namespace staging
