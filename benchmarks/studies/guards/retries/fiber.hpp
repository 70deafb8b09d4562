// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ucontext.h>

#include <csetjmp>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace studies::guards {

/// A function that stops where it waits and goes on later, all on one thread. So a `retry` that waits lets
/// other calls go on, and thousands of calls are in flight in one thread.
class fiber {
 public:
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;

  /// Runs `body` until it stops or ends. Not to be called in a fiber. `body` must not throw.
  static void start(std::function<void()> body) {
    if (idle().empty()) idle().push_back(&all().emplace_back(new fiber)->prepared());
    auto& chosen = *idle().back();
    idle().pop_back();
    chosen.body_ = std::move(body);
    chosen.resume();
  }

  /// The fiber that runs.
  [[nodiscard]] static fiber& current() { return *running(); }

  /// Stops the fiber that runs until it is resumed.
  static void stop() {
    auto& self = *std::exchange(running(), nullptr);
    go(self.inside_, outside());
  }

  /// Not to be called in a fiber.
  void resume() {
    running() = this;
    go(outside(), inside_);
  }

 private:
  // No multiple of a page: else the tops of all stacks would share a few lines of the cache.
  static constexpr std::size_t stack_size = 40'000;

  fiber() = default;

  static fiber*& running() {
    static fiber* one = nullptr;
    return one;
  }
  static std::jmp_buf& outside() {
    static std::jmp_buf one;
    return one;
  }
  static ucontext_t& maker() {
    static ucontext_t one{};
    return one;
  }
  static std::vector<std::unique_ptr<fiber>>& all() {
    static std::vector<std::unique_ptr<fiber>> ones;
    return ones;
  }
  static std::vector<fiber*>& idle() {
    static std::vector<fiber*> ones;
    return ones;
  }

  /// From one stack to another. `swapcontext` would call the kernel each time for the mask of signals.
  static void go(std::jmp_buf& from, std::jmp_buf& to) {
    if (_setjmp(from) == 0) _longjmp(to, 1);
  }

  /// Makes its stack, with `run_bodies` on it.
  fiber& prepared() {
    ucontext_t there{};
    getcontext(&there);
    there.uc_stack.ss_sp = stack_.get();
    there.uc_stack.ss_size = stack_size;
    makecontext(&there, &begin, 0);
    running() = this;
    swapcontext(&maker(), &there);
    return *this;
  }
  static void begin() {
    if (_setjmp(current().inside_) == 0) setcontext(&maker());  // to the rest of `prepared`
    run_bodies();
  }

  static void run_bodies() {
    auto& self = current();
    for (;;) {
      self.body_();
      self.body_ = nullptr;
      idle().push_back(&self);
      stop();
    }
  }

  std::unique_ptr<std::byte[]> stack_{new std::byte[stack_size]};
  std::jmp_buf inside_{};
  std::function<void()> body_{};
};

}  // namespace studies::guards
