// SPDX-License-Identifier: BSL-1.0
#include "http/rate_limiter.hpp"

#include <algorithm>
#include <stdexcept>

namespace staging {

namespace {

const rate_limit_options& checked(const rate_limit_options& options) {
  if (options.requests < 1) throw std::invalid_argument("rate_limit.requests: 0 is below 1");
  if (options.window < std::chrono::milliseconds{1})
    throw std::invalid_argument("rate_limit.window: shorter than 1 ms");
  if (options.clients < 1) throw std::invalid_argument("rate_limit.clients: 0 is below 1");
  return options;
}

}  // namespace

rate_limiter::rate_limiter(const rate_limit_options& options) : options_(checked(options)) {}

rate_decision rate_limiter::count(std::string_view client, brownout::time_point now) {
  const std::scoped_lock lock{mutex_};
  auto found = by_client_.find(client);
  if (found != by_client_.end()) {
    auto& known = *found->second;
    if (now - known.begin >= options_.window) {
      known.begin = now;
      known.used = 0;
      windows_.splice(windows_.end(), windows_, found->second);
    }
  } else {
    if (windows_.size() >= options_.clients) {
      by_client_.erase(windows_.front().client);
      windows_.pop_front();
    }
    windows_.push_back({std::string{client}, now, 0});
    found = by_client_.emplace(windows_.back().client, std::prev(windows_.end())).first;
  }

  auto& current = *found->second;
  const bool allowed = current.used < options_.requests;
  if (allowed) ++current.used;
  const auto left = std::chrono::ceil<std::chrono::seconds>(options_.window - (now - current.begin));
  return {allowed, options_.requests, options_.requests - current.used,
          std::max(left, std::chrono::seconds{1})};
}

std::size_t rate_limiter::clients() const {
  const std::scoped_lock lock{mutex_};
  return windows_.size();
}

}  // namespace staging
