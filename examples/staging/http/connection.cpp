// SPDX-License-Identifier: BSL-1.0
#include "http/connection.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace staging {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t output_limit = 1U << 20U;
constexpr auto patience_slice = 50ms;

brownout::time_point now() noexcept {
  return brownout::monotonic_clock{}.now();
}

// Rounded up: rounding down would spin through the last millisecond.
int poll_timeout(brownout::time_point deadline) noexcept {
  const auto left = std::chrono::ceil<milliseconds>(deadline - now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, 60'000));
}

bool wait_for(int socket, short event, brownout::time_point deadline) noexcept {
  pollfd waiting{.fd = socket, .events = event, .revents = 0};
  for (;;) {
    const int ready = poll(&waiting, 1, poll_timeout(deadline));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (now() >= deadline) return false;
  }
}

ip_address address_of(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), static_cast<socklen_t>(text.size()));
  } else if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), static_cast<socklen_t>(text.size()));
  }
  return ip_address::parse(text.data()).value_or(ip_address{});
}

}  // namespace

connection::connection(int socket, int stop, brownout::duration write_timeout)
    : socket_(socket), stop_(stop), write_timeout_(write_timeout) {
  fcntl(socket_, F_SETFD, FD_CLOEXEC);
  fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL, 0) | O_NONBLOCK);  // every wait is a poll with a deadline
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // whole answers are sent at once
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getpeername(socket_, reinterpret_cast<sockaddr*>(&storage), &length) == 0) peer_ = address_of(storage);
}

connection::~connection() {
  close(socket_);
}

connection::readiness connection::await(brownout::time_point deadline, brownout::time_point patience,
                                        const std::function<bool()>& give_up) {
  if (!input_.empty()) return readiness::readable;
  std::array<pollfd, 2> waiting{
      {{.fd = socket_, .events = POLLIN, .revents = 0}, {.fd = stop_, .events = POLLIN, .revents = 0}}};
  for (;;) {
    const int ready =
        poll(waiting.data(), waiting.size(), poll_timeout(std::min(deadline, now() + patience_slice)));
    if (ready < 0 && errno != EINTR) return readiness::given_up;
    if (ready > 0 && waiting[0].revents != 0)
      return readiness::readable;  // even when stopping: it has been sent
    if (ready > 0 && waiting[1].revents != 0) return readiness::given_up;
    const auto time = now();
    if (time >= deadline) return readiness::timed_out;
    if (time >= patience && give_up()) return readiness::given_up;
  }
}

// Takes what is there, and waits for it until the deadline. What is there is taken even after it: its amount
// has limits of its own.
ssize_t connection::receive(brownout::time_point deadline) {
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): recv fills what is used
  for (;;) {
    const auto received = recv(socket_, buffer.data(), buffer.size(), 0);
    if (received > 0) input_.append(buffer.data(), static_cast<std::size_t>(received));
    if (received >= 0) return received;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return 0;  // reset: as gone as a clean end
    if (!wait_for(socket_, POLLIN, deadline)) return -1;
  }
}

void connection::consume(std::size_t bytes) {
  input_.erase(0, bytes);
}

connection::head_result connection::read_head(std::size_t limit, brownout::time_point deadline) {
  std::size_t seen = 0;  // bytes of `input_` looked at
  std::size_t line = 0;  // where the current line begins
  bool has_request_line = false;
  int empty_lines = 0;
  for (;;) {
    for (; seen < input_.size() && seen < limit; ++seen) {
      if (input_[seen] != '\n') continue;
      if (seen == line || input_[seen - 1] != '\r') return head_result::malformed;
      const bool empty = seen == line + 1;
      line = seen + 1;
      if (!empty) {
        has_request_line = true;
      } else if (has_request_line) {
        head_.assign(input_, 0, line);
        head_.erase(0, head_.find_first_not_of("\r\n"));
        consume(line);
        return head_result::complete;
      } else if (++empty_lines > 2) {  // some old clients end a body with one; more is not a request
        return head_result::malformed;
      }
    }
    if (seen >= limit) return has_request_line ? head_result::too_large : head_result::line_too_long;
    const auto received = receive(deadline);
    if (received == 0) return head_result::gone;
    if (received < 0) return head_result::timed_out;
  }
}

void connection::present(std::string preamble, std::uint64_t body_limit, brownout::time_point deadline) {
  preamble_ = std::move(preamble);
  preamble_read_ = 0;
  body_left_ = body_limit;
  body_deadline_ = deadline;
  late_ = exceeded_ = false;
}

ssize_t connection::read(char* to, std::size_t size) {
  if (preamble_read_ < preamble_.size()) {
    const auto given = std::min(size, preamble_.size() - preamble_read_);
    std::copy_n(preamble_.data() + preamble_read_, given, to);
    preamble_read_ += given;
    return static_cast<ssize_t>(given);
  }
  if (size == 0) return 0;
  if (body_left_ == 0) {
    exceeded_ = true;
    return -1;
  }
  if (input_.empty()) {
    if (!flush()) return -1;  // `100 Continue` must be out before its effect is waited for
    const auto received = receive(body_deadline_);
    if (received <= 0) {
      late_ = received < 0;
      return received;
    }
  }
  const auto given = std::min({size, input_.size(), static_cast<std::size_t>(body_left_)});
  std::copy_n(input_.data(), given, to);
  consume(given);
  body_left_ -= given;
  return static_cast<ssize_t>(given);
}

ssize_t connection::write(const char* from, std::size_t size) {
  if (broken_) return -1;
  output_.append(from, size);
  if (output_.size() > output_limit && !flush()) return -1;
  return static_cast<ssize_t>(size);
}

bool connection::flush() {
  const auto deadline = now() + write_timeout_;
  std::size_t sent = 0;
  while (!broken_ && sent < output_.size()) {
    const auto taken = send(socket_, output_.data() + sent, output_.size() - sent, MSG_NOSIGNAL);
    if (taken >= 0) {
      sent += static_cast<std::size_t>(taken);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      broken_ = now() >= deadline || !wait_for(socket_, POLLOUT, deadline);
    } else if (errno != EINTR) {
      broken_ = true;
    }
    if (sent < output_.size() && now() >= deadline) broken_ = true;
  }
  output_.clear();
  return !broken_;
}

void connection::linger(brownout::duration patience) {
  shutdown(socket_, SHUT_WR);
  const auto deadline = now() + patience;
  std::size_t discarded = 0;
  do {
    input_.clear();
    const auto received = receive(deadline);
    if (received <= 0) return;
    discarded += static_cast<std::size_t>(received);
  } while (now() < deadline && discarded < output_limit);
}

bool connection::is_readable() const {
  return wait_for(socket_, POLLIN, body_deadline_);
}
bool connection::is_writable() const {
  return !broken_;
}

void connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = peer_.text();
  port = 0;  // nobody asks for it, and the library would only make a header of it
}

void connection::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

socket_t connection::socket() const {
  return socket_;
}

}  // namespace staging
