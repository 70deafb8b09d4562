// SPDX-License-Identifier: BSL-1.0
//
// A circuit breaker for the asynchronous API of libpq.
//
// One thread runs many queries at once, each on a connection of its own, and waits for all of them with
// `poll`. The permit waits beside the connection. Try it:
//
//     echo 'SELECT 1;SELECT 1/0;SELECT pg_sleep(9)' | libpq_async 'host=/run/postgresql dbname=postgres'
#include "console.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <brownout/breaker.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <iterator>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brownout::outcome;
using database_breaker = brownout::circuit_breaker<brownout::consecutive_failures>;

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* owned) const noexcept {
    Free(owned);
  }
};
using connection = std::unique_ptr<PGconn, freed_by<&PQfinish>>;
using answer = std::unique_ptr<PGresult, freed_by<&PQclear>>;

// What is kept of a query until it ends.
struct query {
  std::string sql;
  database_breaker::permit permit;
  connection server;
  std::chrono::steady_clock::time_point deadline;
  short waits_for = POLLOUT;
  bool is_sent = false;
  answer last{};
};

// How a query ended, for the breaker.
struct verdict {
  outcome result;
  std::string why;
};

// libpq's messages name the host and quote the query. The five characters of the SQLSTATE do not.
verdict judge(const PGresult& last) {
  const auto status = PQresultStatus(&last);
  if (status == PGRES_COMMAND_OK) return {outcome::success, PQcmdStatus(const_cast<PGresult*>(&last))};
  if (status == PGRES_TUPLES_OK)
    return {outcome::success, PQntuples(&last) == 0 ? "no rows" : PQgetvalue(&last, 0, 0)};
  const char* const field = PQresultErrorField(&last, PG_DIAG_SQLSTATE);
  if (field == nullptr) return {outcome::failure, "connection lost"};
  const std::string state{field};
  if (state == "57014") return {outcome::failure, "timed out"};  // the server's `statement_timeout`
  // The classes that say what is wrong with the server: connection, resources, operator, system, internal.
  for (const auto* about_server : {"08", "53", "57", "58", "XX"})
    if (state.starts_with(about_server)) return {outcome::failure, "SQLSTATE " + state};
  if (state == "25006") return {outcome::failure, "SQLSTATE " + state};  // a replica, which only reads
  return {outcome::ignored, "SQLSTATE " + state};  // the server is well and says that the query is not
}

class database_client {
 public:
  database_client(std::string options, std::chrono::milliseconds limit, database_breaker& database)
      : options_{std::move(options)}, limit_{limit}, database_{database} {}
  // What is in flight now was not ended by the server.
  ~database_client() {
    while (!in_flight_.empty()) end(in_flight_.begin(), {outcome::cancelled, "shutdown"});
  }
  database_client(const database_client&) = delete;
  database_client& operator=(const database_client&) = delete;

  void send(const std::string& sql) {
    auto admitted = database_.try_acquire();
    if (!admitted) return console::show_refusal(sql, admitted.rejection());
    in_flight_.push_back(
        {sql, *std::move(admitted), idle_connection(), std::chrono::steady_clock::now() + limit_});
    advance(std::prev(in_flight_.end()));
  }

  void wait_for_all() {
    while (!in_flight_.empty()) {
      std::vector<pollfd> sockets;
      auto first = in_flight_.front().deadline;  // the first to start is the first to time out
      for (const auto& one : in_flight_) sockets.push_back({PQsocket(one.server.get()), one.waits_for, 0});
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(first - std::chrono::steady_clock::now());
      poll(sockets.data(), sockets.size(), std::max(0, static_cast<int>(left.count())));
      auto next = in_flight_.begin();
      for (const auto& socket : sockets) {
        const auto one = next++;  // `advance` and `end` may remove it
        if (socket.revents != 0) {
          advance(one);
        } else if (one->deadline <= std::chrono::steady_clock::now()) {
          end(one, {outcome::failure, "timed out"});
        }
      }
    }
  }

 private:
  using place = std::list<query>::iterator;

  // One that has lost its server while it was idle is no failure of the query that would have used it.
  connection idle_connection() {
    while (!idle_.empty()) {
      auto last = std::move(idle_.back());
      idle_.pop_back();
      if (PQconsumeInput(last.get()) == 1 && PQstatus(last.get()) == CONNECTION_OK) return last;
    }
    // The server ends a statement by itself that we have given up. `PQcancel` would block this thread.
    const auto bounded = "-c statement_timeout=" + std::to_string(limit_.count());
    constexpr std::array<const char*, 3> names{"dbname", "options", nullptr};
    const std::array<const char*, 3> values{options_.c_str(), bounded.c_str(), nullptr};
    return connection{PQconnectStartParams(names.data(), values.data(), 1)};
  }

  // Does what can be done for a query without waiting.
  void advance(place one) {
    auto* const server = one->server.get();
    if (PQstatus(server) == CONNECTION_BAD) return end(one, {outcome::failure, "cannot connect"});
    if (PQstatus(server) != CONNECTION_OK) {
      const auto step = PQconnectPoll(server);
      if (step == PGRES_POLLING_FAILED) return end(one, {outcome::failure, "cannot connect"});
      one->waits_for = step == PGRES_POLLING_READING ? POLLIN : POLLOUT;
      if (step != PGRES_POLLING_OK) return;
    }
    if (!one->is_sent && (PQsetnonblocking(server, 1) != 0 || PQsendQuery(server, one->sql.c_str()) == 0))
      return end(one, {outcome::failure, "connection lost"});
    one->is_sent = true;
    // Reading while writing too: a server that waits for us to read would never take the rest.
    const int unsent = PQflush(server);
    if (unsent < 0 || PQconsumeInput(server) == 0) return end(one, {outcome::failure, "connection lost"});
    one->waits_for = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    while (PQisBusy(server) == 0) {
      answer next{PQgetResult(server)};
      if (!next) return end(one, one->last ? judge(*one->last) : verdict{outcome::failure, "no answer"});
      one->last = std::move(next);
      if (PQstatus(server) != CONNECTION_OK) return end(one, judge(*one->last));
    }
  }

  // The one place where a permit is settled, and before the handler.
  void end(place one, const verdict& seen) {
    const auto became = one->permit.complete(seen.result, {}, seen.why);
    if (PQtransactionStatus(one->server.get()) == PQTRANS_IDLE) idle_.push_back(std::move(one->server));
    const auto sql = std::move(one->sql);
    in_flight_.erase(one);
    console::handle(sql, seen.result, seen.why, became);
  }

  std::string options_;
  std::chrono::milliseconds limit_;
  database_breaker& database_;
  std::vector<connection> idle_{};
  std::list<query> in_flight_{};
};

int main(int count, char** arguments) {
  if (count < 2) {
    std::cerr << "usage: libpq_async CONNECTION_STRING [MILLISECONDS]\n";
    return 2;
  }
  database_breaker database{{3},
                            {.name = "database", .open_for = 2s}};  // outlives the client and its permits
  database_client client{arguments[1], console::time_limit(count, arguments, 2), database};
  console::run([&](const std::string& sql) { client.send(sql); }, [&] { client.wait_for_all(); });
}
