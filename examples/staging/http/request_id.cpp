// SPDX-License-Identifier: BSL-1.0
#include "http/request_id.hpp"

#include <cstdint>
#include <random>

namespace staging {

std::string make_request_id() {
  // Ids must differ, and may be guessed: asking the machine for entropy each time would cost as much as the
  // rest of a small answer.
  thread_local auto bits_of = [] {
    std::random_device entropy;
    std::seed_seq seed{entropy(), entropy(), entropy(), entropy(),
                       entropy(), entropy(), entropy(), entropy()};
    return std::mt19937_64{seed};
  }();
  std::string id;
  id.reserve(32);
  while (id.size() < 32) {
    std::uint64_t bits = bits_of();
    for (int digit = 0; digit < 16; ++digit, bits >>= 4U) id.push_back("0123456789abcdef"[bits & 0xFU]);
  }
  return id;
}

}  // namespace staging
