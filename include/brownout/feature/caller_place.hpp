// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/chance.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// FNV-1a with 64 bits (Fowler, Noll, Vo, 1991): tells texts apart, `mixed` then spreads them.
[[nodiscard]] constexpr std::uint64_t fnv_1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325U;
  for (const char one : text) hash = (hash ^ static_cast<unsigned char>(one)) * 0x0000'0100'0000'01b3U;
  return hash;
}

}  // namespace detail

/// Where a caller stands among all callers, in [0, 1): whoever gets a share of something are those whose
/// place is below the share. Numbers are mixed by SplitMix64, texts hashed by FNV-1a before.
///
/// So a caller keeps its answer while the share stays, and the share's growth takes nobody's away: who is in
/// at 0.3 is in at 0.5. Places are spread evenly, to within 2^-53. `salt` tells draws apart, such as the
/// number of a feature: who comes first with one salt does so with another no more often than anyone else.
///
/// The same on every machine and in every version of this library. No secret: who may choose their own key
/// can find one whose place is low. Give it a key that callers cannot choose, such as the number of an
/// account. Pure, wait-free, about 4 ns.
[[nodiscard]] constexpr double caller_place(std::uint64_t caller, std::uint64_t salt = 0) noexcept {
  // The caller is mixed before the salt meets it: numbers in a row and salts in a row would cancel out.
  return detail::share_of(detail::mixed(detail::mixed(caller) ^ salt));
}

/// The same for a caller named by text, such as a session's name. The text of a number stands elsewhere than
/// the number. A little more than 1 ns more for each byte.
[[nodiscard]] constexpr double caller_place(std::string_view caller, std::uint64_t salt = 0) noexcept {
  return caller_place(detail::fnv_1a(caller), salt);
}

}  // namespace brownout::inline BROWNOUT_ABI
