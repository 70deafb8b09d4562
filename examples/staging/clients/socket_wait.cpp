// SPDX-License-Identifier: BSL-1.0
#include "clients/socket_wait.hpp"

#include "clients/client_error.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace staging {

std::optional<std::chrono::milliseconds> remaining(const call_context& context) {
  const auto now = brownout::monotonic_clock{}.now();
  if (now >= context.deadline) return std::nullopt;
  constexpr brownout::duration day = std::chrono::hours{24};
  return std::chrono::ceil<std::chrono::milliseconds>(std::min(context.deadline - now, day));
}

socket_wait::wakeup::wakeup() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw client_error("no file descriptor left");
}

socket_wait::wakeup::~wakeup() {
  ::close(descriptor_);
}

void socket_wait::wakeup::raise() const noexcept {
  // Can only fail when it is raised already.
  static_cast<void>(::eventfd_write(descriptor_, 1));
}

socket_wait::socket_wait(const call_context& context)
    : context_(context), on_stop_(context.stop, raise_on_stop{wakeup_}) {}

short socket_wait::until(int socket, short events) {
  for (;;) {
    if (context_.stop.stop_requested()) throw given_up();
    const auto left = remaining(context_);
    if (!left) throw timed_out();

    std::array<pollfd, 2> watched{{{socket, events, 0}, {wakeup_.descriptor(), POLLIN, 0}}};
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(left->count()));
    if (ready < 0 && errno != EINTR) throw client_error("cannot wait for the connection");
    if (ready > 0 && watched[0].revents != 0) return watched[0].revents;
  }
}

}  // namespace staging
