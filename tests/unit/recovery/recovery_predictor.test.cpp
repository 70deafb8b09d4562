// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/recovery/recovery_predictor.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::ongoing_outage;
using brownout::recovery_estimate;
using brownout::recovery_options;
using brownout::recovery_predictor;

namespace {

constexpr auto unknown = std::nullopt;

recovery_predictor after(std::initializer_list<duration> ended) {
  recovery_predictor made;
  for (const auto length : ended) made.note_ended(length);
  return made;
}

/// Outages of 1 s, 2 s, ..., noted in no particular order.
recovery_predictor after_seconds_up_to(int longest) {
  std::vector<int> lengths;
  for (int i = 1; i <= longest; ++i) lengths.push_back(i);
  std::shuffle(lengths.begin(), lengths.end(), std::mt19937{1});
  recovery_predictor made;
  for (const auto length : lengths) made.note_ended(std::chrono::seconds{length});
  return made;
}

recovery_estimate all_of(std::initializer_list<ongoing_outage> outages) {
  return brownout::recovery_of_all({outages.begin(), outages.size()});
}

std::string refusal(recovery_options tried) {
  try {
    static_cast<void>(recovery_predictor{tried});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

/// The estimator by its definition: no order kept, nothing shared with the predictor.
struct naive_predictor {
  struct seen {
    duration length;
    bool ended;
  };
  std::size_t remembered;
  std::deque<seen> history{};

  void note(duration length, bool ended) {
    history.push_back({length, ended});
    if (history.size() > remembered) history.pop_front();
  }
  [[nodiscard]] std::vector<duration> ends_beyond(duration elapsed) const {
    std::vector<duration> ends;
    for (const auto& one : history) {
      if (one.ended && one.length > elapsed) ends.push_back(one.length);
    }
    std::sort(ends.begin(), ends.end());
    return ends;
  }
  [[nodiscard]] double share_lasting(duration elapsed, duration length) const {
    auto ends = ends_beyond(elapsed);
    if (ends.size() < 5) return 1;
    ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
    double share = 1;
    for (const auto end : ends) {
      if (end > length) break;
      const auto count = [&](auto&& rule) {
        return static_cast<double>(std::count_if(history.begin(), history.end(), rule));
      };
      const double ended = count([&](const seen& one) { return one.ended && one.length == end; });
      const double at_risk = count([&](const seen& one) { return one.length >= end; });
      share *= 1 - ended / (at_risk + 1);
    }
    return share;
  }
  [[nodiscard]] std::optional<duration> wait(duration elapsed, double lasting) const {
    for (const auto end : ends_beyond(elapsed)) {
      if (share_lasting(elapsed, end) <= lasting + 1e-9) return end - elapsed;
    }
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE("nothing is predicted from fewer than five ended outages", "[recovery][D6]") {
  auto tested = after({1s, 2s, 3s, 4s});
  for (int i = 0; i < 20; ++i) tested.note_cut_short(10s);
  CHECK(tested.estimate(0s) == recovery_estimate{});
  CHECK(tested.chance_of_recovery(0s, 1h) == 0);
  tested.note_ended(5s);
  CHECK(tested.estimate(0s) == recovery_estimate{});  // the cut short still weigh too much for a half
  CHECK(tested.chance_of_recovery(0s, 1h) > 0);
}

TEST_CASE("five outages give a p50, nine a p90, and not one fewer", "[recovery][D6][D6a]") {
  CHECK(after_seconds_up_to(4).estimate(0s).p50 == unknown);
  CHECK(after_seconds_up_to(5).estimate(0s).p50 == 3s);
  CHECK(after_seconds_up_to(8).estimate(0s).p90 == unknown);
  CHECK(after_seconds_up_to(9).estimate(0s).p90 == 9s);
}

TEST_CASE("an estimate is the rank that covers, whatever the number of outages", "[recovery][D6]") {
  // p50: ceil((n + 1) / 2), p90: ceil(9 (n + 1) / 10).
  for (int n = 9; n <= 64; ++n) {
    INFO(n << " outages");
    const auto estimate = after_seconds_up_to(n).estimate(0s);
    CHECK(estimate.p50 == std::chrono::seconds{(n + 2) / 2});
    CHECK(estimate.p90 == std::chrono::seconds{(9 * (n + 1) + 9) / 10});
  }
}

TEST_CASE("an outage is compared with those that lasted longer than it has", "[recovery][D6]") {
  const auto tested = after_seconds_up_to(40);
  SECTION("thirty are left: the 16th and the 28th of them") {
    CHECK(tested.estimate(10s) == recovery_estimate{.p50 = 16s, .p90 = 28s});
  }
  SECTION("one that lasted a nanosecond longer counts, and shifts the ranks") {
    CHECK(tested.estimate(10s - 1ns) == recovery_estimate{.p50 = 15s + 1ns, .p90 = 28s + 1ns});
  }
  SECTION("with eight left p90 is unknown, with four p50 too") {
    CHECK(tested.estimate(31s).p90 == 9s);
    CHECK(tested.estimate(32s) == recovery_estimate{.p50 = 5s});
    CHECK(tested.estimate(35s).p50 == 3s);
    CHECK(tested.estimate(36s) == recovery_estimate{});
    CHECK(tested.estimate(1h) == recovery_estimate{});
  }
}

TEST_CASE("an outage cut short counts for as long as it was seen", "[recovery][D6][D6c]") {
  // At risk when one ends, with the one asked about: 7 at 10 s, 6 at 20 s, then one is cut short, 4, 3, 2.
  auto tested = after({10s, 20s, 30s, 40s, 50s});
  tested.note_cut_short(25s);
  CHECK(tested.chance_of_recovery(0s, 10s) == Approx(1 - 6 / 7.0));
  CHECK(tested.chance_of_recovery(0s, 20s) == Approx(1 - 6 / 7.0 * 5 / 6));
  CHECK(tested.chance_of_recovery(0s, 30s - 1ns) == Approx(1 - 6 / 7.0 * 5 / 6));
  CHECK(tested.chance_of_recovery(0s, 30s) == Approx(1 - 6 / 7.0 * 5 / 6 * 3 / 4));
  CHECK(tested.chance_of_recovery(0s, 1h) == Approx(1 - 6 / 7.0 * 5 / 6 * 3 / 4 * 2 / 3 * 1 / 2));
}

TEST_CASE("an outage cut short when another ended was at risk, whichever came first", "[recovery][D6]") {
  recovery_predictor cut_first;
  recovery_predictor cut_last;
  cut_first.note_cut_short(10s);
  for (const auto length : {10s, 20s, 30s, 40s, 50s}) {
    cut_first.note_ended(length);
    cut_last.note_ended(length);
  }
  cut_last.note_cut_short(10s);
  CHECK(cut_first.chance_of_recovery(0s, 10s) == Approx(1 / 7.0));
  CHECK(cut_last.chance_of_recovery(0s, 10s) == Approx(1 / 7.0));
}

TEST_CASE("long outages that were all cut short leave p90 unknown", "[recovery][D6]") {
  auto tested = after_seconds_up_to(20);
  for (int i = 0; i < 5; ++i) tested.note_cut_short(1min);
  CHECK(tested.estimate(0s).p50 == 13s);
  CHECK(tested.estimate(0s).p90 == unknown);
}

TEST_CASE("the oldest outages are forgotten, not the shortest or the longest", "[recovery][D6]") {
  recovery_predictor tested{{.remembered = 9}};
  for (const auto length : {50s, 10s, 90s, 30s, 70s, 20s, 80s, 40s, 60s}) tested.note_ended(length);
  CHECK(tested.remembered() == 9);
  REQUIRE(tested.estimate(0s) == recovery_estimate{.p50 = 50s, .p90 = 90s});
  tested.note_ended(5s);  // 50 s goes
  CHECK(tested.estimate(0s) == recovery_estimate{.p50 = 40s, .p90 = 90s});
  tested.note_ended(6s);  // 10 s goes
  CHECK(tested.estimate(0s) == recovery_estimate{.p50 = 40s, .p90 = 90s});
  tested.note_cut_short(7s);  // 90 s goes: eight that ended are too few for p90
  CHECK(tested.estimate(0s) == recovery_estimate{.p50 = 40s});
  for (int i = 0; i < 9; ++i) tested.note_ended(1s);
  CHECK(tested.estimate(0s) == recovery_estimate{.p50 = 1s, .p90 = 1s});
  CHECK(tested.remembered() == 9);
}

TEST_CASE("a copy of a predictor forgets and learns by itself", "[recovery][D6]") {
  const auto original = after_seconds_up_to(20);
  auto copy = original;
  for (int i = 0; i < 100; ++i) copy.note_ended(1h);
  CHECK(copy.remembered() == 64);
  CHECK(copy.estimate(0s).p50 == 1h);
  CHECK(original.estimate(0s).p50 == 11s);
}

TEST_CASE("a predictor answers as its definition does, over any history", "[recovery][exhaustive][D6]") {
  const auto seed = GENERATE(1u, 2u, 3u, 4u);
  INFO("seed " << seed);
  std::mt19937 random{seed};
  const std::uint32_t remembered = 9 + 7 * seed;
  recovery_predictor tested{{.remembered = remembered}};
  naive_predictor expected{remembered};
  for (int i = 0; i < 400; ++i) {
    const duration length = std::chrono::seconds{random() % 40};  // few values, so that many are alike
    const bool ended = random() % 4 != 0;
    ended ? tested.note_ended(length) : tested.note_cut_short(length);
    expected.note(length, ended);
    const duration elapsed = std::chrono::seconds{random() % 20};
    const duration within = std::chrono::seconds{random() % 40};
    REQUIRE(tested.chance_of_recovery(elapsed, within) ==
            Approx(1 - expected.share_lasting(elapsed, elapsed + within)).margin(1e-12));
    const auto estimate = tested.estimate(elapsed);
    REQUIRE(estimate.p50 == expected.wait(elapsed, 0.5));
    REQUIRE(estimate.p90 == expected.wait(elapsed, 0.1));
    if (i % 8 == 0) REQUIRE(all_of({{&tested, elapsed}}) == estimate);
  }
}

TEST_CASE("no recovery is predicted before it could show", "[recovery][D6]") {
  const auto tested = after_seconds_up_to(20);
  CHECK(tested.estimate(0s, 5s) == recovery_estimate{.not_before = 5s, .p50 = 11s, .p90 = 19s});
  CHECK(tested.estimate(0s, 15s) == recovery_estimate{.not_before = 15s, .p50 = 15s, .p90 = 19s});
  CHECK(tested.estimate(0s, 60s) == recovery_estimate{.not_before = 60s, .p50 = 60s, .p90 = 60s});
  SECTION("which alone makes nothing known") {
    CHECK(recovery_predictor{}.estimate(0s, 5s) == recovery_estimate{.not_before = 5s});
  }
}

TEST_CASE("negative times are none, and the longest do not overflow", "[recovery][D6]") {
  constexpr auto longest = duration::max();
  const auto tested = after({-1s, 1s, 1s, 1s, 1s, longest, longest, longest, longest, longest, longest});
  SECTION("negative") {
    CHECK(tested.estimate(-1h, -1h) == tested.estimate(0s, 0s));
    CHECK(tested.estimate(duration::min(), duration::min()) == tested.estimate(0s, 0s));
    CHECK(tested.chance_of_recovery(duration::min(), 1s) == tested.chance_of_recovery(0s, 1s));
    CHECK(tested.chance_of_recovery(0s, duration::min()) == 0);
    CHECK(after({-1s, -1s, -1s, -1s, -1s}).estimate(-1s) ==
          recovery_estimate{});  // nothing is shorter than 0
  }
  SECTION("longest") {
    CHECK(tested.estimate(0s).p50 == longest);
    CHECK(tested.estimate(1s).p50 == longest - 1s);
    CHECK(tested.estimate(longest) == recovery_estimate{});
    CHECK(tested.estimate(longest - 1ns, longest) ==
          recovery_estimate{.not_before = longest, .p50 = longest});
    CHECK(tested.chance_of_recovery(longest - 1ns, longest) > 0);
    CHECK(all_of({{&tested, 0s}}).p50 == longest);
  }
}

TEST_CASE("a memory too small for a p90, or larger than anyone needs, is refused", "[recovery][options]") {
  CHECK(recovery_options{}.remembered == 64);
  CHECK(refusal({.remembered = 9}) == "");
  CHECK(refusal({.remembered = 1024}) == "");
  CHECK(refusal({.remembered = 8}) == "recovery_options.remembered = 8: allowed is 9 to 1024");
  CHECK(refusal({.remembered = 1025}) == "recovery_options.remembered = 1025: allowed is 9 to 1024");
}

TEST_CASE("what must follow recovery comes on top", "[recovery][D6]") {
  constexpr recovery_estimate known{.not_before = 1s, .p50 = 2s, .p90 = 3s};
  CHECK(known.later_by(10s) == recovery_estimate{.not_before = 11s, .p50 = 12s, .p90 = 13s});
  CHECK(known.later_by(-10s) == known);
  CHECK(recovery_estimate{.p50 = 2s}.later_by(10s) == recovery_estimate{.not_before = 10s, .p50 = 12s});
  constexpr auto longest = duration::max();
  CHECK(known.later_by(longest) == recovery_estimate{.not_before = longest, .p50 = longest, .p90 = longest});
}

TEST_CASE("several outages are over when the last one is", "[recovery][D6]") {
  const auto seconds = after_seconds_up_to(40);
  const auto hours = [] {
    recovery_predictor made;
    for (int i = 1; i <= 40; ++i) made.note_ended(std::chrono::hours{i});
    return made;
  }();
  SECTION("of none at once") {
    CHECK(all_of({}) == recovery_estimate{.p50 = 0s, .p90 = 0s});
  }
  SECTION("their chances are multiplied") {
    // Both within 29 s: (29 / 41)^2 = 0.5003. Both within 39 s: (39 / 41)^2 = 0.905.
    CHECK(all_of({{&seconds}, {&seconds}}) == recovery_estimate{.p50 = 29s, .p90 = 39s});
    // All of the short ones have ended when the first long one does, but for the one in 41 that may last.
    CHECK(all_of({{&seconds}, {&hours}}) == recovery_estimate{.p50 = 22h, .p90 = 38h});
  }
  SECTION("each from the time that it has lasted") {
    // Thirty are left of each: (22 / 31)^2 = 0.504, (30 / 31)^2 = 0.94.
    CHECK(all_of({{&seconds, 10s}, {&seconds, 10s}}) == recovery_estimate{.p50 = 22s, .p90 = 30s});
    CHECK(all_of({{&seconds, 0s}, {&seconds, 10s}}) == all_of({{&seconds, 10s}, {&seconds, 0s}}));
  }
  SECTION("one that nobody knows leaves all unknown") {
    const recovery_predictor nothing;
    CHECK(all_of({{&seconds}, {&nothing}}) == recovery_estimate{});
    // Twenty are left of each, so at most (20 / 21)^3 = 0.86.
    CHECK(all_of({{&seconds, 20s}, {&seconds, 20s}, {&seconds, 20s}}).p90 == unknown);
  }
  SECTION("not before the last one could show it") {
    CHECK(all_of({{&seconds, 0s, 35s}, {&seconds, 0s, 1s}}) ==
          recovery_estimate{.not_before = 35s, .p50 = 35s, .p90 = 39s});
    CHECK(all_of({{&seconds, 0s, 1s}, {&seconds, 0s, 60s}}) ==
          recovery_estimate{.not_before = 60s, .p50 = 60s, .p90 = 60s});
    CHECK(all_of({{&seconds, 0s, -35s}}) == seconds.estimate(0s));
  }
}
