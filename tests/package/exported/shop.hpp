// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brownout/breaker/circuit_breaker.hpp>

namespace shop {

/// The circuit of the shop's warehouse.
brownout::circuit_breaker<>& warehouse();

}  // namespace shop
