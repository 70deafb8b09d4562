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
/// **Order.** What is told of one key comes one at a time: added, removed, added, and so on. While a removal
/// is being told, a look-up of that key gets an unregistered breaker, of which nothing is told. Other threads
/// may use a new breaker before `added` has returned: a listener that `added` attaches may miss a transition
/// before that, so `added` reads the state after it has attached one.
///
/// **Exceptions** are dropped and counted in `registry_snapshot::listener_failures`.
///
/// The end of a registry removes no breaker: nothing is told, and nothing is called any more.
template <class Breaker>
struct registry_listener {
  /// A breaker was built and registered. The handle keeps it while the function runs; a copy of the handle
  /// keeps it longer, and then it is never evicted.
  std::function<void(const keyed_breaker<Breaker>& added)> added{};

  /// The breaker of this name was removed. A key of more than 127 bytes has another name than itself: see
  /// `registry`.
  std::function<void(std::string_view name, removal_reason why)> removed{};
};

}  // namespace brownout::inline BROWNOUT_ABI
