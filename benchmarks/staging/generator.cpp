// SPDX-License-Identifier: BSL-1.0
#include "staging/generator.hpp"

#include <sys/socket.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <csignal>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string_view>
#include <utility>

namespace staging_load {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

std::atomic<bool> told_to_end{false};
static_assert(std::atomic<bool>::is_always_lock_free);

/// A request that is due.
struct due {
  load_clock::time_point at;
  std::size_t segment = 0;
  bool again = false;  ///< the connection on which it was sent first had been closed by the server
};

/// Who answered 503, by what the body says.
std::string_view refused_by(std::string_view body) {
  if (body.find("No server can take") != std::string_view::npos) return "HAProxy: no turn";
  if (body.find("Every connection") != std::string_view::npos) return "server: no connection";
  return "server: level";
}

struct head {
  int status = 0;
  std::size_t size = 0;  // with its body
  std::size_t body = 0;  // where that begins
  bool closes = false;
};

/// The answer at the front of `input`; its size is 0 while it is not whole.
head read_head(std::string_view input) {
  const auto end = input.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  std::string lower{input.substr(0, end)};
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  head found{.status = 0,
             .size = 0,
             .body = end + 4,
             .closes = lower.find("connection: close") != std::string::npos};
  std::from_chars(lower.data() + 9, lower.data() + 12, found.status);
  std::size_t length = 0;
  if (const auto at = lower.find("content-length: "); at != std::string::npos)
    std::from_chars(lower.data() + at + 16, lower.data() + lower.size(), length);
  if (input.size() >= found.body + length) found.size = found.body + length;
  return found;
}

/// One connection of a client: connects when there is something to send, and asks for one thing at a time.
class connection {
 public:
  struct events {
    std::function<void(const due&, int status, std::string_view body)> answered;
    std::function<void(const due&, std::string_view why)> failed;
    std::function<void(const due&)> repeat;
    std::function<void(connection&)> free;
  };

  connection(asio::io_context& context, const target& to, const events& tell)
      : to_{to}, tell_{tell}, socket_{context} {}

  [[nodiscard]] bool busy() const noexcept { return busy_; }

  void ask(const due& what) {
    asked_ = what;
    busy_ = true;
    used_ = socket_.is_open();
    if (used_) return send();
    const auto number = ++number_;
    const tcp::endpoint where{asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(to_.port)};
    socket_.async_connect(where, [this, number](error_code failed) {
      if (number != number_) return;
      if (failed) return fail("not connected");
      socket_.set_option(tcp::no_delay{true}, failed);
      receive();
      send();
    });
  }

  void expire(load_clock::time_point now) {
    if (busy_ && now - asked_.at > to_.timeout) fail("timeout");
  }

 private:
  void send() {
    error_code failed;
    asio::write(socket_, asio::buffer(to_.request), failed);
    if (failed) lose();
  }

  void receive() {
    const auto number = number_;
    socket_.async_read_some(asio::buffer(buffer_), [this, number](error_code failed, std::size_t size) {
      if (number != number_) return;  // of an earlier connection
      if (failed) return lose();
      input_.append(buffer_.data(), size);
      if (const auto found = read_head(input_); busy_ && found.size > 0) return finish(found);
      receive();
    });
  }

  void finish(const head& found) {
    tell_.answered(asked_, found.status,
                   std::string_view{input_}.substr(found.body, found.size - found.body));
    input_.clear();
    if (found.closes)
      close();
    else
      receive();
    release();
  }

  /// The other side has closed the connection. That ends a request only if it was the first one there: a
  /// server may close a connection that it believes to be idle at any time.
  void lose() {
    if (!busy_) return close();
    if (!used_ || asked_.again || !input_.empty()) return fail("connection lost");
    close();
    auto again = asked_;
    again.again = true;
    tell_.repeat(again);
    release();
  }

  void fail(std::string_view why) {
    close();
    tell_.failed(asked_, why);
    release();
  }

  void release() {
    busy_ = false;
    tell_.free(*this);
  }

  void close() {
    ++number_;
    error_code ignored;
    socket_.close(ignored);
    input_.clear();
  }

  const target& to_;
  const events& tell_;
  tcp::socket socket_;
  std::array<char, 4096> buffer_{};
  std::string input_{};
  due asked_{};
  unsigned number_ = 0;  // of the connection: what an earlier one still hears does not count
  bool busy_ = false;
  bool used_ = false;  // the request is not the first one of the connection
};

/// Gives requests that are due to free connections.
class run {
 public:
  run(const target& to, std::size_t segments) : to_{to}, outcomes_(segments), last_(segments, began_) {}
  run(const run&) = delete;
  run& operator=(const run&) = delete;

  [[nodiscard]] load_clock::time_point began() const noexcept { return began_; }

  void add(const due& what) {
    ++outcomes_[what.segment].requests;
    waiting_.push_back(what);
    serve();
  }

  /// Called after each answer and failure.
  std::function<void(const due&)> ended = [](const due&) {};

  /// Runs until `feed`, called each millisecond, returns false and nothing is under way any more.
  void until_answered(const std::function<bool()>& feed) {
    asio::steady_timer tick{context_};
    bool more = true;
    std::function<void()> again = [&] {
      check_signals();
      if (more) more = feed();
      give_up_late_ones();
      if (!more && waiting_.empty() && busy_ == 0) return context_.stop();
      tick.expires_after(1ms);
      tick.async_wait([&](error_code) { again(); });
    };
    again();
    context_.run();
  }

  [[nodiscard]] std::vector<outcome> take() {
    for (std::size_t i = 0; i < outcomes_.size(); ++i)
      outcomes_[i].seconds = std::chrono::duration<double>(last_[i] - began_).count();
    return std::move(outcomes_);
  }

 private:
  void serve() {
    while (!waiting_.empty()) {
      if (free_.empty() && connections_.size() < to_.connections)
        free_.push_back(
            connections_.emplace_back(std::make_unique<connection>(context_, to_, events_)).get());
      if (free_.empty()) return;
      auto* one = free_.back();
      free_.pop_back();
      const auto what = waiting_.front();
      waiting_.pop_front();
      ++busy_;
      one->ask(what);
    }
  }

  void give_up_late_ones() {
    const auto now = load_clock::now();
    if (now < next_look_) return;
    next_look_ = now + 100ms;
    while (!waiting_.empty() && now - waiting_.front().at > to_.timeout) {
      fail(waiting_.front(), "not sent in time");
      waiting_.pop_front();
    }
    for (const auto& one : connections_) one->expire(now);
  }

  void fail(const due& what, std::string_view why) {
    ++outcomes_[what.segment].errors[std::string{why}];
    ended(what);
  }

  void count(const due& what, int status, std::string_view body) {
    auto& of = outcomes_[what.segment];
    const auto now = load_clock::now();
    ++of.statuses[status];
    if (status == 503) ++of.refusals[std::string{refused_by(body)}];
    of.latencies.push_back(std::chrono::duration<float, std::milli>(now - what.at).count());
    last_[what.segment] = now;
    ended(what);
  }

  const target& to_;
  load_clock::time_point began_ = load_clock::now();
  std::vector<outcome> outcomes_;
  std::vector<load_clock::time_point> last_;
  asio::io_context context_{1};
  const connection::events events_{
      .answered = [this](const due& what, int status, std::string_view body) { count(what, status, body); },
      .failed = [this](const due& what, std::string_view why) { fail(what, why); },
      .repeat = [this](const due& what) { waiting_.push_front(what); },
      .free =
          [this](connection& one) {
            --busy_;
            free_.push_back(&one);
            serve();
          }};
  std::vector<std::unique_ptr<connection>> connections_{};
  std::vector<connection*> free_{};  // the one that was used last is used next
  std::deque<due> waiting_{};
  std::size_t busy_ = 0;
  load_clock::time_point next_look_{};
};

}  // namespace

std::uint64_t outcome::server_errors() const {
  std::uint64_t all = 0;
  for (const auto& [status, count] : statuses) all += status >= 500 ? count : 0;
  return all;
}

std::uint64_t outcome::lost() const {
  std::uint64_t all = 0;
  for (const auto& [why, count] : errors) all += count;
  return all;
}

double outcome::percentile(double share) {
  if (latencies.empty()) return 0;
  std::ranges::sort(latencies);
  const auto rank = std::ceil(share * static_cast<double>(latencies.size()));
  return static_cast<double>(latencies[static_cast<std::size_t>(std::max(rank, 1.0)) - 1]);
}

std::vector<outcome> at_rates(const target& to, const std::vector<segment>& plan) {
  run sending{to, plan.size()};
  std::mt19937_64 random{1};
  std::exponential_distribution<double> gap{1};
  std::size_t number = 0;
  auto begin = sending.began();
  auto next = begin;
  sending.until_answered([&] {
    const auto now = load_clock::now();
    while (number < plan.size() && next <= now) {
      const auto& part = plan[number];
      const std::chrono::duration<double> into = next - begin;
      if (into >= part.length) {
        begin += std::chrono::duration_cast<load_clock::duration>(part.length);
        next = begin;
        ++number;
        continue;
      }
      sending.add({next, number});
      const double rate = part.from + (part.to - part.from) * (into / part.length);
      // The next request may belong to the next segment.
      const std::chrono::duration<double> step{std::min(gap(random) / rate, (part.length - into).count())};
      next += std::chrono::ceil<load_clock::duration>(step);
    }
    return number < plan.size();
  });
  auto all = sending.take();
  std::chrono::duration<double> start{};
  for (std::size_t i = 0; i < plan.size(); ++i) {
    all[i].seconds -= start.count();
    start += plan[i].length;
  }
  return all;
}

outcome by_clients(const target& to, std::size_t clients, std::uint64_t requests,
                   std::chrono::duration<double> limit) {
  auto of_clients = to;
  of_clients.connections = clients;
  run sending{of_clients, 1};
  std::uint64_t sent = 0;
  const auto wants_more = [&] { return sent < requests && load_clock::now() - sending.began() < limit; };
  const auto send = [&] {
    ++sent;
    sending.add({load_clock::now(), 0});
  };
  sending.ended = [&](const due&) {
    if (wants_more()) send();
  };
  for (std::size_t i = 0; i < clients && wants_more(); ++i) send();
  sending.until_answered(wants_more);
  return std::move(sending.take().front());
}

void catch_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, [](int) { told_to_end = true; });
  std::signal(SIGPIPE, SIG_IGN);
}

void check_signals() {
  if (told_to_end) throw interrupted{};
}

}  // namespace staging_load
