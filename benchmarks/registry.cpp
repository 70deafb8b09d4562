// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/registry/registry.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string>

namespace {

using namespace benchmarks;

std::string tenant(std::size_t number) {
  return "tenant-" + std::to_string(1'000'000 + number);
}

/// The same keys in a registry and in what one would write without one. Built by the rows that need it, and
/// not before: the registry hashes by a secret, so that building it takes some instructions more or fewer
/// each time, and they would be counted as other rows'. This one's count is off by a few for it.
struct tenants {
  std::array<std::string, 1024> keys;
  brownout::registry<> breakers;

  brownout::circuit_breaker<> somebodys;
  boost::unordered_flat_map<std::string, brownout::circuit_breaker<>*> map;
  std::shared_mutex map_mutex;

  std::size_t at = 0;

  tenants() {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      keys[i] = tenant(i);
      static_cast<void>(breakers.at(keys[i]));
      map.emplace(keys[i], &somebodys);
    }
  }

  /// All of them by turns, not in the order in which they came in.
  const std::string& next_key() {
    at = (at + 619) % keys.size();
    return keys[at];
  }
};

tenants& known() {
  static tenants built;
  return built;
}

void by_registry(std::uint64_t times) {
  auto& here = known();
  for (std::uint64_t i = 0; i < times; ++i) {
    const auto held = here.breakers.at(here.next_key());
    keep(&*held);
    opaque_call();
  }
}

void by_flat_map(std::uint64_t times) {
  auto& here = known();
  for (std::uint64_t i = 0; i < times; ++i) {
    const std::shared_lock lock{here.map_mutex};
    const auto found = here.map.find(here.next_key());
    if (found == here.map.end()) [[unlikely]]
      ++floors::surprises;
    else
      keep(found->second);
    opaque_call();
  }
}

const registered look_up{{.name = "registry::at(), 1024 keys",
                          .run = by_registry,
                          .beside = {"flat map under a shared lock", by_flat_map},
                          .wanted = {.ratio = 1.5, .allocations = 0}}};

/// Of the heap, with what malloc itself needs.
std::size_t bytes_in_use() {
  const auto heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

double bytes_per_key(std::size_t count) {
  const auto before = bytes_in_use();
  brownout::registry<> many{{.capacity = count}};
  for (std::size_t i = 0; i < count; ++i) static_cast<void>(many.at(tenant(i)));
  return static_cast<double>(bytes_in_use() - before) / static_cast<double>(many.snapshot().size);
}

const registered memory{{.name = "memory of a key, 1,000,000 keys",
                         .beside = {.name = "200 bytes"},
                         .wanted = {.ratio = 1},
                         .known_ratio = [] { return bytes_per_key(1'000'000) / 200; }}};

}  // namespace
