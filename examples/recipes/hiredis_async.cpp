// SPDX-License-Identifier: BSL-1.0
//
// A circuit breaker for the asynchronous API of hiredis, here with libevent.
//
// One thread sends many commands on one connection. hiredis calls the callback of each command once: with its
// reply, or without one when the connection has ended. The permit waits for that in the command's own struct.
// Try it:
//
//     echo 'SET a 1;GET a;LPUSH a 2' | hiredis_async 127.0.0.1 6379
#include "console.hpp"

#include <event2/event.h>
#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <brownout/breaker.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brownout::outcome;
using cache_breaker = brownout::circuit_breaker<brownout::consecutive_failures>;

// How a command ended, for the breaker.
struct verdict {
  outcome result;
  std::string why;
};

verdict judge(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_NIL) return {outcome::success, "nil"};
  if (reply.type == REDIS_REPLY_INTEGER) return {outcome::success, std::to_string(reply.integer)};
  if (reply.str == nullptr) return {outcome::success, "a list"};
  const std::string_view text{reply.str, static_cast<std::size_t>(reply.len)};
  if (reply.type != REDIS_REPLY_ERROR) return {outcome::success, std::string{text}};
  // The first word says what is wrong. These say that the command is; all others are about the server:
  // LOADING, OOM, READONLY, MISCONF, NOAUTH.
  const std::string code{text.substr(0, text.find(' '))};
  const bool ours = code == "WRONGTYPE" || code == "NOSCRIPT" || code == "EXECABORT" ||
                    (code == "ERR" && !text.starts_with("ERR max number of clients"));
  return {ours ? outcome::ignored : outcome::failure, code};
}

class cache_client {
 public:
  cache_client(std::string host, int port, std::chrono::milliseconds limit, cache_breaker& cache)
      : host_{std::move(host)}, port_{port}, limit_{limit}, cache_{cache} {
    if (loop_ == nullptr) throw std::bad_alloc{};
  }
  // What is in flight now was not ended by the server.
  ~cache_client() {
    close({outcome::cancelled, "shutdown"});
    event_base_free(loop_);
  }
  cache_client(const cache_client&) = delete;
  cache_client& operator=(const cache_client&) = delete;

  void send(const std::string& text) {
    auto admitted = cache_.try_acquire();
    if (!admitted) return console::show_refusal(text, admitted.rejection());

    auto started = std::make_unique<command>(text, *std::move(admitted), *this);
    if (server_ == nullptr && !connect()) return started->end({outcome::failure, "cannot connect"});
    std::vector<const char*> words;
    const auto split = console::split(text, ' ');
    for (const auto& word : split) words.push_back(word.c_str());
    if (redisAsyncCommandArgv(server_, on_reply, started.get(), static_cast<int>(words.size()), words.data(),
                              nullptr) != REDIS_OK)
      return started->end({outcome::ignored, "not sent"});
    const timeval limit{.tv_sec = limit_ / 1s, .tv_usec = limit_ % 1s / 1us};
    event_add(started.release()->timer, &limit);  // `on_reply` owns it now
  }

  void wait_for_all() {
    while (in_flight_ > 0) event_base_loop(loop_, EVLOOP_ONCE);
  }

 private:
  struct command {
    command(std::string words, cache_breaker::permit admitted, cache_client& sender)
        : text{std::move(words)}, permit{std::move(admitted)}, client{sender} {
      ++client.in_flight_;
    }
    ~command() {
      event_free(timer);
      --client.in_flight_;
    }
    command(const command&) = delete;
    command& operator=(const command&) = delete;

    // The one place where a permit is settled, and before the handler.
    void end(const verdict& seen) noexcept {
      const auto became = permit.complete(seen.result, {}, seen.why);
      console::handle(text, seen.result, seen.why, became);
    }

    std::string text;
    cache_breaker::permit permit;
    cache_client& client;
    event* timer = evtimer_new(client.loop_, on_time_out, &client);
  };

  static void on_reply(redisAsyncContext* server, void* reply, void* privdata) noexcept {
    const std::unique_ptr<command> ended{static_cast<command*>(privdata)};
    if (reply != nullptr) return ended->end(judge(*static_cast<redisReply*>(reply)));
    const auto& closing = ended->client.closing_;
    ended->end(closing ? *closing : verdict{outcome::failure, server->errstr});
  }

  // Redis answers in order: what was sent after a late command waits behind it. So the connection is given
  // up, and with it all commands on it.
  static void on_time_out(evutil_socket_t, short, void* client) noexcept {
    static_cast<cache_client*>(client)->close({outcome::failure, "timed out"});
  }

  // hiredis frees a connection that has ended, after these.
  static void on_connect(const redisAsyncContext* server, int status) noexcept {
    if (status != REDIS_OK) static_cast<cache_client*>(server->data)->server_ = nullptr;
  }
  static void on_disconnect(const redisAsyncContext* server, int) noexcept {
    static_cast<cache_client*>(server->data)->server_ = nullptr;
  }

  bool connect() {
    auto* const opened = redisAsyncConnect(host_.c_str(), port_);
    if (opened == nullptr) return false;
    if (opened->err != 0 || redisLibeventAttach(opened, loop_) != REDIS_OK) {
      redisAsyncFree(opened);
      return false;
    }
    opened->data = this;
    redisAsyncSetConnectCallback(opened, on_connect);
    redisAsyncSetDisconnectCallback(opened, on_disconnect);
    if (const char* password = std::getenv("REDIS_PASSWORD"))
      redisAsyncCommand(opened, nullptr, nullptr, "AUTH %s", password);
    server_ = opened;
    return true;
  }

  // Ends the commands in flight: `redisAsyncFree` calls `on_reply` for each, without a reply.
  void close(verdict why) {
    closing_ = std::move(why);
    if (auto* const ended = std::exchange(server_, nullptr)) redisAsyncFree(ended);
    closing_.reset();
  }

  std::string host_;
  int port_;
  std::chrono::milliseconds limit_;
  cache_breaker& cache_;
  event_base* loop_ = event_base_new();
  redisAsyncContext* server_ = nullptr;
  std::optional<verdict> closing_{};  // while we end the connection
  int in_flight_ = 0;
};

int main(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "usage: hiredis_async HOST PORT [MILLISECONDS]\n";
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // hiredis writes to connections that the server has closed
  cache_breaker cache{{3}, {.name = "cache", .open_for = 2s}};  // outlives the client and its permits
  cache_client client{arguments[1], std::stoi(arguments[2]), console::time_limit(count, arguments, 3), cache};
  console::run([&](const std::string& command) { client.send(command); }, [&] { client.wait_for_all(); });
}
