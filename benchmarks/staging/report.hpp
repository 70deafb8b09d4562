// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/generator.hpp"
#include "staging/resources.hpp"

#include <optional>
#include <string>
#include <vector>

namespace staging_load {

/// What a phase must reach. What is empty is not judged.
struct goals {
  bool no_server_errors = false;    ///< no answer with 500 or more
  bool no_errors = false;           ///< no request without an answer
  std::optional<double> p95{};      ///< ms, at most
  std::optional<double> p99{};      ///< ms, at most
  std::optional<double> slowest{};  ///< ms, at most
  std::optional<double>
      growth{};  ///< MiB of the server's memory, at most; and no descriptor more than before
};

/// A row of the table.
struct row {
  std::string phase;
  std::string target;   ///< "direct", "HAProxy" or "bare"
  std::string offered;  ///< a rate or a number of clients
  outcome found{};
  resources before{};  ///< of the server
  resources after{};
};

/// Prints rows as they come, judges them, and remembers what was missed.
class report {
 public:
  report();

  void add(row one, const goals& wanted);
  /// A line that is no row. `missed`: it tells of a goal that was missed.
  void say(const std::string& line, bool missed = false);

  [[nodiscard]] bool all_met() const noexcept { return missed_ == 0; }
  void end() const;

 private:
  int missed_ = 0;
};

/// The goals that the row misses, each with its figure.
[[nodiscard]] std::vector<std::string> missed_by(row& one, const goals& wanted);

}  // namespace staging_load
