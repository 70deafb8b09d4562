// SPDX-License-Identifier: BSL-1.0
#include "http/client_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace staging {

namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
std::string_view without_port(std::string_view text) noexcept {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    return end == std::string_view::npos ? text : text.substr(1, end - 1);
  }
  if (std::ranges::count(text, ':') == 1) return text.substr(0, text.find(':'));
  return text;
}

}  // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  // A NUL within would end the text early and let `1.2.3.4\0…` pass.
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::ranges::copy(text, terminated.begin());

  ip_address address;
  if (inet_pton(AF_INET, terminated.data(), address.bytes_.data() + v4_prefix.size()) == 1) {
    std::ranges::copy(v4_prefix, address.bytes_.begin());
    return address;
  }
  if (inet_pton(AF_INET6, terminated.data(), address.bytes_.data()) == 1) return address;
  return std::nullopt;
}

bool ip_address::is_v4() const noexcept {
  return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes_.begin());
}

std::string ip_address::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = is_v4() ? AF_INET : AF_INET6;
  const auto* source = bytes_.data() + (is_v4() ? v4_prefix.size() : 0);
  return inet_ntop(family, source, text.data(), static_cast<socklen_t>(text.size()));
}

std::string ip_address::subscriber() const {
  if (is_v4()) return text();
  ip_address network = *this;
  std::fill(network.bytes_.begin() + 8, network.bytes_.end(), std::uint8_t{0});
  return network.text() + "/64";
}

std::optional<ip_network> ip_network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = ip_address::parse(text.substr(0, slash));
  if (!base) return std::nullopt;

  ip_network network;
  network.base_ = *base;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const unsigned widest = base->is_v4() ? 32 : 128;
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length > widest) return std::nullopt;
    network.prefix_ = 128 - widest + length;
    if (!network.starts_at_base()) return std::nullopt;
  }
  return network;
}

bool ip_network::starts_at_base() const noexcept {
  for (unsigned bit = prefix_; bit < 128; ++bit) {
    if ((base_.bytes()[bit / 8] >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

std::string ip_network::text() const {
  if (prefix_ == 128) return base_.text();
  return base_.text() + '/' + std::to_string(base_.is_v4() ? prefix_ - 96 : prefix_);
}

bool ip_network::contains(const ip_address& address) const noexcept {
  const auto whole = prefix_ / 8;
  const auto& ours = base_.bytes();
  const auto& theirs = address.bytes();
  if (!std::equal(ours.begin(), ours.begin() + whole, theirs.begin())) return false;
  const auto rest = prefix_ % 8;
  return rest == 0 || (ours[whole] >> (8 - rest)) == (theirs[whole] >> (8 - rest));
}

client_resolver::client_resolver(const std::vector<std::string>& trusted_proxies) {
  trusted_.reserve(trusted_proxies.size());
  for (const auto& entry : trusted_proxies) {
    const auto network = ip_network::parse(entry);
    if (!network) {
      throw std::invalid_argument("trusted_proxies: '" + entry +
                                  "' is neither an address nor a network like 10.0.0.0/8");
    }
    trusted_.push_back(*network);
  }
}

bool client_resolver::is_trusted(const ip_address& address) const noexcept {
  return std::ranges::any_of(trusted_, [&](const ip_network& network) { return network.contains(address); });
}

ip_address client_resolver::client(const ip_address& peer, std::string_view forwarded) const {
  ip_address client = peer;
  while (is_trusted(client) && !forwarded.empty()) {
    const auto comma = forwarded.rfind(',');
    const auto last = comma == std::string_view::npos ? forwarded : forwarded.substr(comma + 1);
    forwarded = comma == std::string_view::npos ? std::string_view{} : forwarded.substr(0, comma);
    const auto hop = ip_address::parse(without_port(trimmed(last)));
    if (!hop) break;  // a trusted proxy wrote something unreadable: it is the last one known
    client = *hop;
  }
  return client;
}

}  // namespace staging
