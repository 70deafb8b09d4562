// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace staging {

/// One header line.
struct header_field {
  std::string name;   ///< a token; compared without regard to case
  std::string value;  ///< without surrounding blanks
};

/// Whether two header names are the same.
[[nodiscard]] bool same_name(std::string_view left, std::string_view right) noexcept;

/// What the log line of an answer says beside the request and the status: name and text. No secrets.
using log_notes = std::vector<std::pair<std::string, std::string>>;

/// A request that passed the gate: the route exists, the key is right, the body is complete and within its
/// limit.
struct request {
  std::string method;                 ///< `GET`, `HEAD`, `POST`, …
  std::string path;                   ///< as sent, without the query
  std::vector<header_field> headers;  ///< as sent, in order
  std::string body;                   ///< as sent; never compressed
  std::string id;                     ///< the request id, for logs and for errors
  std::string client;                 ///< the client's address
  std::vector<std::pair<std::string, std::string>>
      parameters;  ///< what `{name}` in the route's path stood for

  /// What `{name}` in the route's path stood for; empty when the route has no such part.
  [[nodiscard]] std::string_view parameter(std::string_view name) const noexcept;

  /// First value of a header; nothing when absent.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
};

/// What a route answers. Security headers, request id and rate-limit headers are added to it afterwards; a
/// header set here wins over the default of the same name.
struct response {
  int status = 200;                               ///< 200 – 599
  std::string body;                               ///< as sent
  std::string content_type = "application/json";  ///< of the body
  std::vector<header_field> headers;              ///< further ones
  log_notes notes;                                ///< for its log line

  /// Makes `document` the body; bytes that are not UTF-8 are replaced, never thrown over.
  void json(const nlohmann::ordered_json& document);
};

/// An answer that says what was wrong.
struct error_answer {
  int status = 500;     ///< 400 – 599
  std::string code;     ///< for programs: a stable word such as `unauthorized`
  std::string message;  ///< for people: one sentence, without secrets and without exception text
  std::string field;    ///< what a 400 is about (a body field, a header); empty otherwise
  std::vector<header_field> headers;  ///< `Allow`, `Retry-After`, …
  log_notes notes{};                  ///< for its log line, which has the code as well
};

/// An error that is about no field.
[[nodiscard]] error_answer error(int status, std::string code, std::string message,
                                 std::vector<header_field> headers = {});

/// `{"error":{"code":…,"message":…,"request_id":…}}`, with `field` where there is one.
[[nodiscard]] response to_response(const error_answer& error, std::string_view request_id);

/// Thrown by a route to give an error as its answer. Any other exception becomes a 500 that says nothing.
class http_error : public std::exception {
 public:
  explicit http_error(error_answer answer) : answer_(std::move(answer)) {}

  [[nodiscard]] const error_answer& answer() const noexcept { return answer_; }
  [[nodiscard]] const char* what() const noexcept override { return answer_.message.c_str(); }

 private:
  error_answer answer_;
};

/// A 400 about `field`, to be thrown.
[[nodiscard]] http_error bad_request(std::string field, std::string message);

}  // namespace staging
