// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/chance.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// FNV-1a with 64 bits (Fowler, Noll, Vo, 1991). It tells texts apart; `mixed` spreads the result.
[[nodiscard]] constexpr std::uint64_t fnv_1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325U;
  for (const char one : text) hash = (hash ^ static_cast<unsigned char>(one)) * 0x0000'0100'0000'01b3U;
  return hash;
}

}  // namespace detail

/// The place of a caller among all callers, in [0, 1). A share of callers consists of those whose place is
/// below the share. Numbers are mixed by SplitMix64; texts are hashed by FNV-1a first.
///
/// A caller keeps its answer while the share stays. When the share grows, every caller inside stays inside: a
/// caller that is in at 0.3 is in at 0.5. Places are spread evenly, to within 2^-53.
///
/// `salt` tells draws apart, for example the number of a feature. The order of callers under one salt is
/// independent of their order under another.
///
/// The result is equal on every machine and in every version of this library. It is not secret: a caller who
/// chooses its own key can find one with a low place. Use a key that callers cannot choose, such as the
/// number of an account. Pure, wait-free, about 4 ns.
[[nodiscard]] constexpr double caller_place(std::uint64_t caller, std::uint64_t salt = 0) noexcept {
  // The caller is mixed before the salt is applied: consecutive numbers and consecutive salts would cancel
  // out.
  return detail::share_of(detail::mixed(detail::mixed(caller) ^ salt));
}

/// The place of a caller that is named by a text, such as a session's name. The text "7" and the number 7
/// have different places. Costs about 1 ns more for each byte.
[[nodiscard]] constexpr double caller_place(std::string_view caller, std::uint64_t salt = 0) noexcept {
  return caller_place(detail::fnv_1a(caller), salt);
}

}  // namespace brownout::inline BROWNOUT_ABI
