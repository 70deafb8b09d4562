// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace staging_load {

using namespace std::chrono_literals;
using load_clock = std::chrono::steady_clock;

/// Requests that come at a rate of their own, whether earlier ones have been answered or not: at random
/// moments, as those of many independent clients do.
struct segment {
  std::string name;
  double from = 0;  ///< requests a second at its beginning
  double to = 0;    ///< and at its end; linear in between
  std::chrono::duration<double> length{};
};

/// What came of the requests of a segment, or of a number of clients.
struct outcome {
  std::uint64_t requests = 0;
  std::map<int, std::uint64_t> statuses{};
  std::map<std::string, std::uint64_t> refusals{};  ///< answers with 503, by who gave them
  std::map<std::string, std::uint64_t> errors{};    ///< requests without an answer, by reason
  std::vector<float> latencies{};  ///< of the answers, in ms, from the moment when each request was due
  double seconds = 0;              ///< until the last answer

  [[nodiscard]] std::uint64_t answered() const noexcept { return latencies.size(); }
  [[nodiscard]] std::uint64_t server_errors() const;  ///< answers with 500 or more
  [[nodiscard]] std::uint64_t lost() const;           ///< requests without an answer
  /// `share` in [0, 1]; 0 without answers. Sorts.
  [[nodiscard]] double percentile(double share);
};

/// Where the requests go, and what they say.
struct target {
  int port = 0;
  std::string request;                 ///< whole, to be kept alive
  std::size_t connections = 1'000;     ///< at most; a request for which none is free waits, and that counts
  load_clock::duration timeout = 10s;  ///< for an answer, from the moment when the request was due
};

/// Sends the segments one after another, without a pause. An answer counts for the segment in which its
/// request was due. Returns when all requests are answered or given up. Throws `interrupted`.
[[nodiscard]] std::vector<outcome> at_rates(const target& to, const std::vector<segment>& plan);

/// Clients that each send a request when the one before is answered, until so many requests are sent or the
/// time is over. Throws `interrupted`.
[[nodiscard]] outcome by_clients(const target& to, std::size_t clients, std::uint64_t requests,
                                 std::chrono::duration<double> limit);

/// Thrown by what takes time when the process was told to end.
struct interrupted {};

/// From here on SIGINT, SIGTERM and SIGHUP end the process by way of `interrupted`.
void catch_signals();
/// Throws `interrupted` if such a signal has come.
void check_signals();

}  // namespace staging_load
