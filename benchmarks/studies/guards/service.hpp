// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/random.hpp"

namespace studies::guards {

/// How the times of a service are distributed. Their mean is the same.
enum class service { log_normal, exponential, bimodal };

constexpr double mean_service = 0.0269;  // seconds

[[nodiscard]] inline double service_time(service kind, random& source) {
  switch (kind) {
    case service::log_normal:
      return source.log_normal(0.020, 0.770);
    case service::exponential:
      return source.exponential(mean_service);
    case service::bimodal:
      return source.share() < 0.9 ? mean_service / 2 : mean_service * 5.5;
  }
  return mean_service;
}

}  // namespace studies::guards
