// SPDX-License-Identifier: BSL-1.0
#include "http/server.hpp"

#include "http/responder.hpp"
#include "http/session.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

namespace staging {

namespace asio = boost::asio;
using boost::asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr auto deadline_check = 50ms;

const http_options& checked(const http_options& options) {
  const auto at_least_one = [](std::size_t value, const char* name) {
    if (value < 1) throw std::invalid_argument(std::string{name} + ": 0 is below 1");
  };
  const auto positive = [](std::chrono::milliseconds value, const char* name) {
    if (value < 1ms) throw std::invalid_argument(std::string{name} + ": shorter than 1 ms");
  };
  at_least_one(options.threads, "threads");
  at_least_one(options.readers, "readers");
  at_least_one(options.connections, "connections");
  at_least_one(options.payload_limit, "payload_limit");
  at_least_one(options.head_limit, "head_limit");
  at_least_one(options.keep_alive_requests, "keep_alive_requests");
  positive(options.head_timeout, "head_timeout");
  positive(options.body_timeout, "body_timeout");
  positive(options.write_timeout, "write_timeout");
  positive(options.keep_alive_timeout, "keep_alive_timeout");
  return options;
}

}  // namespace

class http_server::engine {
 public:
  engine(http_options options, json_log& log);
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  [[nodiscard]] responder& answers() noexcept { return responder_; }
  [[nodiscard]] connection_usage connections() const;
  std::uint16_t open(const std::string& host, std::uint16_t port);
  void start();
  void stop();
  [[nodiscard]] bool stop(std::chrono::milliseconds limit);

 private:
  using executor = asio::strand<asio::io_context::executor_type>;
  using lasting = asio::executor_work_guard<asio::io_context::executor_type>;

  void work(asio::io_context& on);
  void end_threads();
  void listen_at(const tcp::endpoint& where, error_code& failed);
  void accept();
  void admit(session_socket socket);
  void refuse(session_socket socket);
  [[nodiscard]] bool has_room();
  void check_deadlines();
  void begin_stopping();
  template <class Condition>
  [[nodiscard]] std::vector<std::shared_ptr<session>> sessions_that(Condition condition);

  http_options options_;
  json_log& log_;
  responder responder_;

  mutable std::mutex mutex_;  // guards the four below
  std::condition_variable all_ended_;
  std::unordered_set<session*> sessions_;  // each takes itself out when it ends
  std::uint64_t refused_ = 0;
  bool stopping_ = false;

  // The handlers of both own sessions, and a session has its socket from the first.
  asio::io_context context_;  // of the readers
  asio::io_context work_;     // of the workers
  executor accepting_{context_.get_executor()};
  tcp::acceptor acceptor_{accepting_};  // like the timers, on its strand only from `start` on
  asio::steady_timer retry_{accepting_};
  asio::steady_timer deadlines_{accepting_};
  lasting reading_{context_.get_executor()};
  lasting working_{work_.get_executor()};
  std::vector<std::thread> threads_;
  bool bound_ = false;
};

http_server::engine::engine(http_options options, json_log& log)
    : options_(checked(options)), log_(log), responder_(options_, log) {
  for (auto* copy : {&options_, &options}) OPENSSL_cleanse(copy->api_key.data(), copy->api_key.size());
  const auto all = options_.readers + options_.threads;
  threads_.reserve(all);
  try {
    while (threads_.size() < options_.readers) threads_.emplace_back([this] { work(context_); });
    while (threads_.size() < all) threads_.emplace_back([this] { work(work_); });
  } catch (...) {
    end_threads();
    throw;
  }
}

http_server::engine::~engine() {
  stop();
  end_threads();
}

void http_server::engine::end_threads() {
  context_.stop();
  work_.stop();
  for (auto& thread : threads_) thread.join();
}

void http_server::engine::work(asio::io_context& on) {
  for (;;) {
    try {
      on.run();
      return;
    } catch (...) {  // of one handler; the connection it was for has ended with it
      log_.error("a connection failed", {{"exception", current_exception_type()}});
    }
  }
}

std::uint16_t http_server::engine::open(const std::string& host, std::uint16_t port) {
  if (bound_) throw std::logic_error("http_server: bound already");
  error_code failed;
  const auto found = tcp::resolver{context_}.resolve(
      host, std::to_string(port), tcp::resolver::passive | tcp::resolver::numeric_service, failed);
  auto why = failed ? std::string{"the host is unknown"} : std::string{};
  for (const auto& each : found) {
    listen_at(each.endpoint(), failed);
    bound_ = !failed;
    if (bound_) return acceptor_.local_endpoint().port();
    why = failed == asio::error::address_in_use ? "the port is in use" : failed.message();
  }
  throw std::runtime_error("cannot listen on " + host + ":" + std::to_string(port) + ": " + why);
}

void http_server::engine::listen_at(const tcp::endpoint& where, error_code& failed) {
  tcp::acceptor opened{accepting_};
  opened.open(where.protocol(), failed);
  if (failed) return;
  fcntl(opened.native_handle(), F_SETFD, FD_CLOEXEC);
  opened.set_option(tcp::acceptor::reuse_address{true}, failed);
  if (!failed && where.protocol() == tcp::v6()) opened.set_option(asio::ip::v6_only{false}, failed);
  if (!failed) opened.bind(where, failed);
  if (!failed) opened.listen(asio::socket_base::max_listen_connections, failed);
  if (!failed) acceptor_ = std::move(opened);
}

void http_server::engine::start() {
  if (!bound_) throw std::logic_error("http_server: start without bind");
  asio::post(accepting_, [this] {
    accept();
    check_deadlines();
  });
}

void http_server::engine::accept() {
  {
    const std::scoped_lock lock{mutex_};
    if (stopping_) return;
  }
  acceptor_.async_accept(asio::make_strand(context_), [this](error_code failed, session_socket socket) {
    if (failed == asio::error::operation_aborted) return;
    if (failed && failed != asio::error::connection_aborted) {
      // No descriptor or no memory, most likely. That passes.
      log_.error("accepting connections failed; trying again", {{"reason", failed.message()}});
      retry_.expires_after(100ms);
      retry_.async_wait([this](error_code) { accept(); });
      return;
    }
    if (!failed) admit(std::move(socket));
    accept();
  });
}

void http_server::engine::admit(session_socket socket) {
  if (!has_room()) return refuse(std::move(socket));
  const auto admitted =
      std::make_shared<session>(std::move(socket), work_, responder_, options_, [this](session& ended) {
        const std::scoped_lock lock{mutex_};
        sessions_.erase(&ended);
        if (sessions_.empty()) all_ended_.notify_all();
      });
  {
    const std::scoped_lock lock{mutex_};
    if (stopping_) return;
    sessions_.insert(admitted.get());
  }
  admitted->start();
}

// Whether there is room for one more connection, made if need be by the one that has been idle longest.
bool http_server::engine::has_room() {
  std::shared_ptr<session> idle;
  {
    const std::scoped_lock lock{mutex_};
    if (sessions_.size() < options_.connections) return true;
    auto since = brownout::time_point::max();
    session* longest = nullptr;
    for (auto* each : sessions_) {
      if (each->idle_since() >= since) continue;
      since = each->idle_since();
      longest = each;
    }
    if (longest == nullptr) {
      ++refused_;
      return false;
    }
    idle = longest->weak_from_this().lock();  // null: it ends just now, which makes room as well
  }
  if (idle) idle->make_room();
  return true;
}

connection_usage http_server::engine::connections() const {
  const std::scoped_lock lock{mutex_};
  const auto busy = std::ranges::count(sessions_, brownout::time_point::max(), &session::idle_since);
  const auto serving = static_cast<std::size_t>(busy);
  return {.threads = options_.threads,
          .busy = responder_.busy_workers(),
          .serving = serving,
          .idle = sessions_.size() - serving,
          .limit = options_.connections,
          .refused = refused_};
}

void http_server::engine::refuse(session_socket socket) {
  // A place that is only held is given up within `head_timeout`. The clients get different times, so that
  // they do not all come back together.
  const auto longest = std::chrono::ceil<std::chrono::seconds>(options_.head_timeout).count();
  const auto wait = std::to_string(1 + connections().refused % static_cast<std::uint64_t>(longest));
  exchange subject{.about = gate::refuse(error(503, "overloaded", "Every connection is taken; try again.",
                                               {{"Retry-After", wait}}),
                                         address_of_peer(socket)),
                   .started = brownout::monotonic_clock{}.now(),
                   .closing = true};
  const auto text = responder_.answer(subject, {});
  // Here nothing may be waited for. What the client has sent is read, or closing would reset the connection.
  error_code ignored;
  std::array<char, 4096> discarded;  // NOLINT(cppcoreguidelines-pro-type-member-init): it is never read
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(session_socket::shutdown_send, ignored);
  socket.read_some(asio::buffer(discarded), ignored);
}

template <class Condition>
std::vector<std::shared_ptr<session>> http_server::engine::sessions_that(Condition condition) {
  std::vector<std::shared_ptr<session>> found;  // they must not end while the lock is held
  const std::scoped_lock lock{mutex_};
  for (auto* each : sessions_) {
    if (!condition(*each)) continue;
    if (auto alive = each->weak_from_this().lock()) found.push_back(std::move(alive));
  }
  return found;
}

void http_server::engine::check_deadlines() {
  for (const auto& late : sessions_that(
           [time = brownout::monotonic_clock{}.now()](const session& each) { return each.is_late(time); }))
    late->expire();
  deadlines_.expires_after(deadline_check);
  deadlines_.async_wait([this](error_code failed) {
    if (!failed) check_deadlines();
  });
}

void http_server::engine::begin_stopping() {
  {
    const std::scoped_lock lock{mutex_};
    if (std::exchange(stopping_, true)) return;
  }
  asio::post(accepting_, [this] {
    error_code ignored;
    acceptor_.close(ignored);
  });
  for (const auto& each : sessions_that([](const session&) { return true; })) each->stop();
}

void http_server::engine::stop() {
  begin_stopping();
  std::unique_lock lock{mutex_};
  all_ended_.wait(lock, [this] { return sessions_.empty(); });
}

bool http_server::engine::stop(std::chrono::milliseconds limit) {
  begin_stopping();
  std::unique_lock lock{mutex_};
  return all_ended_.wait_for(lock, limit, [this] { return sessions_.empty(); });
}

http_server::http_server(http_options options, json_log& log)
    : engine_(std::make_unique<engine>(std::move(options), log)) {}
http_server::~http_server() = default;

void http_server::route(std::string method, std::string path, std::string label, access who, handler answer,
                        quota counted_as, run_by runner) {
  constexpr std::array<std::string_view, 6> known{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  if (std::ranges::find(known, method) == known.end()) {
    throw std::invalid_argument("route " + method + " " + path +
                                ": the method must be GET, POST, PUT, PATCH, DELETE or OPTIONS");
  }
  engine_->answers().add({.method = std::move(method),
                          .path = std::move(path),
                          .label = std::move(label),
                          .who = who,
                          .counted_as = counted_as,
                          .answer = std::move(answer),
                          .runner = runner});
}

void http_server::on_request(request_listener listener) {
  engine_->answers().listen_to_requests(std::move(listener));
}
std::uint16_t http_server::bind(const std::string& host, std::uint16_t port) {
  return engine_->open(host, port);
}
void http_server::start() {
  engine_->start();
}
void http_server::begin_drain() noexcept {
  engine_->answers().drain();
}
bool http_server::draining() const noexcept {
  return engine_->answers().is_draining();
}
connection_usage http_server::connections() const {
  return engine_->connections();
}
void http_server::stop() {
  engine_->stop();
}
bool http_server::stop(std::chrono::milliseconds limit) {
  return engine_->stop(limit);
}

}  // namespace staging
