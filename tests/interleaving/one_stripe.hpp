// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/testing/scheduled_atomics.hpp"

#include <cstdint>

/// Scheduled atomics for what spreads its threads over stripes: here all threads share one stripe, so that
/// they meet in its words. A reader looks at it last.
struct one_stripe : brownout::scheduled_atomics {
  [[nodiscard]] static std::uint32_t thread_number() noexcept { return 0xffff'ffff; }
};
