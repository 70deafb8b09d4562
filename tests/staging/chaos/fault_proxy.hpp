// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

namespace staging_chaos {

/// What a dependency does to its callers. The first two happen to its processes, the others on the way to it.
enum class fault : std::uint8_t {
  killed,
  stopped,
  refused,
  reset,
  black_hole,
  slow,
  garbage,
  half_failing,
};
inline constexpr fault all_faults[] = {fault::killed,  fault::stopped,     fault::refused,
                                       fault::reset,   fault::black_hole,  fault::slow,
                                       fault::garbage, fault::half_failing};
/// Those that a proxy can make.
inline constexpr fault faults_on_the_way[] = {fault::refused, fault::reset, fault::black_hole, fault::slow,
                                              fault::garbage};

[[nodiscard]] std::string_view to_string(fault) noexcept;

/// Stands between the staging server and a real server on loopback, and passes bytes on or makes a fault.
///
/// Thread-safe. It has a thread of its own.
class fault_proxy {
 public:
  /// Listens on a free port. Throws `std::system_error` if there is none.
  explicit fault_proxy(int target_port);
  ~fault_proxy();
  fault_proxy(const fault_proxy&) = delete;
  fault_proxy& operator=(const fault_proxy&) = delete;

  [[nodiscard]] int port() const noexcept;

  /// Makes this fault from now on, also to connections that are open. Returns when it has begun.
  void begin(fault);
  /// Passes everything on again. Connections that a fault has spoilt are closed.
  void end();

 private:
  class engine;
  std::unique_ptr<engine> engine_;
};

}  // namespace staging_chaos
