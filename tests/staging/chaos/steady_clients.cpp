// SPDX-License-Identifier: BSL-1.0
#include "staging/chaos/steady_clients.hpp"

#include "staging/support/staging_server.hpp"

#include <httplib.h>

#include <chrono>
#include <utility>

namespace staging_chaos {

namespace {
constexpr const char* paths[] = {"/livez",        "/readyz",       "/health",
                                 "/metrics",      "/api/overview", "/api/inventory/stats",
                                 "/api/features", "/livez",        "/api/recommendations"};
constexpr int clients = 4;
constexpr std::chrono::milliseconds between_requests{45};
}  // namespace

steady_clients::steady_clients(int port, std::vector<std::string> secrets) : secrets_{std::move(secrets)} {
  for (int i = 0; i < clients; ++i) threads_.emplace_back([this, port] { ask(port); });
}

steady_clients::~steady_clients() {
  stopping_ = true;
  for (auto& one : threads_) one.join();
}

std::vector<request> steady_clients::take() {
  const std::lock_guard lock{mutex_};
  return std::exchange(ended_, {});
}

std::vector<std::string> steady_clients::leaks() {
  const std::lock_guard lock{mutex_};
  return leaks_;
}

void steady_clients::ask(int port) {
  httplib::Client client{"127.0.0.1", port};
  client.set_keep_alive(true);
  client.set_read_timeout(10);
  for (std::size_t i = 0; !stopping_; i = (i + 1) % std::size(paths)) {
    request one{.at = now(), .path = paths[i]};
    const auto answer = client.Get(paths[i], staging_tests::staging_server::with_key());
    one.took = now() - one.at;
    if (answer) one.status = answer->status;
    {
      const std::lock_guard lock{mutex_};
      if (answer) {
        for (const auto& secret : secrets_) {
          if (answer->body.find(secret) != std::string::npos) leaks_.push_back(one.path);
        }
      }
      ended_.push_back(std::move(one));
    }
    std::this_thread::sleep_for(between_requests);
  }
}

}  // namespace staging_chaos
