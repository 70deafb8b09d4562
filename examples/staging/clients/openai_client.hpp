// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/call_context.hpp"
#include "clients/http_session.hpp"
#include "config/settings.hpp"

#include "brownout/system/probe.hpp"

#include <string>
#include <string_view>

namespace staging {

/// Talks to an OpenAI-compatible API. Not thread-safe.
class openai_client {
 public:
  explicit openai_client(openai_settings settings) : settings_(std::move(settings)) {}

  /// Success: `GET {base}/models` with the key answers 200.
  [[nodiscard]] brownout::probe_result ping(const call_context& context);

  /// The model's answer to `prompt` (a chat completion). Throws client_error.
  [[nodiscard]] std::string recommend(std::string_view prompt, const call_context& context);

  /// Whether the last operation cost the connection.
  [[nodiscard]] bool broken() const noexcept { return session_.broken(); }

 private:
  [[nodiscard]] http_answer ask(http_request request, const call_context& context);

  openai_settings settings_;
  http_session session_;
};

}  // namespace staging
