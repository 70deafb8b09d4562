// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/generator.hpp"
#include "staging/resources.hpp"

#include <functional>
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

struct judged_row {
  row seen;
  goals wanted;
};

/// A goal that a row misses.
struct miss {
  std::string what;      ///< with its figure
  bool is_late = false;  ///< what another process on the machine can cause
};

/// Prints rows as they come, judges them, and remembers what was missed.
class report {
 public:
  report();

  /// Measures a phase, once more and then a third time if it is late. The last time counts.
  void add(const std::function<std::vector<judged_row>()>& phase);
  /// Takes a row that can't be measured again.
  void add(judged_row one);
  /// A line that is no row. `missed`: it tells of a goal that was missed.
  void say(const std::string& line, bool missed = false);

  [[nodiscard]] bool all_met() const noexcept { return missed_ == 0; }
  void end() const;

 private:
  void print_row(row one, const goals& wanted, const std::vector<miss>& missed, bool final) const;

  int missed_ = 0;
};

/// The goals that the row misses.
[[nodiscard]] std::vector<miss> missed_by(row& one, const goals& wanted);

}  // namespace staging_load
