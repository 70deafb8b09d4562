// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/compiler.hpp"
#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

// Which way of changing stacks there is. The first two cost a few nanoseconds, the third a system call.
#if defined(__x86_64__) && !defined(_WIN32)
#define BROWNOUT_FIBERS_OF_X86_64
#elif defined(__aarch64__) && !defined(_WIN32)
#define BROWNOUT_FIBERS_OF_AARCH64
#elif __has_include(<ucontext.h>)
#define BROWNOUT_FIBERS_OF_UCONTEXT
#include <ucontext.h>
#else
#error "brownout/testing/exploration.hpp needs a Unix: it has no way to change stacks on this system"
#endif

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define BROWNOUT_FIBERS_WITH_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BROWNOUT_FIBERS_WITH_ASAN
#endif
#endif
#if defined(BROWNOUT_FIBERS_WITH_ASAN)
#include <sanitizer/asan_interface.h>
#endif

#if defined(_LIBCPP_VERSION) && defined(__cpp_exceptions)
// libc++ has this function of the Itanium ABI as well, and does not declare it.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wreserved-identifier"
namespace __cxxabiv1 {
struct __cxa_eh_globals;
extern "C" __cxa_eh_globals* __cxa_get_globals();
}  // namespace __cxxabiv1
#pragma clang diagnostic pop
#endif

namespace brownout::inline BROWNOUT_ABI::detail {

#if defined(BROWNOUT_FIBERS_OF_X86_64)
/// Leaves this stack, whose pointer goes to `*from`, for another one, whose pointer is `to`. Returns when
/// another call comes back to `*from`.
///
/// What a function keeps for its caller is on the stack then: rbx and rbp by the instructions, since a
/// compiler may use them for itself, the others by the list of what is changed. The 128 bytes below the stack
/// pointer belong to the function. The floating-point control words are left as they are.
BROWNOUT_NOINLINE inline void switch_stack(void** from, void* to) noexcept {
  asm volatile(
      "leaq -128(%%rsp), %%rsp\n\t"
      "pushq %%rbp\n\t"
      "pushq %%rbx\n\t"
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "movq %%rsp, (%%rdi)\n\t"
      "movq %%rsi, %%rsp\n\t"
      "popq %%rax\n\t"
      "jmpq *%%rax\n"
      "1:\n\t"
      "popq %%rbx\n\t"
      "popq %%rbp\n\t"
      "leaq 128(%%rsp), %%rsp\n\t"
      : "+D"(from), "+S"(to)
      :
      : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
        "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
        "xmm15", "memory", "cc");
}

/// A stack on which `switch_stack` begins `entry`. `top`: aligned to 16 bytes.
[[nodiscard]] inline void* prepared_stack(std::byte* top, void (*entry)()) noexcept {
  // `entry` finds the stack as after a call: 8 bytes below a multiple of 16.
  auto* const place = reinterpret_cast<void (**)()>(top - 16);
  *place = entry;
  return place;
}
#elif defined(BROWNOUT_FIBERS_OF_AARCH64)
/// As above. x16 is the register that may jump to the beginning of a function where branches are guarded.
BROWNOUT_NOINLINE inline void switch_stack(void** from, void* to) noexcept {
  register void** saved asm("x0") = from;
  register void* next asm("x1") = to;
  asm volatile(
      "sub sp, sp, #128\n\t"
      "stp x29, x30, [sp, #-16]!\n\t"
      "adr x16, 1f\n\t"
      "stp x16, xzr, [sp, #-16]!\n\t"
      "mov x17, sp\n\t"
      "str x17, [x0]\n\t"
      "mov sp, x1\n\t"
      "ldp x16, x17, [sp], #16\n\t"
      "br x16\n"
      "1:\n\t"
      "hint #36\n\t"  // bti j
      "ldp x29, x30, [sp], #16\n\t"
      "add sp, sp, #128\n\t"
      : "+r"(saved), "+r"(next)
      :
      : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
        "x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "v0", "v1", "v2", "v3",
        "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",
        "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "memory",
        "cc");
}

[[nodiscard]] inline void* prepared_stack(std::byte* top, void (*entry)()) noexcept {
  auto* const place = reinterpret_cast<void (**)()>(top - 16);
  *place = entry;
  return place;
}
#endif

/// A thread of execution in the sense of the language, which runs only while others stand still. Many of them
/// share one thread of the system.
///
/// Not copyable and not movable. All use is by one thread of the system.
class fiber {
 public:
  static constexpr std::size_t stack_size = std::size_t{256} * 1024;

  fiber() = default;
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  ~fiber() = default;

  /// Lets the next `switch_to` begin `entry`, which must not return, on a stack of its own. What ran on it
  /// before is forgotten without an end.
  void prepare(void (*entry)()) {
    if (stack_ == nullptr) stack_ = std::unique_ptr<std::byte[]>(new std::byte[stack_size]);  // uninitialised
#if defined(BROWNOUT_FIBERS_WITH_ASAN)
    // What ran on it has not returned, so the sanitizer takes its variables for present.
    __asan_unpoison_memory_region(stack_.get(), stack_size);
#endif
    for (std::size_t i = 0; i < guard_size; ++i) stack_[i] = guard_byte;
#if defined(BROWNOUT_FIBERS_OF_UCONTEXT)
    getcontext(context_.get());
    context_->uc_stack.ss_sp = stack_.get();
    context_->uc_stack.ss_size = stack_size;
    context_->uc_link = nullptr;
    makecontext(context_.get(), entry, 0);
#else
    auto* const end = stack_.get() + stack_size;
    pointer_ = prepared_stack(end - reinterpret_cast<std::uintptr_t>(end) % 16, entry);
#endif
    exceptions_ = {};
  }

  /// Leaves this fiber, which must be the running one, for `next`.
  void switch_to(fiber& next) noexcept {
    keep_exceptions();
#if defined(BROWNOUT_FIBERS_WITH_ASAN)
    void* own_frames = nullptr;
    __sanitizer_start_switch_fiber(&own_frames, next.stack_ ? next.stack_.get() : next.bottom_,
                                   next.stack_ ? stack_size : next.size_);
#endif
#if defined(BROWNOUT_FIBERS_OF_UCONTEXT)
    swapcontext(context_.get(), next.context_.get());
#else
    switch_stack(&pointer_, next.pointer_);
#endif
#if defined(BROWNOUT_FIBERS_WITH_ASAN)
    __sanitizer_finish_switch_fiber(own_frames, nullptr, nullptr);
#endif
    restore_exceptions();
  }

  /// To be called first in the `entry` of a fiber. `from`: the fiber that came here.
  static void begun([[maybe_unused]] fiber& from) noexcept {
#if defined(__cpp_exceptions) && __has_include(<cxxabi.h>)
    *reinterpret_cast<handled*>(abi::__cxa_get_globals()) = {};
#endif
#if defined(BROWNOUT_FIBERS_WITH_ASAN)
    const void* bottom = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &size);
    if (from.stack_ == nullptr) {
      from.bottom_ = bottom;
      from.size_ = size;
    }
#endif
  }

  /// Whether something was written below the end of its stack.
  [[nodiscard]] bool has_overflown() const noexcept {
    if (stack_ == nullptr) return false;
    for (std::size_t i = 0; i < guard_size; ++i) {
      if (stack_[i] != guard_byte) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t guard_size = 64;
  static constexpr auto guard_byte = std::byte{0xB5};

  // The exceptions that are being handled belong to a thread of the system, so they change with the fiber.
  struct handled {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };
  void keep_exceptions() noexcept {
#if defined(__cpp_exceptions) && __has_include(<cxxabi.h>)
    exceptions_ = *reinterpret_cast<handled*>(abi::__cxa_get_globals());
#endif
  }
  void restore_exceptions() noexcept {
#if defined(__cpp_exceptions) && __has_include(<cxxabi.h>)
    *reinterpret_cast<handled*>(abi::__cxa_get_globals()) = exceptions_;
#endif
  }

  std::unique_ptr<std::byte[]> stack_{};  // null: that of the thread of the system
#if defined(BROWNOUT_FIBERS_OF_UCONTEXT)
  std::unique_ptr<ucontext_t> context_ = std::make_unique<ucontext_t>();
#else
  void* pointer_ = nullptr;
#endif
  handled exceptions_{};
#if defined(BROWNOUT_FIBERS_WITH_ASAN)
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
#endif
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
