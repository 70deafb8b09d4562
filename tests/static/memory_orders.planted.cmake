# SPDX-License-Identifier: BSL-1.0
foreach(access
        "word_.load()"
        "word_.store(1)"
        "word_->exchange(1)"
        "word_.fetch_add(1)"
        "word_\n      .fetch_or(f(1), 2)"
        "word_.compare_exchange_weak(\n      seen, next)")
  plant_header(breaker/planted.hpp "\ninline void planted() {\n  ${access}\;\n}")
  expect_violation("the default memory order is seq_cst")
endforeach()

plant_header(breaker/planted.hpp "\n\ninline void planted() { word_.store(1, std::memory_order_seq_cst)\; }")
expect_violation("breaker/planted.hpp:5: seq_cst hides which order is needed")

plant_header(breaker/planted.hpp "inline void planted() { std::atomic_thread_fence(std::memory_order_acquire)\; }")
expect_violation("breaker/planted.hpp:3: race detectors can't see a fence")

plant_header(breaker/planted.hpp "inline std::atomic_flag planted\;")
expect_violation("breaker/planted.hpp:3: use std::atomic<bool>")

foreach(access "++total_" "total_++" "--total_" "total_ += 2" "total_ = 7" "f(total_)" "return total_ == 3")
  plant_header(breaker/planted.hpp
    "class planted {\n  void f() { ${access}\; }\n  std::atomic<std::uint64_t> total_{0}\;\n}\;")
  expect_violation("breaker/planted.hpp:4: 'total_' is atomic, and its operators and conversions are seq_cst")
endforeach()

plant_header(breaker/planted.hpp "// seq_cst would do\nauto seen = word_.load(\n  std::memory_order_acquire)\;")
expect_clean("a comment, and an order on the next line")
