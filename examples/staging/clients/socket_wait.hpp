// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/call_context.hpp"

#include <chrono>
#include <optional>
#include <stop_token>

namespace staging {

/// Time left until the deadline, rounded up to whole milliseconds and at most a day; nothing when it has
/// passed.
///
/// Rounded up, because to the interfaces that take it 0 ms means "not at all" or "for ever".
[[nodiscard]] std::optional<std::chrono::milliseconds> remaining(const call_context& context);

/// The waits of one operation on a socket: each ends by the operation's deadline, and at once when a stop is
/// requested. For one thread; the context must outlive it.
class socket_wait {
 public:
  explicit socket_wait(const call_context& context);
  socket_wait(const socket_wait&) = delete;
  socket_wait& operator=(const socket_wait&) = delete;

  /// Blocks until the socket is ready for one of `events` (those of poll(2)) or has failed, and returns what
  /// poll reported. Throws client_error: timed out, given up.
  short until(int socket, short events);

 private:
  /// An eventfd: readable from the first `raise` on.
  class wakeup {
   public:
    wakeup();
    ~wakeup();
    wakeup(const wakeup&) = delete;
    wakeup& operator=(const wakeup&) = delete;
    void raise() const noexcept;
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

   private:
    int descriptor_;
  };

  struct raise_on_stop {
    const wakeup& target;
    void operator()() const noexcept { target.raise(); }
  };

  const call_context& context_;
  wakeup wakeup_;
  std::stop_callback<raise_on_stop> on_stop_;  // after wakeup_: gone before the descriptor it writes to
};

}  // namespace staging
