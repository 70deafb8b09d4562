// SPDX-License-Identifier: BSL-1.0
#include "http/request_id.hpp"

#include <random>

namespace staging {

std::string make_request_id() {
  thread_local std::random_device entropy;
  std::string id;
  id.reserve(32);
  while (id.size() < 32) {
    auto bits = entropy();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4U) id.push_back("0123456789abcdef"[bits & 0xFU]);
  }
  return id;
}

}  // namespace staging
