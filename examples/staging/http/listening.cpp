// SPDX-License-Identifier: BSL-1.0
#include "http/listening.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>

namespace staging {

using namespace std::chrono_literals;

listening_server::listening_server(json_log& log)
    : log_(log), stop_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (stop_event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  // SO_REUSEADDR alone. The library's default is SO_REUSEPORT, with which two servers share a port and nobody
  // notices.
  set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
}

listening_server::~listening_server() {
  for (const int descriptor : {stop_event_, listener_, retired_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

std::uint16_t listening_server::open(const std::string& host, std::uint16_t port) {
  if (listener_ >= 0) throw std::logic_error("http_server: bound already");
  errno = 0;
  const int bound = port == 0 ? bind_to_any_port(host) : (bind_to_port(host, port) ? port : -1);
  if (bound < 0) {
    const int reason = errno;
    const auto why = reason == EADDRINUSE ? std::string{"the port is in use"}
                     : reason == 0        ? std::string{"the host is unknown"}
                                          : std::generic_category().message(reason);
    throw std::runtime_error("cannot listen on " + host + ":" + std::to_string(port) + ": " + why);
  }
  // The library asks for a backlog of 5; a burst of clients beyond it would wait a second for its SYN to be
  // resent.
  ::listen(svr_sock_, SOMAXCONN);
  listener_ = fcntl(svr_sock_, F_DUPFD_CLOEXEC, 0);
  return static_cast<std::uint16_t>(bound);
}

void listening_server::serve_until_stopped() {
  {
    const std::scoped_lock lock{mutex_};
    if (listener_ < 0) throw std::logic_error("http_server: run without bind");
    if (stopping_) return;
    running_ = true;
  }
  const auto end = [this] {
    const std::scoped_lock lock{mutex_};
    running_ = false;
    changed_.notify_all();
  };
  try {
    accept_until_stopped();
  } catch (...) {
    end();
    throw;
  }
  end();
}

void listening_server::accept_until_stopped() {
  while (!listen_after_bind()) {
    // The library gives up, and closes its descriptor, when accepting fails for want of anything but
    // descriptors (memory, most likely). That passes.
    std::unique_lock lock{mutex_};
    retired_ = -1;
    if (stopping_) return;
    log_.error("accepting connections failed; trying again");
    if (changed_.wait_for(lock, 100ms, [this] { return stopping_; })) return;
    svr_sock_ = fcntl(listener_, F_DUPFD_CLOEXEC, 0);
  }
}

void listening_server::stop_serving() {
  begin_stopping();
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return !running_; });
}

bool listening_server::stop_serving(std::chrono::milliseconds limit) {
  begin_stopping();
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, limit, [this] { return !running_; });
}

void listening_server::begin_stopping() {
  const std::scoped_lock lock{mutex_};
  if (stopping_) return;
  stopping_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(stop_event_, &one, sizeof one);
  // The library's own stop closes the descriptor while another thread accepts on it; whatever is opened next
  // could get its number. Shutting the socket down wakes that thread as well, and closing can wait.
  retired_ = svr_sock_.exchange(INVALID_SOCKET);
  if (listener_ >= 0) shutdown(listener_, SHUT_RDWR);
  changed_.notify_all();
}

}  // namespace staging
