// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace staging_tests {

/// Many connections to one port of loopback, on one thread: what they send is up to the test.
class crowd {
 public:
  /// What one connection has been answered.
  struct member {
    int socket = -1;
    std::string received;
    bool closed = false;
    bool changed = false;  // since `receive` looked last

    /// The status of each answer, in order.
    [[nodiscard]] std::vector<int> statuses() const;
    /// Whether the last answer, which has a `Content-Length`, is complete.
    [[nodiscard]] bool answered() const;
  };

  /// `receive_buffer`: bytes that each socket takes at most before it is read; 0: what the system takes.
  explicit crowd(int port, int receive_buffer = 0);
  ~crowd();
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  /// Connects `count` more. `from`: the address that they come from. Throws `std::runtime_error` when that
  /// fails.
  void join(std::size_t count, const char* from = "127.0.0.1");

  /// Sends; a connection that the other side has ended is marked so.
  void send(std::size_t which, std::string_view bytes);

  /// Connects again what the other side has closed. Returns how many that were.
  std::size_t reopen();

  /// Takes what arrives until `limit` is over, or each connection is closed or `done`.
  template <class Done>
  void receive(std::chrono::milliseconds limit, Done done) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::vector<std::size_t> waiting;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].closed && !done(members_[i])) waiting.push_back(i);
    }
    while (!waiting.empty() && std::chrono::steady_clock::now() < deadline) {
      receive_some(waiting);
      std::erase_if(waiting, [&](std::size_t i) {
        const bool changed = std::exchange(members_[i].changed, false);
        return changed && (members_[i].closed || done(members_[i]));
      });
    }
  }

  [[nodiscard]] std::vector<member>& members() noexcept { return members_; }

 private:
  [[nodiscard]] int connected(const char* from) const;
  void receive_some(const std::vector<std::size_t>& waiting);

  int port_;
  int receive_buffer_;
  std::vector<member> members_;
};

/// Sends to a port, and returns the status of the first answer; 0 when none arrives within 5 s. `took` gets
/// how long it took.
int status_of(int port, const std::string& request, std::chrono::milliseconds* took = nullptr,
              const char* from = "127.0.0.1");

}  // namespace staging_tests
