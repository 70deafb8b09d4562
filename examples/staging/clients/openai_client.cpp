// SPDX-License-Identifier: BSL-1.0
#include "clients/openai_client.hpp"

#include "clients/client_error.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace staging {

namespace {

using json = nlohmann::json;

[[nodiscard]] client_error refused(long status) {
  const std::string code = " (HTTP " + std::to_string(status) + ')';
  switch (status) {
    case 401:
    case 403:
      return client_error("key refused" + code);
    case 429:
      return client_error("quota or rate limit reached" + code);
    default:
      return client_error(status >= 500 ? "server error" + code : "unexpected answer" + code);
  }
}

/// The server is well and says that the request is not: unknown model, prompt too long.
[[nodiscard]] bool request_at_fault(long status) {
  return status == 400 || status == 404 || status == 413 || status == 422;
}

[[nodiscard]] std::string first_choice(const std::string& body) {
  static const json::json_pointer content{"/choices/0/message/content"};
  const auto answer = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (answer.is_discarded() || !answer.contains(content) || !answer.at(content).is_string())
    throw client_error("unexpected answer");
  return answer.at(content).get<std::string>();
}

}  // namespace

http_answer openai_client::ask(http_request request, const call_context& context) {
  request.headers.push_back("Authorization: Bearer " + settings_.api_key);
  return session_.perform(request, context);
}

brownout::probe_result openai_client::ping(const call_context& context) {
  return probe_by([&] {
    if (const auto answer = ask({.url = settings_.base_url + "/models"}, context); answer.status != 200)
      throw refused(answer.status);
  });
}

std::string openai_client::recommend(std::string_view prompt, const call_context& context) {
  const json question{{"model", settings_.model},
                      {"messages", json::array({{{"role", "user"}, {"content", prompt}}})}};
  const auto answer = ask({.method = http_method::post,
                           .url = settings_.base_url + "/chat/completions",
                           .headers = {"Content-Type: application/json"},
                           // A prompt that is not UTF-8 is repaired: dumping it as it is would throw.
                           .body = question.dump(-1, ' ', false, json::error_handler_t::replace)},
                          context);
  if (request_at_fault(answer.status))
    throw client_error("request refused (HTTP " + std::to_string(answer.status) + ')',
                       brownout::outcome::ignored);
  if (answer.status != 200) throw refused(answer.status);
  return first_choice(answer.body);
}

}  // namespace staging
