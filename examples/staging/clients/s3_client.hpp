// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/call_context.hpp"
#include "clients/http_session.hpp"
#include "config/settings.hpp"

#include "brownout/system/probe.hpp"

namespace staging {

/// Asks an S3 bucket whether it is there for us. Not thread-safe.
class s3_client {
 public:
  explicit s3_client(const s3_settings& settings);

  /// Success: a signed `HEAD` of the bucket answers 200.
  [[nodiscard]] brownout::probe_result ping(const call_context& context);

  /// Whether the last operation cost the connection.
  [[nodiscard]] bool broken() const noexcept { return session_.broken(); }

 private:
  http_request head_bucket_;
  http_session session_;
};

}  // namespace staging
