// SPDX-License-Identifier: BSL-1.0
#include "http/message.hpp"

#include "config/text.hpp"

#include <nlohmann/json.hpp>

namespace staging {

namespace {

template <class Document>
std::string dump(const Document& document) {
  return document.dump(-1, ' ', false, Document::error_handler_t::replace);
}

}  // namespace

bool same_name(std::string_view left, std::string_view right) noexcept {
  return text::equal_but_for_case(left, right);
}

std::string_view request::parameter(std::string_view name) const noexcept {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

std::optional<std::string_view> request::header(std::string_view name) const noexcept {
  for (const auto& field : headers) {
    if (same_name(field.name, name)) return field.value;
  }
  return std::nullopt;
}

void response::json(const nlohmann::ordered_json& document) {
  body = dump(document);
  content_type = "application/json";
}

error_answer error(int status, std::string code, std::string message, std::vector<header_field> headers) {
  return {.status = status,
          .code = std::move(code),
          .message = std::move(message),
          .field = {},
          .headers = std::move(headers)};
}

response to_response(const error_answer& error, std::string_view request_id) {
  nlohmann::ordered_json detail{{"code", error.code}, {"message", error.message}};
  if (!error.field.empty()) detail["field"] = error.field;
  detail["request_id"] = request_id;

  response answer;
  answer.status = error.status;
  answer.body = dump(nlohmann::ordered_json{{"error", std::move(detail)}});
  answer.headers = error.headers;
  answer.notes = error.notes;
  answer.notes.emplace_back("error", error.code);
  return answer;
}

http_error bad_request(std::string field, std::string message) {
  return http_error{{.status = 400,
                     .code = "invalid_request",
                     .message = std::move(message),
                     .field = std::move(field),
                     .headers = {}}};
}

}  // namespace staging
