// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/call_context.hpp"
#include "clients/kept_connection.hpp"
#include "clients/socket_wait.hpp"
#include "config/settings.hpp"

#include "brownout/system/probe.hpp"

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct redisContext;
struct redisReply;

namespace staging {

/// Talks to Redis over one connection, made when it is needed and again when it was lost.
///
/// Every operation ends by its deadline or at once on a stop request, with one exception: a host name is
/// resolved with the system's blocking resolver. A numeric REDIS_HOST avoids it. Not thread-safe.
class redis_client {
 public:
  explicit redis_client(redis_settings settings) : settings_(std::move(settings)) {}

  /// Success: `PING` answers `PONG`.
  [[nodiscard]] brownout::probe_result ping(const call_context& context);

  /// The value stored under `key`, at most 16 MiB; nothing when there is none. Throws client_error.
  [[nodiscard]] std::optional<std::string> get(std::string_view key, const call_context& context);

  /// Stores `value` under `key` for `ttl`, at least 1 ms. Throws client_error.
  void set_ex(std::string_view key, std::string_view value, std::chrono::milliseconds ttl,
              const call_context& context);

  /// Whether the last operation cost the connection.
  [[nodiscard]] bool broken() const noexcept { return connection_.broken(); }

 private:
  struct closer {
    void operator()(redisContext* connection) const noexcept;
    void operator()(redisReply* reply) const noexcept;
  };
  using connection = std::unique_ptr<redisContext, closer>;
  using reply = std::unique_ptr<redisReply, closer>;
  using words = std::initializer_list<std::string_view>;

  [[nodiscard]] connection connect(socket_wait& wait) const;
  [[nodiscard]] static reply exchange(redisContext& server, words command, socket_wait& wait);
  [[nodiscard]] reply run(words command, const call_context& context);

  redis_settings settings_;
  kept_connection<connection> connection_;
};

}  // namespace staging
