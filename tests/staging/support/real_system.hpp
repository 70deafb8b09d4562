// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/support/real_server.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

namespace staging_tests {

/// The four real servers, started once for all tests of this program.
///
/// A missing one fails every test that needs it, by name. The OpenAI stand-in alone may be missing, where
/// Node is too old for it; then the staging server simulates OpenAI, and the tests say so and drive the
/// simulation.
class real_system {
 public:
  /// Throws `std::runtime_error` naming the server that does not start.
  static real_system& instance();

  /// By name: openai, database, redis, s3. Throws when it is the missing stand-in.
  [[nodiscard]] real_server& server(std::string_view dependency);
  [[nodiscard]] bool has_openai() const noexcept { return servers_[0] != nullptr; }

  /// Wires the staging server to all of them; recovery and probing fast enough for tests, hysteresis 0.
  [[nodiscard]] variables environment() const;

 private:
  real_system();

  temporary_directory directory_;
  std::array<std::unique_ptr<real_server>, 4> servers_;  // in the order of the dependencies
};

}  // namespace staging_tests
