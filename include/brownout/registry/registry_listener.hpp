// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstdint>
#include <functional>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

template <class Breaker>
class keyed_breaker;

/// Why a registry removed a breaker.
enum class removal_reason : std::uint8_t {
  evicted,  ///< to make room for another key
  expired,  ///< it had not been used for `registry_options::idle_for`
  erased,   ///< `registry::erase` was called
};

/// The enumerator's name.
[[nodiscard]] constexpr std::string_view to_string(removal_reason reason) noexcept {
  constexpr std::string_view names[] = {"evicted", "expired", "erased"};
  return names[static_cast<std::uint8_t>(reason)];
}

/// What a registry calls when it adds or removes a breaker. Either function may be empty.
///
///     brownout::registry<> hosts{
///         {.capacity = 1000},
///         {.added = [](const auto& host) { host.attach(log_transitions_of(host.name())); },
///          .removed = [&](std::string_view name, brownout::removal_reason) { gauges.erase(name); }}};
///
/// **Threads.** A function runs on the thread whose call added or removed the breaker, before that call
/// returns, with no lock held. Several threads may run it at one time. It may call the registry and its
/// breakers.
///
/// **Order.** Events of one key come one at a time: added, removed, added, and so on. While `removed` runs
/// for a key, a look-up of that key gets an unregistered breaker, for which there are no events. Other
/// threads may use a new breaker before `added` has returned. So a listener that `added` attaches may miss an
/// earlier transition. Read the state after you have attached it.
///
/// **Exceptions** are dropped and counted in `registry_snapshot::listener_failures`.
///
/// The destructor of a registry removes no breaker and calls no function of the listener.
template <class Breaker>
struct registry_listener {
  /// A breaker was built and registered. The handle keeps the breaker alive while the function runs. A copy
  /// of the handle keeps it alive longer; while the copy exists, the breaker is not evicted.
  std::function<void(const keyed_breaker<Breaker>& added)> added{};

  /// The breaker of this name was removed. The name of a key of more than 127 bytes differs from the key: see
  /// `registry`.
  std::function<void(std::string_view name, removal_reason why)> removed{};
};

}  // namespace brownout::inline BROWNOUT_ABI
