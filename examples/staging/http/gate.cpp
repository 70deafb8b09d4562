// SPDX-License-Identifier: BSL-1.0
#include "http/gate.hpp"

#include "http/request_id.hpp"

#include <algorithm>
#include <utility>

namespace staging {

std::string_view verdict::label() const noexcept {
  return target == nullptr ? std::string_view{"other"} : std::string_view{target->label};
}

gate::gate(const http_options& options)
    : key_(options.api_key), clients_(options.trusted_proxies), payload_limit_(options.payload_limit) {
  if (options.rate_limit.enabled) limiter_.emplace(options.rate_limit);
}

verdict gate::refuse(error_answer why, const ip_address& peer) {
  verdict about;
  about.subject.id = make_request_id();
  about.subject.client = peer.text();
  about.refusal = std::move(why);
  return about;
}

verdict gate::examine(std::string_view text, const ip_address& peer, brownout::time_point now) {
  auto parsed = parse_head(text);
  if (auto* wrong = std::get_if<error_answer>(&parsed)) return refuse(std::move(*wrong), peer);

  verdict about;
  about.head = std::move(std::get<request_head>(parsed));
  const auto client = clients_.client(peer, about.head.joined("X-Forwarded-For"));
  const auto id = about.head.single("X-Request-ID");
  about.subject.id = id && is_request_id(*id) ? std::string{*id} : make_request_id();
  about.subject.client = client.text();
  about.subject.method = about.head.method;
  about.subject.path = about.head.path;
  about.refusal = admit(about, client, now);
  about.subject.headers = std::move(about.head.headers);
  return about;
}

std::optional<error_answer> gate::admit(verdict& about, const ip_address& client, brownout::time_point now) {
  const auto& head = about.head;
  auto routing = router_.find(head.method, head.path);
  about.target = routing.found != nullptr ? routing.found : routing.other;
  about.subject.parameters = std::move(routing.parameters);

  // Unknown paths are counted too: looking for what might be there is what a limit is for.
  const bool counted = about.target == nullptr || about.target->who == access::keyed;
  if (counted && limiter_) {
    const auto kind = about.target == nullptr ? quota::unknown : about.target->counted_as;
    about.rate = limiter_->count(client.subscriber() + "hmodu"[static_cast<std::size_t>(kind)], now);
    if (!about.rate->allowed) {
      return error(429, "too_many_requests", "The rate limit is used up; Retry-After says when to come back.",
                   {{"Retry-After", std::to_string(about.rate->reset.count())}});
    }
  }

  if (about.target == nullptr) return error(404, "not_found", "There is nothing at this path.");
  if (routing.found == nullptr) {
    return error(405, "method_not_allowed", "This path does not answer " + head.method + ".",
                 {{"Allow", routing.allow}});
  }
  if (about.target->who == access::keyed && !has_key(head)) {
    return error(401, "unauthorized", "A valid API key is required, as X-API-Key or as a bearer token.",
                 {{"WWW-Authenticate", "Bearer"}});
  }
  if (head.content_length > payload_limit_) {
    return error(413, "payload_too_large", "The body may have " + std::to_string(payload_limit_) + " bytes.");
  }
  // A few compressed bytes could become gigabytes; nothing here has a body worth compressing.
  const auto coding = head.joined("Content-Encoding");
  if (!coding.empty() && !same_name(coding, "identity")) {
    return error(415, "unsupported_encoding", "The body must not be compressed.");
  }
  return std::nullopt;
}

bool gate::has_key(const request_head& head) const {
  if (const auto key = head.single("X-API-Key"); key && key_.matches(*key)) return true;
  const auto authorization = head.single("Authorization");
  constexpr std::string_view scheme = "Bearer ";
  if (!authorization || authorization->size() < scheme.size()) return false;
  if (!same_name(authorization->substr(0, scheme.size()), scheme)) return false;
  auto token = authorization->substr(scheme.size());
  token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
  return key_.matches(token);
}

}  // namespace staging
