// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "http/client_address.hpp"

#include <httplib.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace staging {

/// One client's socket: reads heads itself, and shows cpp-httplib a message of our making followed by the
/// body.
///
/// The library is never shown what a client wrote above its body, so nothing that its parser takes too
/// lightly (conflicting lengths, endless lines, ranges, encodings) can be reached. Reads have deadlines, not
/// time-outs; what is written is held back until `flush`, so an answer leaves in one piece. Bytes after a
/// body stay for the next request.
class connection final : public httplib::Stream {
 public:
  enum class readiness {
    readable,   ///< there is something to read, or the peer is gone
    timed_out,  ///< nothing came until the deadline
    given_up    ///< the server stops, or `give_up` said so
  };
  enum class head_result {
    complete,       ///< `head()` has it
    gone,           ///< the peer closed before it was complete
    timed_out,      ///< it was not complete by the deadline
    line_too_long,  ///< not even the request line fits the limit
    too_large,      ///< the headers do not fit the limit
    malformed       ///< a line that does not end with CR LF
  };

  /// Owns `socket`. `stop` becomes readable when the server stops. `peer` may be anything for a socket
  /// without one.
  connection(int socket, int stop, brownout::duration write_timeout);
  ~connection() override;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  [[nodiscard]] const ip_address& peer() const noexcept { return peer_; }

  /// Waits for the first byte of a request. Asks `give_up` again and again after `patience`.
  [[nodiscard]] readiness await(brownout::time_point deadline, brownout::time_point patience,
                                const std::function<bool()>& give_up);

  /// Reads up to the empty line that ends the headers, at most `limit` bytes.
  [[nodiscard]] head_result read_head(std::size_t limit, brownout::time_point deadline);

  /// From the request line to the empty line; valid until the next `read_head`.
  [[nodiscard]] std::string_view head() const noexcept { return head_; }

  /// What `read` gives next: `preamble`, then at most `body_limit` bytes from the client, until `deadline`.
  void present(std::string preamble, std::uint64_t body_limit, brownout::time_point deadline);

  [[nodiscard]] bool body_was_late() const noexcept { return late_; }
  [[nodiscard]] bool body_was_too_large() const noexcept { return exceeded_; }

  /// Sends what was written; false when the peer did not take it in time.
  bool flush();

  /// Says goodbye so that the last answer arrives: an end of file first, then what the peer still sends is
  /// thrown away for `patience` at most. Closing with unread bytes would reset the connection, and the answer
  /// with it.
  void linger(brownout::duration patience);

  [[nodiscard]] bool is_readable() const override;
  [[nodiscard]] bool is_writable() const override;
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override;

 private:
  ssize_t receive(brownout::time_point deadline);
  void consume(std::size_t bytes);

  int socket_;
  int stop_;
  brownout::duration write_timeout_;
  ip_address peer_;
  std::string input_;  // received, not yet read
  std::string head_;
  std::string output_;  // written, not yet sent

  std::string preamble_;
  std::size_t preamble_read_ = 0;
  std::uint64_t body_left_ = 0;
  brownout::time_point body_deadline_;
  bool late_ = false;
  bool exceeded_ = false;
  bool broken_ = false;  // a write failed: nothing more goes out
};

}  // namespace staging
