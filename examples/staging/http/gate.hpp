// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "http/api_key.hpp"
#include "http/client_address.hpp"
#include "http/message.hpp"
#include "http/options.hpp"
#include "http/rate_limiter.hpp"
#include "http/request_head.hpp"
#include "http/router.hpp"

#include <optional>
#include <string_view>

namespace staging {

/// What the gate found out about a request from its head alone.
struct verdict {
  request_head head;                    ///< as far as it could be read
  request subject;                      ///< the request without its body; always has an id and a client
  const route* target = nullptr;        ///< who answers, or who would have; null when the path is unknown
  std::optional<rate_decision> rate;    ///< present when the request was counted
  std::optional<error_answer> refusal;  ///< present when it goes no further

  /// What metrics and logs call the route: `other` when there is none.
  [[nodiscard]] std::string_view label() const noexcept;
};

/// Decides about a request before a byte of its body is read, and before `100 Continue` invites it.
///
/// In this order: is the head well formed (400 and its kin), whose is it (request id, client), is there such
/// a route (404, 405), has the client asked too often (429; a wrong key counts, or keys could be guessed at
/// full speed), is the key right (401), will the body be taken (413, 415).
///
/// Thread-safe once the routes are there; no socket, no clock: both are the caller's.
class gate {
 public:
  /// Throws `std::invalid_argument` naming the option that is wrong.
  explicit gate(const http_options& options);

  /// Before the first request only.
  void add(route added) { router_.add(std::move(added)); }

  /// `head`: from the request line to the empty line.
  [[nodiscard]] verdict examine(std::string_view head, const ip_address& peer, brownout::time_point now);

  /// A refusal for a request whose head never became readable.
  [[nodiscard]] static verdict refuse(error_answer why, const ip_address& peer);

 private:
  [[nodiscard]] bool has_key(const request_head& head) const;
  [[nodiscard]] std::optional<error_answer> admit(verdict& about, const ip_address& client,
                                                  brownout::time_point now);

  api_key key_;
  client_resolver clients_;
  std::optional<rate_limiter> limiter_;
  router router_;
  std::size_t payload_limit_;
};

}  // namespace staging
