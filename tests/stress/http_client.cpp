// SPDX-License-Identifier: BSL-1.0
//
// An HTTP client (Boost.Beast) makes guarded calls with a deadline to a server in the same program, which
// answers, delays, resets, sends garbage, hangs up in the middle of an answer, or never answers:
//
//     cmake --build build/release --target brownout_stress_http_client
//     build/release/tests/stress/brownout_stress_http_client [CALLS]
//
// CALLS: how many in all; 1,000,000 by default. A second breaker, which knows nothing of Boost.Asio, is asked
// and told the same in the same order, at the same times of its clock. Exit status 1 if the breakers decide
// or count differently, if a permit or a place is not given back, or if memory grows.
#include "brownout/asio/async_guard.hpp"
#include "brownout/asio/async_pipeline.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/timeout.hpp"

#include <fmt/format.h>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

std::int64_t live_allocations = 0;  // of this program, which has one thread

}  // namespace

// GCC 12 sees `free` inlined into the end of a `new`, and takes that for a mistake.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void* operator new(std::size_t size) {
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc{};
  ++live_allocations;
  return memory;
}
void operator delete(void* memory) noexcept {
  if (memory != nullptr) --live_allocations;
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using namespace std::chrono_literals;
using boost::system::error_code;
using brownout::errc;
using brownout::outcome;
using net::ip::tcp;

constexpr std::size_t slots = 64;
constexpr auto deadline = 25ms;
constexpr unsigned rounds = 10;

/// The clock of both breakers. It moves between two handlers, and never within one.
struct step_clock {
  [[nodiscard]] brownout::time_point now() const noexcept { return at; }
  static inline brownout::time_point at{};
};

/// Both breakers are made from this. The seed makes their open periods equal.
using breaker = brownout::circuit_breaker<brownout::failure_rate<>, step_clock>;
const brownout::failure_rate<> detector{.threshold = 0.3};
const brownout::breaker_options options{.name = "server", .open_for = 20ms, .seed = 7};

/// Aborts the connection, so that no port waits for late packets.
void close_hard(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(net::socket_base::linger{true, 0}, ignored);
  socket.close(ignored);
}

/// What the server does with one request.
enum class conduct { answer, answer_503, delay, reset, garbage, cut_off, silence };

class session;

class server {
 public:
  explicit server(net::io_context& io) : acceptor_{io, {net::ip::address_v4::loopback(), 0}} { accept(); }

  [[nodiscard]] tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
  void stop() { acceptor_.close(); }

  /// By a fixed random sequence. The last 60 of 2000 requests meet a storm.
  [[nodiscard]] conduct next() {
    const bool is_stormy = requests++ % 2000 >= 1940;
    const auto drawn = random_() % 1000;
    const auto one = is_stormy ? 120U : 6U;  // in a thousand, of each misconduct
    if (drawn >= 6 * one) return conduct::answer;
    return static_cast<conduct>(1 + drawn / one);
  }
  [[nodiscard]] std::chrono::milliseconds next_delay() {
    return std::chrono::milliseconds{1 + random_() % 40};
  }

  std::size_t connections = 0;
  std::uint64_t requests = 0;

 private:
  void accept();

  tcp::acceptor acceptor_;
  std::mt19937 random_{2024};
};

/// One connection of the server.
class session : public std::enable_shared_from_this<session> {
 public:
  session(server& of, tcp::socket socket)
      : server_{of}, socket_{std::move(socket)}, timer_{socket_.get_executor()} {
    ++server_.connections;
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() {
    close_hard(socket_);
    --server_.connections;
  }

  void serve() {
    request_ = {};
    http::async_read(socket_, buffer_, request_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->respond();
    });
  }

 private:
  void respond() {
    switch (server_.next()) {
      case conduct::answer:
        return send(http::status::ok);
      case conduct::answer_503:
        return send(http::status::service_unavailable);
      case conduct::delay:
        timer_.expires_after(server_.next_delay());
        return timer_.async_wait([self = shared_from_this()](error_code) { self->send(http::status::ok); });
      case conduct::reset:
        return close_hard(socket_);
      case conduct::garbage:
        return send("\x01\x7f no HTTP at all\r\n\r\n");
      case conduct::cut_off:
        return send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of an ans");
      case conduct::silence:  // until the client goes
        return socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code) {});
    }
  }
  void send(http::status status) {
    response_ = {status, 11};
    response_.keep_alive(true);
    response_.body() = "a page";
    response_.prepare_payload();
    http::async_write(socket_, response_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->serve();
    });
  }
  void send(const char* text) {
    text_ = text;
    net::async_write(socket_, net::buffer(text_), [self = shared_from_this()](error_code, std::size_t) {
      error_code ignored;
      self->socket_.shutdown(tcp::socket::shutdown_send, ignored);
      self->socket_.async_wait(tcp::socket::wait_read, [self](error_code) {});
    });
  }

  server& server_;
  tcp::socket socket_;
  net::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
  std::string text_;
};

void server::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error) return;
    std::make_shared<session>(*this, std::move(socket))->serve();
    accept();
  });
}

/// A connection of the client, which makes one request after the other.
class connection {
 public:
  connection(net::io_context& io, tcp::endpoint to) : socket_{io}, to_{std::move(to)} {}

  /// Completes with the status of the answer. Each cancellation closes the socket, and calls `told` before.
  template <class Told, class Handler>
  void async_get(const Told& told, Handler handler) {
    is_cancelled_ = false;
    if (auto slot = net::get_associated_cancellation_slot(handler); slot.is_connected()) {
      slot.assign([this, told](net::cancellation_type_t) {
        told();
        is_cancelled_ = true;
        close();
      });
    }
    auto bound = net::bind_cancellation_slot(net::cancellation_slot{}, std::move(handler));
    net::async_compose<decltype(bound), void(error_code, unsigned)>(exchange{*this}, bound, socket_);
  }
  void close() { close_hard(socket_); }

 private:
  struct exchange {
    connection& on;
    int at = 0;

    template <class Self>
    void operator()(Self& self, error_code error = {}, std::size_t = 0) {
      if (!error && on.is_cancelled_) error = net::error::operation_aborted;  // between two steps
      if (error) {
        on.close();
        return self.complete(error, 0);
      }
      if (!on.socket_.is_open()) {
        on.buffer_.clear();
        return on.socket_.async_connect(on.to_, std::move(self));
      }
      switch (at++) {
        case 0:
          return http::async_write(on.socket_, on.request_, std::move(self));
        case 1:
          on.response_ = {};
          return http::async_read(on.socket_, on.buffer_, on.response_, std::move(self));
        default:
          if (!on.response_.keep_alive()) on.close();
          self.complete({}, on.response_.result_int());
      }
    }
  };

  tcp::socket socket_;
  tcp::endpoint to_;
  boost::beast::flat_buffer buffer_;
  bool is_cancelled_ = false;
  http::request<http::empty_body> request_{http::verb::get, "/", 11};
  http::response<http::string_body> response_;
};

/// What all calls together came to.
struct totals {
  std::uint64_t begun = 0;
  std::uint64_t refused = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t unavailable = 0;  // 503
  std::uint64_t failed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t late = 0;  // a success after the deadline
  std::uint64_t cancelled = 0;
  std::uint64_t other_decisions = 0;
  std::uint64_t other_dispositions = 0;
};

/// The classifier of the client.
constexpr auto by_status = [](unsigned status) {
  return status >= 500 ? outcome::failure : outcome::success;
};

/// One caller. It makes a call when the one before has ended.
struct caller {
  caller(net::io_context& io, const tcp::endpoint& to) : wire{io, to}, pause{io}, patience{io} {}

  connection wire;
  net::steady_timer pause;
  net::steady_timer patience;
  net::cancellation_signal signal{};
  bool is_giving_up = false;  // the signal is being emitted
  bool gave_up = false;

  std::optional<brownout::rejection> expected{};    // the refusal of the other breaker
  std::optional<brownout::permit<breaker>> twin{};  // its permit, until the call is settled
  brownout::disposition twin_became{};              // what it did with the outcome

  brownout::rejection refused{};
  brownout::disposition became{};
  brownout::call_report report{};
};

[[nodiscard]] auto pipeline_of(breaker& guard, brownout::bulkhead<>& places) {
  return brownout::pipeline{guard, places, brownout::timeout{.limit = deadline}};
}

class client {
 public:
  client(net::io_context& io, const tcp::endpoint& to)
      : io_{io}, guarded_{io.get_executor(), guard_, {.deadline = deadline}} {
    for (std::size_t i = 0; i < slots; ++i) callers_.push_back(std::make_unique<caller>(io, to));
  }

  /// Makes so many calls more, and returns when they have ended.
  void run(std::uint64_t calls) {
    wanted_ += calls;
    io_.restart();
    for (auto& one : callers_) {
      net::post(io_, [this, who = one.get()] { call(*who); });
    }
    const auto turn = [this] {
      step_clock::at = brownout::monotonic_clock{}.now();
      return io_.run_one();
    };
    while ((made_ < wanted_ || running_ > 0) && turn() > 0) {
    }
    for (auto& one : callers_) {
      one->wire.close();
      one->pause.cancel();
    }
    io_.poll();
  }

  [[nodiscard]] const totals& counted() const noexcept { return counted_; }
  [[nodiscard]] auto guard() const { return guard_.snapshot(); }
  [[nodiscard]] auto other() const { return other_.snapshot(); }
  [[nodiscard]] auto places() const { return places_.snapshot(); }

 private:
  void call(caller& who) {
    if (made_ == wanted_) return;
    const bool is_piped = made_++ % 2 == 1;
    ++running_;
    who.report = {};
    who.gave_up = false;
    ask_other(who);
    auto done = net::bind_cancellation_slot(
        who.signal.slot(),
        net::bind_executor(io_.get_executor(), [this, &who, is_piped](error_code error, unsigned status) {
          end(who, is_piped, error, status);
        }));
    // A cancellation that the caller did not ask for comes from the deadline, of which the breaker knows.
    const auto told = [this, &who] {
      if (!who.is_giving_up) tell_other(who, outcome::failure);
    };
    const auto get = [this, &who, told](auto handler) {
      ++counted_.begun;
      who.wire.async_get(told, std::move(handler));
    };
    if (is_piped) {
      brownout::async_call_as<void(error_code, unsigned)>(through_, get, std::move(done),
                                                          {.report = &who.report}, by_status);
    } else {
      guarded_.async_call_as<void(error_code, unsigned)>(
          get, std::move(done), {.refused = &who.refused, .became = &who.became}, by_status);
    }
    if (who.twin && random_() % 50 == 0) give_up_later(who);
  }
  void give_up_later(caller& who) {
    who.patience.expires_after(std::chrono::microseconds{random_() % 30'000});
    who.patience.async_wait([&who](error_code error) {
      if (error) return;
      who.gave_up = who.is_giving_up = true;
      who.signal.emit(net::cancellation_type::terminal);
      who.is_giving_up = false;
    });
  }

  void end(caller& who, bool is_piped, error_code error, unsigned status) {
    --running_;
    who.patience.cancel();
    const bool was_refused = error == errc::circuit_open;
    if (was_refused || who.expected) {
      ++counted_.refused;
      const auto& said = is_piped && who.report.refused ? *who.report.refused : who.refused;
      if (!was_refused || !who.expected || said.reason != who.expected->reason ||
          said.retry_after != who.expected->retry_after) {
        ++counted_.other_decisions;
      }
      who.pause.expires_after(std::clamp<brownout::duration>(said.retry_after, 2ms, 20ms));
      return who.pause.async_wait([this, &who](error_code stopped) {
        if (!stopped) call(who);
      });
    }
    const bool was_overdue = !who.twin;
    const bool is_late = was_overdue || (is_piped && who.report.late);
    if (!was_overdue) tell_other(who, outcome_of(who, error, status, is_late));
    if (!is_piped && who.became != who.twin_became) ++counted_.other_dispositions;
    ++(!error                     ? (is_late         ? counted_.late
                                     : status == 503 ? counted_.unavailable
                                                     : counted_.succeeded)
       : error == errc::timed_out ? counted_.timed_out
       : who.gave_up              ? counted_.cancelled
                                  : counted_.failed);
    call(who);
  }
  [[nodiscard]] static outcome outcome_of(const caller& who, error_code error, unsigned status,
                                          bool is_late) {
    if (error == errc::timed_out || is_late) return outcome::failure;
    if (error) return who.gave_up ? outcome::cancelled : outcome::failure;
    return by_status(status);
  }

  void ask_other(caller& who) {
    auto asked = other_.try_acquire();
    who.expected.reset();
    if (asked) {
      who.twin.emplace(*std::move(asked));
    } else {
      who.expected = asked.rejection();
    }
  }
  void tell_other(caller& who, outcome ended) {
    if (!who.twin) return;
    who.twin_became = who.twin->complete(ended);
    who.twin.reset();
  }

  net::io_context& io_;
  breaker guard_{detector, options};
  breaker other_{detector, options};
  brownout::bulkhead<> places_{{.name = "connections", .limit = slots}};
  brownout::async_guard<breaker, net::io_context::executor_type> guarded_;
  decltype(pipeline_of(guard_, places_)) through_{pipeline_of(guard_, places_)};
  std::vector<std::unique_ptr<caller>> callers_;
  std::mt19937 random_{42};
  totals counted_;
  std::uint64_t wanted_ = 0;
  std::uint64_t made_ = 0;
  std::size_t running_ = 0;
};

[[nodiscard]] std::int64_t resident_kilobytes() {
  std::ifstream status{"/proc/self/statm"};
  std::int64_t all = 0;
  std::int64_t resident = 0;
  status >> all >> resident;
  return resident * 4;
}

bool holds(bool condition, const char* what) {
  fmt::print("{} {}\n", condition ? "holds:" : "BROKEN:", what);
  return condition;
}

template <class Snapshot>
bool are_equal(const Snapshot& a, const Snapshot& b) {
  return a.state == b.state && a.epoch == b.epoch && a.since == b.since && a.calls == b.calls &&
         a.failures == b.failures && a.failed_results == b.failed_results && a.rejections == b.rejections &&
         a.late_results == b.late_results && a.open_period == b.open_period &&
         a.probes_succeeded == b.probes_succeeded && a.retry_after == b.retry_after;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t calls = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const auto began = std::chrono::steady_clock::now();

  net::io_context io{1};
  server misbehaving{io};
  client calling{io, misbehaving.endpoint()};
  std::array<std::int64_t, rounds> live{};
  std::array<std::int64_t, rounds> resident{};
  for (unsigned round = 0; round < rounds; ++round) {
    calling.run(calls / rounds);
    while (misbehaving.connections > 0) io.run_one();
    live[round] = live_allocations;
    resident[round] = resident_kilobytes();
    fmt::print("after {:9} calls: {} allocations live, {} KiB resident\n", calls / rounds * (round + 1),
               live[round], resident[round]);
  }

  const auto& seen = calling.counted();
  const auto guard = calling.guard();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print("{} calls in {:.1f} s: {} begun, {} refused\n", calls, took.count(), seen.begun, seen.refused);
  fmt::print("{} succeeded, {} had a 503, {} failed, {} timed out, {} succeeded late, {} were cancelled\n",
             seen.succeeded, seen.unavailable, seen.failed, seen.timed_out, seen.late, seen.cancelled);
  fmt::print("breaker: epoch {}, {} failures counted, {} refused, {} late\n", guard.epoch,
             guard.failed_results, guard.rejections, guard.late_results);

  const auto ended =
      seen.succeeded + seen.unavailable + seen.failed + seen.timed_out + seen.late + seen.cancelled;
  bool is_well = holds(ended == seen.begun && ended + seen.refused == calls / rounds * rounds,
                       "every call was begun or refused, and ended once");
  is_well &= holds(seen.other_decisions == 0, "every decision is that of the other breaker");
  is_well &= holds(seen.other_dispositions == 0, "every outcome was taken as by the other breaker");
  is_well &= holds(are_equal(guard, calling.other()), "both breakers count the same");
  is_well &= holds(guard.probes_in_flight == 0, "no call of the breaker is in flight");
  is_well &= holds(calling.places().in_flight == 0, "no place of the bulkhead is taken");
  // The first round fills caches. From the second on nothing may be added, but for what the caches vary.
  is_well &= holds(live[rounds - 1] - live[1] < 100, "no allocation is lost");
  is_well &= holds(resident[rounds - 1] - resident[1] < 2048, "the resident memory does not grow");
  return is_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
