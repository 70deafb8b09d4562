// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>

namespace staging_tests {

/// A pipe that takes nothing more and that nobody reads.
class full_pipe {
 public:
  full_pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error{"no pipe"};
    const std::string filling(4096, '.');
    while (write(ends_[1], filling.data(), filling.size()) > 0) {
    }
    while (write(ends_[1], filling.data(), 1) > 0) {
    }
    fcntl(ends_[1], F_SETFL, 0);  // whoever writes from now on waits
  }
  ~full_pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  full_pipe(const full_pipe&) = delete;
  full_pipe& operator=(const full_pipe&) = delete;

  [[nodiscard]] int writer() const noexcept { return ends_[1]; }

  /// Throws away what is in the pipe; never waits.
  void drain() const {
    std::array<char, 65'536> thrown_away;
    while (read(ends_[0], thrown_away.data(), thrown_away.size()) > 0) {
    }
  }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace staging_tests
