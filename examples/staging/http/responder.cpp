// SPDX-License-Identifier: BSL-1.0
#include "http/responder.hpp"

#include "http/date.hpp"
#include "http/security_headers.hpp"

#include <cxxabi.h>
#include <fmt/format.h>
#include <boost/beast/http/status.hpp>
#include <boost/core/demangle.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace staging {

namespace {

constexpr std::size_t logged_path_limit = 256;

bool has_header(const response& answer, std::string_view name) {
  return std::ranges::any_of(answer.headers, [&](const auto& field) { return same_name(field.name, name); });
}

}  // namespace

std::string current_exception_type() {
  const auto* type = abi::__cxa_current_exception_type();
  return type == nullptr ? "unknown" : boost::core::demangle(type->name());
}

responder::responder(const http_options& options, json_log& log)
    : gate_(options), log_(log), hsts_(options.hsts) {}

std::string responder::answer(exchange& subject, std::string body) {
  auto& request = subject.about.subject;
  request.body = std::move(body);
  const auto said = subject.about.refusal ? to_response(*subject.about.refusal, request.id)
                                          : ask_route(request, *subject.about.target);
  subject.closing = subject.closing || is_draining();  // the route may have taken long
  record(subject, said);
  return text_of(subject, said);
}

response responder::ask_route(request& subject, const route& target) {
  struct counted {
    std::atomic<std::size_t>& busy;
    std::size_t workers;
    ~counted() { busy.fetch_sub(workers, std::memory_order_relaxed); }
  };
  const counted until_answered{busy_, target.runner == run_by::worker ? 1U : 0U};
  busy_.fetch_add(until_answered.workers, std::memory_order_relaxed);
  try {
    response answer;
    target.answer(subject, answer);
    return answer;
  } catch (const http_error& wrong) {
    return to_response(wrong.answer(), subject.id);
  } catch (...) {
    log_.error(
        "a route failed",
        {{"request_id", subject.id}, {"route", target.label}, {"exception", current_exception_type()}});
    return to_response(error(500, "internal_error", "Something went wrong here."), subject.id);
  }
}

std::string responder::text_of(const exchange& subject, const response& answer) const {
  const auto& about = subject.about;
  std::string text;
  text.reserve(1024 + answer.body.size());
  const auto add = [out = std::back_inserter(text)](std::string_view name, const auto& value) {
    fmt::format_to(out, "{}: {}\r\n", name, value);
  };
  const std::string_view reason = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(answer.status)));
  fmt::format_to(std::back_inserter(text), "HTTP/1.1 {} {}\r\n", answer.status, reason);
  add("Date", current_http_date());
  add("Connection", subject.closing ? "close" : "keep-alive");
  add("X-Request-ID", about.subject.id);
  if (about.rate) {
    add("RateLimit-Limit", about.rate->limit);
    add("RateLimit-Remaining", about.rate->remaining);
    add("RateLimit-Reset", about.rate->reset.count());
  }
  for (const auto& [name, value] : answer.headers) add(name, value);
  for (const auto& [name, value] : security_headers) {
    if (!has_header(answer, name)) add(name, value);
  }
  if (hsts_) add("Strict-Transport-Security", strict_transport_security);
  add("Content-Type", answer.content_type);
  add("Content-Length", answer.body.size());
  text += "\r\n";
  if (about.subject.method != "HEAD") text += answer.body;
  return text;
}

void responder::record(const exchange& subject, const response& answer) {
  const auto took =
      std::chrono::duration<double>{brownout::monotonic_clock{}.now() - subject.started}.count();
  const auto& about = subject.about;
  if (listener_) {
    try {
      listener_(about.label(), answer.status, took);
    } catch (...) {
      log_.error("the request listener failed", {{"exception", current_exception_type()}});
    }
  }
  json_text line;
  line.member("request_id", about.subject.id);
  line.member("method", about.subject.method);
  line.member("route", about.label());
  line.member("path", about.subject.path.substr(0, logged_path_limit));
  line.member("status", answer.status);
  line.member("duration_ms", took * 1e3);
  line.member("client", about.subject.client);
  for (const auto& [name, text] : answer.notes) line.member(name, text);
  log_.write(log_level::info, "request", line);
}

}  // namespace staging
