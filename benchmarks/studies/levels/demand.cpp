// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/demand.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

namespace studies::levels {

namespace {

static_assert(call_timeout.count() <= std::numeric_limits<decltype(wanted_call::took)>::max());

constexpr double any_rate = 1;  // only what has a limited capacity asks for it

answer answer_of(const wanted_call& call) {
  return {call.fails, nanoseconds{call.took}};
}

std::vector<feature> features_with_needs() {
  std::vector<feature> some;
  for (std::size_t i = 0; i < feature_count; ++i) {
    const auto one = static_cast<feature>(i);
    if (!features.rule(one).needs.empty()) some.push_back(one);
  }
  return some;
}

}  // namespace

demand draw_demand(const world& what_happens, double requests_per_second, std::uint64_t seed) {
  fate next{seed * 0x9e3779b97f4a7c15U + 1, call_timeout};
  std::mt19937_64 random{seed * 0x9e3779b97f4a7c15U + 2};
  const auto wanted = features_with_needs();
  std::uniform_int_distribution<std::size_t> any{0, wanted.size() - 1};
  std::vector<progress> where;
  for (const auto& one : what_happens.dependencies) where.emplace_back(one);
  const auto rate = requests_per_second * static_cast<double>(wanted.size());
  constexpr auto end = static_cast<double>(truth::length.count());
  demand all;
  for (double at = next.gap(rate); at < end; at += next.gap(rate)) {
    wanted_request request{
        .at = nanoseconds{static_cast<std::int64_t>(at)}, .what = wanted[any(random)], .answers = {}};
    for (const auto which : all_dependencies) {
      if (!features.rule(request.what).needs.contains(which)) continue;
      where[index(which)].move_to(request.at);
      request.answers[index(which)] = answer_of(next.draw(request.at, where[index(which)], any_rate));
    }
    all.push_back(request);
  }
  return all;
}

probe_fates::probe_fates(const world& what_happens, std::uint64_t seed) {
  for (std::size_t i = 0; i < dependency_count; ++i) {
    fates_.emplace_back(seed * 0x9e3779b97f4a7c15U + 3 + i, call_timeout);
    const auto& met = what_happens.met_by_probes[i];
    progress_.emplace_back(met ? *met : what_happens.dependencies[i]);
  }
}

answer probe_fates::next(dependency which, nanoseconds now) {
  progress_[index(which)].move_to(now);
  return answer_of(fates_[index(which)].draw(now, progress_[index(which)], any_rate));
}

}  // namespace studies::levels
