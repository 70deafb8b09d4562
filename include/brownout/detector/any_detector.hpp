// SPDX-License-Identifier: BSL-1.0
#pragma once
#include "brownout/detector/consecutive_failures.hpp"
namespace brownout::inline BROWNOUT_ABI {
using any_detector = consecutive_failures;
}
