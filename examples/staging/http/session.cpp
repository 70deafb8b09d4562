// SPDX-License-Identifier: BSL-1.0
#include "http/session.hpp"

#include <fcntl.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace staging {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr auto linger_patience = 500ms;  // how long a peer may take to notice that the connection ends
constexpr std::size_t linger_limit = 1U << 20U;  // bytes that it may still send
constexpr auto never = brownout::time_point::max();

brownout::time_point now() noexcept {
  return brownout::monotonic_clock{}.now();
}

}  // namespace

ip_address address_of_peer(const session_socket& socket) {
  error_code unknown;
  const auto address = socket.remote_endpoint(unknown).address();
  if (unknown) return {};
  auto v6 =
      address.is_v6() ? address.to_v6() : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4());
  v6.scope_id(0);
  return ip_address::parse(v6.to_string()).value_or(ip_address{});
}

session::session(session_socket socket, asio::io_context& workers, responder& answers,
                 const http_options& limits, std::function<void(session&)> ended)
    : socket_(std::move(socket)),
      workers_(workers),
      answers_(answers),
      limits_(limits),
      ended_(std::move(ended)),
      peer_(address_of_peer(socket_)),
      deadline_(never),
      idle_since_(now()) {
  error_code ignored;  // of a peer that is gone already: reading will say so
  fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);  // whole answers are sent at once
}

session::~session() {
  ended_(*this);
}

void session::start() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] { self->await_request(); });
}

bool session::is_late(brownout::time_point now) const noexcept {
  return now >= deadline_.load(std::memory_order_relaxed);
}

brownout::time_point session::idle_since() const noexcept {
  return idle_since_.load(std::memory_order_relaxed);
}

void session::expire() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    if (!self->is_late(now())) return;
    if (self->phase_ == phase::head) {
      self->refuse(error(408, "request_timeout", "The headers took too long."));
    } else if (self->phase_ == phase::body) {
      self->refuse(error(408, "request_timeout", "The body took too long."));
    } else {
      self->close();
    }
  });
}

void session::make_room() {
  idle_since_.store(never, std::memory_order_relaxed);  // so that the next one asks another session
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] { self->close_if_idle(); });
}

// A request that has been sent is served, even if it has not been read.
void session::close_if_idle() {
  error_code ignored;
  if (phase_ == phase::idle && socket_.available(ignored) == 0) close();
}

void session::stop() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    self->stopping_ = true;
    self->close_if_idle();
    // A head comes in one piece; one that does not may have its end a little later, and no more.
    if (self->phase_ == phase::head)
      self->deadline_.store(
          std::min(self->deadline_.load(std::memory_order_relaxed), now() + linger_patience),
          std::memory_order_relaxed);
  });
}

void session::enter(phase next, brownout::duration at_most) {
  phase_ = next;
  const auto time = now();
  deadline_.store(time + at_most, std::memory_order_relaxed);
  if (next != phase::idle)
    idle_since_.store(never, std::memory_order_relaxed);
  else if (idle_since() == never)
    idle_since_.store(time, std::memory_order_relaxed);
}

void session::await_request() {
  scanner_ = {};
  if (input_.empty()) {
    if (stopping_) return close();
    enter(phase::idle, served_ == 0 ? limits_.head_timeout : limits_.keep_alive_timeout);
    wait_readable();
  } else {
    subject_.emplace(exchange{.about = {}, .started = now()});
    enter(phase::head, limits_.head_timeout);
    read_head();
  }
}

void session::wait_readable() {
  if (std::exchange(waiting_, true)) return;
  socket_.async_wait(session_socket::wait_read, [self = shared_from_this()](error_code failed) {
    self->waiting_ = false;
    if (!failed) self->read();
  });
}

void session::read() {
  std::array<char, 16'384> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): its beginning is filled
  error_code failed;
  const auto size = socket_.read_some(asio::buffer(buffer), failed);
  if (failed == asio::error::would_block) return wait_readable();
  if (failed) {  // a reset is as gone as a clean end
    if (phase_ == phase::body) return refuse(error(400, "malformed_request", "The body is incomplete."));
    if (phase_ != phase::answering) close();
    return;
  }
  if (phase_ == phase::lingering) {
    discarded_ += size;
    return discarded_ > linger_limit ? close() : wait_readable();
  }
  input_.append(buffer.data(), size);
  switch (phase_) {
    case phase::idle:
      return await_request();
    case phase::head:
      return read_head();
    case phase::body:
      return read_body();
    case phase::answering:
    case phase::lingering:
      return;
  }
}

void session::read_head() {
  switch (scanner_.scan(input_, limits_.head_limit)) {
    case head_scanner::progress::incomplete:
      return wait_readable();
    case head_scanner::progress::complete:
      return head_complete(scanner_.head(input_));
    case head_scanner::progress::line_too_long:
      return refuse(error(414, "uri_too_long", "The request line is too long."));
    case head_scanner::progress::too_large:
      return refuse(error(431, "headers_too_large", "The headers are too large."));
    case head_scanner::progress::malformed:
      return refuse(error(400, "malformed_request", "Every line of a head must end with CR LF."));
  }
}

void session::head_complete(std::string_view text) {
  subject_->about = answers_.examine(text, peer_, subject_->started);
  input_.erase(0, scanner_.size());
  const auto& about = subject_->about;
  subject_->closing = about.refusal || !about.head.keeps_alive || served_ + 1 == limits_.keep_alive_requests;
  body_.clear();
  chunks_.reset();
  if (about.refusal || !(about.head.chunked || about.head.content_length > 0)) return answer();

  if (about.head.chunked) chunks_.emplace(limits_.payload_limit);
  enter(phase::body, limits_.body_timeout);
  if (about.head.expects_continue) {
    constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
    error_code failed;  // a peer that has not taken so little before is not waiting for it
    if (socket_.write_some(asio::buffer(interim), failed) != interim.size()) return close();
  }
  read_body();
}

void session::read_body() {
  const auto length = subject_->about.head.content_length;
  if (!chunks_) {
    if (input_.size() < length) return wait_readable();
    body_ = input_.substr(0, length);
    input_.erase(0, length);
    return answer();
  }
  switch (chunks_->take(input_)) {
    case chunked_body::progress::incomplete:
      return wait_readable();
    case chunked_body::progress::complete:
      body_ = std::move(chunks_->content());
      return answer();
    case chunked_body::progress::malformed: {
      auto why = error(400, "malformed_request", "The body is malformed.");
      why.field = "body";
      return refuse(std::move(why));
    }
    case chunked_body::progress::too_large:
      return refuse(error(413, "payload_too_large",
                          "The body may have " + std::to_string(limits_.payload_limit) + " bytes."));
  }
}

void session::refuse(error_answer why) {
  auto& about = subject_->about;
  // Before the gate has seen it, a request has no id.
  if (about.subject.id.empty())
    about = gate::refuse(std::move(why), peer_);
  else
    about.refusal = std::move(why);
  subject_->closing = true;
  answer();
}

void session::answer() {
  phase_ = phase::answering;
  deadline_.store(never, std::memory_order_relaxed);  // the route has limits of its own
  subject_->closing = subject_->closing || stopping_;
  if (responder::never_waits(*subject_))
    return begin_sending(answers_.answer(*subject_, std::exchange(body_, {})));
  asio::post(workers_, [self = shared_from_this()] {
    auto text = self->answers_.answer(*self->subject_, std::exchange(self->body_, {}));
    asio::post(self->socket_.get_executor(),
               [self, text = std::move(text)]() mutable { self->begin_sending(std::move(text)); });
  });
}

void session::begin_sending(std::string text) {
  output_ = std::move(text);
  sent_ = 0;
  enter(phase::answering, limits_.write_timeout);
  // Before the client can know it, so that those answered earlier have been idle longer.
  if (!subject_->closing && input_.empty()) idle_since_.store(now(), std::memory_order_relaxed);
  send();
}

void session::send() {
  while (sent_ < output_.size()) {
    error_code failed;
    sent_ += socket_.write_some(asio::buffer(output_) + sent_, failed);
    if (failed == asio::error::would_block) {
      idle_since_.store(never, std::memory_order_relaxed);
      socket_.async_wait(session_socket::wait_write, [self = shared_from_this()](error_code gone) {
        if (!gone) self->send();
      });
      return;
    }
    if (failed) return close();
  }
  output_ = {};
  ++served_;
  if (subject_->closing) return linger();
  if (input_.empty()) return await_request();
  // Others first: a client that sends many requests at once must not keep the thread.
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->await_request(); });
}

// Closing with unread bytes would reset the connection, and the last answer with it: an end of file goes
// first, then what the peer still sends is thrown away for a while.
void session::linger() {
  error_code ignored;
  socket_.shutdown(session_socket::shutdown_send, ignored);
  input_ = {};
  enter(phase::lingering, linger_patience);
  wait_readable();
}

void session::close() {
  deadline_.store(never, std::memory_order_relaxed);
  idle_since_.store(never, std::memory_order_relaxed);
  error_code ignored;
  socket_.close(ignored);  // what waits for it ends, and this with it
}

}  // namespace staging
