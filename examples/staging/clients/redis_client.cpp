// SPDX-License-Identifier: BSL-1.0
#include "clients/redis_client.hpp"

#include "clients/client_error.hpp"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace staging {

namespace {

/// hiredis by itself would buffer whatever length a server announces.
constexpr std::size_t largest_reply = std::size_t{16} << 20U;

[[nodiscard]] std::string_view text_of(const redisReply& reply) {
  return reply.str == nullptr ? std::string_view{} : std::string_view{reply.str, reply.len};
}

/// Says why a command was refused, in words of our own: the server's may quote what it was sent.
[[nodiscard]] client_error refused(const redisReply& reply) {
  const auto text = text_of(reply);
  const auto code = text.substr(0, text.find(' '));
  if (code == "NOAUTH") return client_error("password needed (NOAUTH)");
  if (code == "WRONGPASS") return client_error("password refused (WRONGPASS)");
  if (code == "LOADING") return client_error("server is loading its data (LOADING)");
  if (code == "OOM") return client_error("server is out of memory (OOM)");
  if (code == "READONLY") return client_error("server is a read-only replica (READONLY)");
  if (code == "MISCONF") return client_error("server cannot save its data (MISCONF)");
  // Keyed on what was asked, so it says nothing about the server's health.
  if (code == "WRONGTYPE")
    return client_error("value of another type (WRONGTYPE)", brownout::outcome::ignored);
  return client_error("command refused");
}

[[nodiscard]] client_error no_connection(const redisContext& server) {
  if (server.err == REDIS_ERR_OTHER) return client_error("host name not resolved");
  if (server.errstr == std::make_error_code(std::errc::connection_refused).message())
    return client_error("connection refused");
  return client_error("cannot connect");
}

/// Makes the connection's parser refuse lists: no command of this client is answered by one. For a list of a
/// billion elements, which is announced in a dozen bytes, hiredis would take and free memory for seconds.
void refuse_lists(redisContext& server) {
  static auto functions = [&] {
    auto all = *server.reader->fn;
    all.createArray = [](const auto*, auto) -> void* { return nullptr; };
    return all;
  }();
  server.reader->fn = &functions;
}

// Not redisBufferWrite and redisBufferRead: writing to a closed connection would raise SIGPIPE there.
void send_all(int socket, std::string_view bytes, socket_wait& wait) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      wait.until(socket, POLLOUT);
    } else if (errno != EINTR) {
      throw connection_lost();
    }
  }
}

/// Waits for bytes, hands them to the connection's parser and returns how many there were.
[[nodiscard]] std::size_t feed(redisContext& server, socket_wait& wait) {
  std::array<char, 16384> bytes;
  for (;;) {
    wait.until(server.fd, POLLIN);
    const auto received = ::recv(server.fd, bytes.data(), bytes.size(), 0);
    if (received > 0) {
      const auto size = static_cast<std::size_t>(received);
      if (redisReaderFeed(server.reader, bytes.data(), size) != REDIS_OK)
        throw client_error("unexpected answer");
      return size;
    }
    if (received == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) throw connection_lost();
  }
}

}  // namespace

void redis_client::closer::operator()(redisContext* connection) const noexcept {
  redisFree(connection);
}
void redis_client::closer::operator()(redisReply* reply) const noexcept {
  freeReplyObject(reply);
}

redis_client::connection redis_client::connect(socket_wait& wait) const {
  connection server{redisConnectNonBlock(settings_.host.c_str(), settings_.port)};
  if (!server) throw client_error("out of memory");
  if (server->err != 0) throw no_connection(*server);
  refuse_lists(*server);

  wait.until(server->fd, POLLOUT);
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(server->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    throw client_error("cannot connect");
  if (error != 0) throw client_error(error == ECONNREFUSED ? "connection refused" : "cannot connect");

  const auto insist = [&](words command) {
    if (const auto answer = exchange(*server, command, wait); answer->type == REDIS_REPLY_ERROR)
      throw refused(*answer);
  };
  if (!settings_.password.empty()) insist({"AUTH", settings_.password});
  if (settings_.db != 0) insist({"SELECT", std::to_string(settings_.db)});
  return server;
}

redis_client::reply redis_client::exchange(redisContext& server, words command, socket_wait& wait) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  for (const auto word : command) {
    starts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* formatted = nullptr;
  const auto length =
      redisFormatCommandArgv(&formatted, static_cast<int>(command.size()), starts.data(), sizes.data());
  if (length < 0) throw client_error("out of memory");
  const std::unique_ptr<char, decltype(&redisFreeCommand)> bytes{formatted, &redisFreeCommand};

  send_all(server.fd, {bytes.get(), static_cast<std::size_t>(length)}, wait);
  void* parsed = nullptr;
  for (std::size_t received = 0; parsed == nullptr;) {
    received += feed(server, wait);
    if (received > largest_reply) throw client_error("answer too large");
    if (redisReaderGetReply(server.reader, &parsed) != REDIS_OK) throw client_error("unexpected answer");
  }
  return reply{static_cast<redisReply*>(parsed)};
}

redis_client::reply redis_client::run(words command, const call_context& context) {
  socket_wait wait{context};
  auto answer = connection_.use([&] { return connect(wait); },
                                [&](redisContext& server) { return exchange(server, command, wait); });
  if (answer->type == REDIS_REPLY_ERROR) throw refused(*answer);
  return answer;
}

brownout::probe_result redis_client::ping(const call_context& context) {
  return probe_by([&] {
    const auto answer = run({"PING"}, context);
    if (answer->type != REDIS_REPLY_STATUS || text_of(*answer) != "PONG")
      throw client_error("unexpected answer");
  });
}

std::optional<std::string> redis_client::get(std::string_view key, const call_context& context) {
  const auto answer = run({"GET", key}, context);
  if (answer->type == REDIS_REPLY_NIL) return std::nullopt;
  if (answer->type != REDIS_REPLY_STRING) throw client_error("unexpected answer");
  return std::string{text_of(*answer)};
}

void redis_client::set_ex(std::string_view key, std::string_view value, std::chrono::milliseconds ttl,
                          const call_context& context) {
  if (ttl < std::chrono::milliseconds{1}) throw std::invalid_argument("ttl: at least 1 ms");
  const auto answer = run({"SET", key, value, "PX", std::to_string(ttl.count())}, context);
  if (answer->type != REDIS_REPLY_STATUS) throw client_error("unexpected answer");
}

}  // namespace staging
