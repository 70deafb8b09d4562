// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/message.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace staging {

/// Who may call a route. Keyed routes are counted by the rate limiter, open ones are not.
enum class access { open, keyed };

/// What a keyed route counts against. A client's requests are counted for each of these on its own, so that
/// a busy dashboard can't keep Prometheus or an operator out.
enum class quota {
  health,     ///< `/health`
  metrics,    ///< `/metrics`
  operation,  ///< what an operator or the live page asks for: `/api/...`
  demo,       ///< the demo features
  unknown     ///< paths that do not exist
};

/// Which threads run a route.
enum class run_by {
  worker,  ///< one of `http_options::threads`, which the route may keep while it waits
  reader   ///< the thread that has read the request: only for routes that never wait
};

/// Answers a request. Called on any of the server's threads, several at once; may throw `http_error`.
using handler = std::function<void(const request&, response&)>;

/// One method on one path.
struct route {
  std::string method;          ///< upper case; `GET` answers `HEAD` as well
  std::string path;            ///< `/api/things/{name}`: a braced part stands for one non-empty segment
  std::string label;           ///< what metrics and logs call it: one of a fixed set, unlike the path itself
  access who = access::keyed;  ///< see there
  quota counted_as = quota::operation;  ///< for keyed routes; see there
  handler answer;                       ///< see there
  run_by runner = run_by::worker;       ///< see there
};

/// What the router says to a method and a path.
struct routing {
  const route* found = nullptr;  ///< the route; null when there is none for this method
  std::vector<std::pair<std::string, std::string>> parameters;  ///< what its braced parts stood for, decoded
  const route* other = nullptr;  ///< a route of the same path when only the method is wrong
  std::string allow;             ///< the methods of that path, as the `Allow` header lists them
};

/// Finds routes. Filled before the server runs, only read afterwards.
class router {
 public:
  /// Throws `std::invalid_argument` for a route that can't work: no handler, no label, a path without a
  /// slash, or one that is there already.
  void add(route added);

  /// `path` is percent-encoded as sent; it is split first and decoded afterwards, so an encoded slash is no
  /// separator.
  [[nodiscard]] routing find(std::string_view method, std::string_view path) const;

 private:
  std::vector<route> routes_;
};

}  // namespace staging
