// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/chunked_body.hpp"
#include "http/client_address.hpp"
#include "http/head_scanner.hpp"
#include "http/options.hpp"
#include "http/responder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/error_code.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace staging {

/// A socket whose handlers run one after another, on any thread.
using session_socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                     boost::asio::strand<boost::asio::io_context::executor_type>>;

/// The client's address; anything for a socket without one.
[[nodiscard]] ip_address address_of_peer(const session_socket& socket);

/// One client's connection.
///
/// It takes a reader's thread to read what is there, to run a route that never waits, and to send what the
/// client takes at once; and a worker's to run another route. Whatever it waits for, it waits in the reactor,
/// with a deadline: slow clients cost memory, never a thread. It lives until its connection ends.
///
/// The public functions are thread-safe.
class session : public std::enable_shared_from_this<session> {
 public:
  /// `ended` is called from the destructor. `workers`, `answers`, `limits` and what `ended` uses must outlive
  /// this.
  session(session_socket socket, boost::asio::io_context& workers, responder& answers,
          const http_options& limits, std::function<void(session&)> ended);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// Serves until the connection ends.
  void start();

  /// Whether there is something to do for `expire`.
  [[nodiscard]] bool is_late(brownout::time_point now) const noexcept;

  /// Ends what takes longer than it may: with 408 where a request has begun, else without a word.
  void expire();

  /// Since when the client has asked for nothing; `brownout::time_point::max()` when it has.
  [[nodiscard]] brownout::time_point idle_since() const noexcept;

  /// Ends the connection if the client still asks for nothing.
  void make_room();

  /// Ends the connection: now if the client asks for nothing, else after the answer.
  void stop();

 private:
  enum class phase { idle, head, body, answering, lingering };

  void enter(phase next, brownout::duration at_most);
  void await_request();
  void wait_readable();
  void read();
  void read_head();
  void head_complete(std::string_view head);
  void read_body();
  void refuse(error_answer why);
  void answer();
  void begin_sending(std::string text);
  void send();
  void linger();
  void close_if_idle();
  void close();

  session_socket socket_;
  boost::asio::io_context& workers_;
  responder& answers_;
  const http_options& limits_;
  const std::function<void(session&)> ended_;
  const ip_address peer_;

  // Written on the strand, read by the search for late or idle sessions, which then asks on the strand.
  // Relaxed: they publish nothing but themselves.
  std::atomic<brownout::time_point> deadline_;
  std::atomic<brownout::time_point> idle_since_;

  // On the strand only; `subject_` and `body_` on a worker while it runs their route.
  phase phase_ = phase::idle;
  bool waiting_ = false;  // for the socket to be readable
  bool stopping_ = false;
  std::size_t served_ = 0;
  std::string input_;   // received, not yet understood
  std::string output_;  // from `sent_` on not yet sent
  std::size_t sent_ = 0;
  std::size_t discarded_ = 0;
  head_scanner scanner_;
  std::optional<exchange> subject_;
  std::string body_;
  std::optional<chunked_body> chunks_;
};

}  // namespace staging
