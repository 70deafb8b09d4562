// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

namespace stress {

inline constexpr std::uint64_t threads = 4;

/// Runs `body(0)` to `body(3)`, each on a thread.
template <class Body>
void on_threads(Body body) {
  std::vector<std::thread> running;
  for (std::uint64_t number = 0; number < threads; ++number) {
    running.emplace_back([&body, number] { body(number); });
  }
  for (auto& one : running) one.join();
}

/// To be called while a limit admits a call. One call in sixteen lets other threads run meanwhile, so that a
/// limit of three is reached on two processors too.
inline void stay_inside(std::uint64_t call) {
  if (call % 16 == 0) std::this_thread::yield();
}

/// What was expected, and whether it holds. `failed()` at the end is the exit status.
class expectations {
 public:
  void expect(bool holds, const char* what) {
    std::printf("stress: %-84s %s\n", what, holds ? "holds" : "DOES NOT HOLD");
    std::fflush(stdout);
    failed_ = failed_ || !holds;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  bool failed_ = false;
};

}  // namespace stress
