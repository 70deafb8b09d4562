// SPDX-License-Identifier: BSL-1.0
#include "http/server.hpp"

#include "http/bounded_queue.hpp"
#include "http/connection.hpp"
#include "http/gate.hpp"
#include "http/listening.hpp"
#include "http/security_headers.hpp"

#include <cxxabi.h>
#include <httplib.h>
#include <openssl/crypto.h>
#include <boost/core/demangle.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <utility>

namespace staging {

namespace {

using namespace std::chrono_literals;

constexpr auto silent_patience = 100ms;  // how long a new connection may say nothing while others wait
constexpr auto linger_patience = 500ms;  // how long a peer may take to notice that the connection ends
constexpr std::size_t logged_path_limit = 256;

brownout::time_point now() noexcept {
  return brownout::monotonic_clock{}.now();
}

error_answer too_many_connections() {
  return error(503, "overloaded", "Every connection is taken; try again.", {{"Retry-After", "1"}});
}

// One request on its way through the server.
struct exchange {
  verdict about;
  brownout::time_point started;
  bool closing = false;  // the connection ends with this answer
  bool answered = false;
  int status = 0;
};

// cpp-httplib's hooks get no word about whose request they are called for; but a connection stays on its
// thread.
thread_local exchange* current = nullptr;
thread_local const connection* current_peer = nullptr;

const http_options& checked(const http_options& options) {
  const auto at_least_one = [](std::size_t value, const char* name) {
    if (value < 1) throw std::invalid_argument(std::string{name} + ": 0 is below 1");
  };
  const auto positive = [](std::chrono::milliseconds value, const char* name) {
    if (value < 1ms) throw std::invalid_argument(std::string{name} + ": shorter than 1 ms");
  };
  at_least_one(options.threads, "threads");
  at_least_one(options.payload_limit, "payload_limit");
  at_least_one(options.head_limit, "head_limit");
  at_least_one(options.keep_alive_requests, "keep_alive_requests");
  positive(options.head_timeout, "head_timeout");
  positive(options.body_timeout, "body_timeout");
  positive(options.write_timeout, "write_timeout");
  positive(options.keep_alive_timeout, "keep_alive_timeout");
  return options;
}

std::string current_exception_type() {
  const auto* type = abi::__cxa_current_exception_type();
  return type == nullptr ? "unknown" : boost::core::demangle(type->name());
}

}  // namespace

class http_server::engine final : public listening_server {
 public:
  engine(http_options options, json_log& log)
      : listening_server(log), options_(checked(options)), gate_(options_), log_(log) {
    first_queue_ = std::make_unique<bounded_queue>(options_.threads, options_.queue_limit);
    OPENSSL_cleanse(options_.api_key.data(), options_.api_key.size());
    OPENSSL_cleanse(options.api_key.data(), options.api_key.size());
    install_hooks();
  }

  ~engine() override { stop_serving(); }

  void add(struct route added) { gate_.add(std::move(added)); }
  void listen_to_requests(request_listener listener) { listener_of_requests_ = std::move(listener); }

  void drain() noexcept { draining_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool is_draining() const noexcept { return draining_.load(std::memory_order_relaxed); }

  [[nodiscard]] connection_usage connections() const {
    const auto seen = queue_->usage();
    const auto idle = (std::min)(idle_.load(std::memory_order_relaxed), seen.busy);
    return {.threads = seen.threads,
            .serving = seen.busy - idle,
            .idle = idle,
            .queued = seen.waiting,
            .queue_limit = seen.limit,
            .refused = seen.refused};
  }

 private:
  void install_hooks();
  bool process_and_close_socket(socket_t socket) override;
  bool serve_next(connection& peer, bool first, bool last);
  bool answer(connection& peer, exchange& subject);
  [[nodiscard]] static std::string canonical_head(const exchange& subject);
  void dispatch(const httplib::Request& raw, httplib::Response& out);
  [[nodiscard]] response ask_route(exchange& subject, const std::string& body);
  void answer_unreadable_body(const connection& peer, httplib::Response& out);
  static void fill(exchange& subject, response from, httplib::Response& out);
  void finish(httplib::Response& out) const;
  void record(const exchange& subject);

  http_options options_;
  gate gate_;
  json_log& log_;
  request_listener listener_of_requests_;
  std::atomic<bool> draining_{false};  // set once by whoever drains; relaxed: it publishes nothing but itself
  // Connections whose thread waits for a request; written by these threads, read for metrics, so relaxed.
  std::atomic<std::size_t> idle_{0};
  // Made before there is a port, so that a lack of threads shows then; each further time that the library
  // starts to accept it gets a new one.
  std::unique_ptr<bounded_queue> first_queue_;
  bounded_queue* queue_ = nullptr;  // the library's, while it listens; set before any connection is queued
};

void http_server::engine::install_hooks() {
  new_task_queue = [this]() -> httplib::TaskQueue* {
    if (!first_queue_) first_queue_ = std::make_unique<bounded_queue>(options_.threads, options_.queue_limit);
    queue_ = first_queue_.release();  // the library deletes it
    return queue_;
  };

  const auto any = [this](const httplib::Request& raw, httplib::Response& out) { dispatch(raw, out); };
  Get("/", any);
  Post("/", any);
  Put("/", any);
  Patch("/", any);
  Delete("/", any);
  Options("/", any);

  set_error_handler(HandlerWithResponse{[this](const httplib::Request&, httplib::Response& out) {
    if (!current->answered) answer_unreadable_body(*current_peer, out);
    return HandlerResponse::Handled;
  }});
  // `dispatch` lets nothing out but a failed allocation; without this hook its text would become a header.
  set_exception_handler([](const httplib::Request&, httplib::Response& out, std::exception_ptr) {
    out = {};
    fill(*current,
         to_response(error(500, "internal_error", "Something went wrong here."), current->about.subject.id),
         out);
  });
  set_post_routing_handler([this](const httplib::Request&, httplib::Response& out) { finish(out); });
}

bool http_server::engine::process_and_close_socket(socket_t socket) {
  try {
    if (bounded_queue::is_refusing()) {
      // On the accepting thread: nothing may be waited for.
      connection peer{socket, stop_event(), 0ms};
      exchange subject{
          .about = gate::refuse(too_many_connections(), peer.peer()), .started = now(), .closing = true};
      answer(peer, subject);
      peer.linger(0ms);
      return true;
    }
    connection peer{socket, stop_event(), options_.write_timeout};
    for (std::size_t served = 0; served < options_.keep_alive_requests; ++served) {
      if (!serve_next(peer, served == 0, served + 1 == options_.keep_alive_requests)) break;
    }
  } catch (...) {
    log_.error("a connection failed", {{"exception", current_exception_type()}});
  }
  return true;
}

bool http_server::engine::serve_next(connection& peer, bool first, bool last) {
  const auto idle_since = now();
  idle_.fetch_add(1, std::memory_order_relaxed);
  const auto waiting =
      peer.await(idle_since + (first ? options_.head_timeout : options_.keep_alive_timeout),
                 idle_since + (first ? silent_patience : 0ms), [this] { return queue_->claim_thread(); });
  idle_.fetch_sub(1, std::memory_order_relaxed);
  if (waiting != connection::readiness::readable) return false;

  exchange subject{.about = {}, .started = now()};
  const auto refuse = [&](error_answer why) { subject.about = gate::refuse(std::move(why), peer.peer()); };
  switch (peer.read_head(options_.head_limit, subject.started + options_.head_timeout)) {
    case connection::head_result::complete:
      subject.about = gate_.examine(peer.head(), peer.peer(), subject.started);
      break;
    case connection::head_result::gone:
      return false;
    case connection::head_result::timed_out:
      refuse(error(408, "request_timeout", "The headers took too long."));
      break;
    case connection::head_result::line_too_long:
      refuse(error(414, "uri_too_long", "The request line is too long."));
      break;
    case connection::head_result::too_large:
      refuse(error(431, "headers_too_large", "The headers are too large."));
      break;
    case connection::head_result::malformed:
      refuse(error(400, "malformed_request", "Every line of a head must end with CR LF."));
      break;
  }

  const auto& about = subject.about;
  // Chunked bodies end their connection as well: the library reads their framing more kindly than a proxy
  // may, and only where nothing follows does that not matter.
  subject.closing = about.refusal.has_value() || last || !about.head.keeps_alive || about.head.chunked ||
                    is_draining() || queue_->claim_thread();
  const bool answered = answer(peer, subject);
  if (answered && !subject.closing) return true;
  peer.linger(linger_patience);
  return false;
}

bool http_server::engine::answer(connection& peer, exchange& subject) {
  const auto& head = subject.about.head;
  const bool refused = subject.about.refusal.has_value();
  // One-byte chunks cost six bytes each; what is longer than that is padding. The decoded length is checked
  // again.
  const auto body = refused ? 0 : head.chunked ? options_.payload_limit * 6 + 1024 : head.content_length;
  peer.present(canonical_head(subject), body, now() + options_.body_timeout);

  current = &subject;
  current_peer = &peer;
  bool closed = false;
  const bool formatted = process_request(peer, subject.closing, closed, nullptr);
  current = nullptr;
  current_peer = nullptr;

  record(subject);
  return peer.flush() && formatted;
}

// What the library is shown in place of the client's own head. For a refused request that is an empty one:
// the library then only formats the answer.
std::string http_server::engine::canonical_head(const exchange& subject) {
  const auto& head = subject.about.head;
  if (subject.about.refusal)
    return head.method == "HEAD" ? "HEAD / HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\n\r\n";
  std::string canonical = head.method + " / HTTP/1.1\r\n";
  canonical += head.chunked ? std::string{"Transfer-Encoding: chunked\r\n"}
                            : "Content-Length: " + std::to_string(head.content_length) + "\r\n";
  if (head.expects_continue) canonical += "Expect: 100-continue\r\n";
  return canonical + "\r\n";
}

void http_server::engine::dispatch(const httplib::Request& raw, httplib::Response& out) {
  auto& subject = *current;
  if (!subject.about.refusal && raw.body.size() > options_.payload_limit) {
    subject.about.refusal = error(413, "payload_too_large",
                                  "The body may have " + std::to_string(options_.payload_limit) + " bytes.");
  }
  fill(subject,
       subject.about.refusal ? to_response(*subject.about.refusal, subject.about.subject.id)
                             : ask_route(subject, raw.body),
       out);
}

response http_server::engine::ask_route(exchange& subject, const std::string& body) {
  auto& request = subject.about.subject;
  try {
    request.body = body;
    response answer;
    subject.about.target->answer(request, answer);
    return answer;
  } catch (const http_error& wrong) {
    return to_response(wrong.answer(), request.id);
  } catch (...) {
    // Its type tells where to look; its text may hold a connection string, and stays here.
    log_.error("a route failed", {{"request_id", request.id},
                                  {"route", subject.about.label()},
                                  {"exception", current_exception_type()}});
    return to_response(error(500, "internal_error", "Something went wrong here."), request.id);
  }
}

void http_server::engine::answer_unreadable_body(const connection& peer, httplib::Response& out) {
  auto& subject = *current;
  subject.closing = true;
  auto why = peer.body_was_too_large() ? error(413, "payload_too_large", "The body is too large.")
             : peer.body_was_late()    ? error(408, "request_timeout", "The body took too long.")
                                    : error(400, "malformed_request", "The body is incomplete or malformed.");
  if (why.status == 400) why.field = "body";
  fill(subject, to_response(why, subject.about.subject.id), out);
}

void http_server::engine::fill(exchange& subject, response from, httplib::Response& out) {
  out.status = from.status;
  for (const auto& field : from.headers) out.set_header(field.name, field.value);
  out.set_content(from.body, from.content_type);
  subject.status = from.status;
  subject.answered = true;
}

void http_server::engine::finish(httplib::Response& out) const {
  const auto& subject = *current;
  const auto& about = subject.about;
  for (const char* library : {"Connection", "Keep-Alive", "Accept-Ranges"}) out.headers.erase(library);
  out.set_header("Connection", subject.closing ? "close" : "keep-alive");
  out.set_header("X-Request-ID", about.subject.id);
  if (about.rate) {
    out.set_header("RateLimit-Limit", std::to_string(about.rate->limit));
    out.set_header("RateLimit-Remaining", std::to_string(about.rate->remaining));
    out.set_header("RateLimit-Reset", std::to_string(about.rate->reset.count()));
  }
  const auto set_default = [&](std::string_view name, std::string_view value) {
    if (const std::string key{name}; !out.has_header(key)) out.set_header(key, std::string{value});
  };
  for (const auto& [name, value] : security_headers) set_default(name, value);
  if (options_.hsts) set_default("Strict-Transport-Security", strict_transport_security);
}

void http_server::engine::record(const exchange& subject) {
  const auto took = std::chrono::duration<double>{now() - subject.started}.count();
  const auto& about = subject.about;
  if (listener_of_requests_) {
    try {
      listener_of_requests_(about.label(), subject.status, took);
    } catch (...) {
      log_.error("the request listener failed", {{"exception", current_exception_type()}});
    }
  }
  log_.info("request", {{"request_id", about.subject.id},
                        {"method", about.subject.method},
                        {"route", about.label()},
                        {"path", about.subject.path.substr(0, logged_path_limit)},
                        {"status", subject.status},
                        {"duration_ms", took * 1e3},
                        {"client", about.subject.client}});
}

http_server::http_server(http_options options, json_log& log)
    : engine_(std::make_unique<engine>(std::move(options), log)) {}
http_server::~http_server() = default;

void http_server::route(std::string method, std::string path, std::string label, access who, handler answer) {
  constexpr std::array<std::string_view, 6> known{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  if (std::ranges::find(known, method) == known.end()) {
    throw std::invalid_argument("route " + method + " " + path +
                                ": the method must be GET, POST, PUT, PATCH, DELETE or OPTIONS");
  }
  engine_->add({.method = std::move(method),
                .path = std::move(path),
                .label = std::move(label),
                .who = who,
                .answer = std::move(answer)});
}

void http_server::on_request(request_listener listener) {
  engine_->listen_to_requests(std::move(listener));
}
std::uint16_t http_server::bind(const std::string& host, std::uint16_t port) {
  return engine_->open(host, port);
}
void http_server::run() {
  engine_->serve_until_stopped();
}
void http_server::begin_drain() noexcept {
  engine_->drain();
}
bool http_server::draining() const noexcept {
  return engine_->is_draining();
}
connection_usage http_server::connections() const {
  return engine_->connections();
}
void http_server::stop() {
  engine_->stop_serving();
}
bool http_server::stop(std::chrono::milliseconds limit) {
  return engine_->stop_serving(limit);
}

}  // namespace staging
