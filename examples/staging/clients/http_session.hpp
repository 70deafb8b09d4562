// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/call_context.hpp"
#include "clients/kept_connection.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace staging {

enum class http_method : std::uint8_t { get, head, post };

/// Who signs a request, and for what (AWS signature version 4).
struct http_signature {
  std::string scope;   ///< in libcurl's words: "aws:amz:REGION:SERVICE"
  std::string key_id;  ///< may hold a colon
  std::string secret;
};

struct http_request {
  http_method method = http_method::get;
  std::string url;                          ///< http or https
  std::vector<std::string> headers = {};    ///< each "Name: value"
  std::string body = {};                    ///< sent with `post` only
  std::optional<http_signature> sign = {};  ///< unset: not signed
};

struct http_answer {
  long status = 0;   ///< HTTP status code
  std::string body;  ///< at most 1 MiB: a longer one is an error
};

/// HTTP requests over a connection that is kept alive between them and given up with the first that fails.
///
/// Redirects are not followed, proxies are not used (an environment variable must not carry keys to another
/// host), certificates are verified. Host names are resolved beside the request, so every request ends by its
/// deadline, or at once on a stop request. Not thread-safe.
///
/// OpenSSL may raise SIGPIPE on a connection the server has closed: the process must ignore it.
class http_session {
 public:
  /// Any complete answer, whatever its status. Throws client_error.
  [[nodiscard]] http_answer perform(const http_request& request, const call_context& context);

  /// Whether the last request cost the connection.
  [[nodiscard]] bool broken() const noexcept { return handles_.broken(); }

 private:
  struct handles;  // libcurl's, with their connections
  struct closer {
    void operator()(handles* owned) const noexcept;
  };

  kept_connection<std::unique_ptr<handles, closer>> handles_;
};

}  // namespace staging
