// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace staging {

/// An IPv4 or IPv6 address. IPv4 is kept in its IPv6 form (`::ffff:a.b.c.d`), so that both spellings are one
/// client.
class ip_address {
 public:
  /// Reads `192.0.2.1` or `2001:db8::1`; nothing for anything else.
  [[nodiscard]] static std::optional<ip_address> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const noexcept;
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }

  /// The usual spelling: dotted for IPv4, compressed for IPv6.
  [[nodiscard]] std::string text() const;

  /// Who a rate limit counts: an IPv4 address, or an IPv6 /64, which is what one subscriber is given.
  [[nodiscard]] std::string subscriber() const;

  [[nodiscard]] friend bool operator==(const ip_address&, const ip_address&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// A range of addresses.
class ip_network {
 public:
  /// Reads `10.0.0.0/8`, `fd00::/8` or a single address; nothing for anything else, `10.1.2.3/8` among it:
  /// that names a machine and a network, and trusting the wrong one would let strangers in.
  [[nodiscard]] static std::optional<ip_network> parse(std::string_view text);

  /// Its one spelling; that of a single address has no prefix.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool contains(const ip_address& address) const noexcept;

 private:
  [[nodiscard]] bool starts_at_base() const noexcept;

  ip_address base_;
  unsigned prefix_ = 128;
};

/// Decides who a request is from.
///
/// Every proxy appends whom it heard from to `X-Forwarded-For`, so the list is believed from its right end
/// and only as far as trusted proxies wrote it: the client is the first address from the right that is not
/// one of them. Whatever stands left of it was written by the client and is ignored.
class client_resolver {
 public:
  /// Throws `std::invalid_argument` naming the entry that is neither an address nor a network.
  explicit client_resolver(const std::vector<std::string>& trusted_proxies);

  /// `forwarded`: all `X-Forwarded-For` lines in order, joined by commas; counts only when `peer` is trusted.
  [[nodiscard]] ip_address client(const ip_address& peer, std::string_view forwarded) const;

 private:
  [[nodiscard]] bool is_trusted(const ip_address& address) const noexcept;

  std::vector<ip_network> trusted_;
};

}  // namespace staging
