// SPDX-License-Identifier: BSL-1.0
#include "http/router.hpp"

#include "http/percent.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace staging {

namespace {

using captures = std::vector<std::pair<std::string, std::string>>;

std::string_view take_segment(std::string_view& path) noexcept {
  path.remove_prefix(1);  // the slash
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

std::optional<captures> match(std::string_view pattern, std::string_view path) {
  captures taken;
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const auto wanted = take_segment(pattern);
    auto given = percent_decode(take_segment(path));
    if (!given) return std::nullopt;
    if (wanted.starts_with('{') && wanted.ends_with('}')) {
      if (given->empty()) return std::nullopt;
      taken.emplace_back(wanted.substr(1, wanted.size() - 2), *std::move(given));
    } else if (wanted != *given) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return taken;
}

}  // namespace

void router::add(route added) {
  const auto invalid = [&](const std::string& why) {
    return std::invalid_argument("route " + added.method + " " + added.path + ": " + why);
  };
  if (!added.answer) throw invalid("has no handler");
  if (added.label.empty()) throw invalid("has no label");
  if (!added.path.starts_with('/')) throw invalid("must start with a slash");
  if (std::ranges::any_of(routes_, [&](const route& known) {
        return known.method == added.method && known.path == added.path;
      })) {
    throw invalid("is there already");
  }
  routes_.push_back(std::move(added));
}

routing router::find(std::string_view method, std::string_view path) const {
  const auto served_as = method == "HEAD" ? std::string_view{"GET"} : method;
  routing result;
  for (const auto& candidate : routes_) {
    auto taken = match(candidate.path, path);
    if (!taken) continue;
    if (candidate.method == served_as) {
      result.found = &candidate;
      result.parameters = *std::move(taken);
      return result;
    }
    if (result.other == nullptr) result.other = &candidate;
    if (!result.allow.empty()) result.allow += ", ";
    result.allow += candidate.method == "GET" ? "GET, HEAD" : candidate.method;
  }
  return result;
}

}  // namespace staging
