// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <boost/system/error_code.hpp>

namespace boost::asio {}

namespace brownout::inline BROWNOUT_ABI::detail {

// In `detail`, so that a `net` of the user never is ambiguous.
namespace net = boost::asio;
using boost::system::error_code;

}  // namespace brownout::inline BROWNOUT_ABI::detail
