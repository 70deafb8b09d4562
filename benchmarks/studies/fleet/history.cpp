// SPDX-License-Identifier: BSL-1.0
#include "studies/fleet/history.hpp"

#include "studies/fleet/trace.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace studies::fleet {

namespace {

constexpr nanoseconds second = std::chrono::seconds{1};
/// By then every policy has noticed an outage.
constexpr nanoseconds noticed_after = std::chrono::seconds{5};

double seconds_of(nanoseconds some) {
  return std::chrono::duration<double>{some}.count();
}

/// A phase and when it ends.
struct span {
  phase what;
  nanoseconds ends;
};

template <class Wanted>
std::optional<span> find(const truth& told, Wanted wanted) {
  for (std::size_t i = 0; i < told.phases.size(); ++i) {
    if (!wanted(told.phases[i])) continue;
    return span{told.phases[i], i + 1 < told.phases.size() ? told.phases[i + 1].begins : truth::length};
  }
  return std::nullopt;
}

bool is_dead(const phase& one) {
  return one.fails_first == 1;
}
bool is_returning(const phase& one) {
  return one.capacity_first != one.capacity_last;
}
bool is_overloaded(const phase& one) {
  return one.capacity_first == one.capacity_last && one.capacity_first < 1;
}

/// What happened in `[from, to)`, as `visit` likes.
template <class Visit>
void for_each_moment(const history& seen, nanoseconds from, nanoseconds to, Visit visit) {
  for (auto now = from; now + history::step <= to; now += history::step) visit(seen.at(now));
}

moment sum(const history& seen, nanoseconds from, nanoseconds to) {
  moment all;
  for_each_moment(seen, from, to, [&](const moment& one) {
    all.wanted += one.wanted;
    all.reached += one.reached;
    all.succeeded += one.succeeded;
  });
  return all;
}

void measure_outage(const history& seen, const span& dead, std::size_t clients, tally& into) {
  const auto from = dead.what.begins + noticed_after;
  std::uint32_t reached = 0;
  std::uint32_t most = 0;
  std::uint32_t together = 0;
  for_each_moment(seen, from, dead.ends, [&](const moment& one) {
    reached += one.reached;
    most = std::max(most, one.reached);
    together = std::max(together, one.probing);
  });
  into.probes_a_second = reached / seconds_of(dead.ends - from);
  into.most_probes = most;
  into.together = static_cast<double>(together) / static_cast<double>(clients);
}

/// Before a tenth of its capacity is back, any load is many times too much.
double heaviest_load(const history& seen, const span& back) {
  double most = 0;
  for (auto now = back.what.begins; now + second <= back.ends; now += second) {
    const auto passed =
        seconds_of(now + second / 2 - back.what.begins) / seconds_of(back.ends - back.what.begins);
    const auto capacity =
        back.what.capacity_first + passed * (back.what.capacity_last - back.what.capacity_first);
    if (capacity < 0.1) continue;
    most = std::max(most, sum(seen, now, now + second).reached / (capacity * calls_per_second));
  }
  return most;
}

/// From when on the last second with too many failures or refusals lies behind.
double recovery(const history& seen, nanoseconds from) {
  constexpr double well = 0.95;
  double after = 0;
  for (auto now = from; now + second <= truth::length; now += second) {
    const auto all = sum(seen, now, now + second);
    if (all.succeeded < well * all.wanted) after = seconds_of(now + second - from);
  }
  return after;
}

}  // namespace

tally measure(const history& seen, const truth& what_happened, std::size_t clients) {
  tally found;
  nanoseconds over{};
  if (const auto dead = find(what_happened, is_dead)) {
    measure_outage(seen, *dead, clients, found);
    over = dead->ends;
  }
  if (const auto back = find(what_happened, is_returning)) found.load = heaviest_load(seen, *back);
  if (const auto much = find(what_happened, is_overloaded)) {
    const auto could =
        much->what.capacity_first * calls_per_second * seconds_of(much->ends - much->what.begins);
    found.useful = sum(seen, much->what.begins, much->ends).succeeded / could;
    over = much->ends;
  }
  found.recovered_after = recovery(seen, over);
  return found;
}

}  // namespace studies::fleet
