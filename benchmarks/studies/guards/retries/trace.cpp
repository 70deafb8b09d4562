// SPDX-License-Identifier: BSL-1.0
#include "studies/guards/retries/trace.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace studies::guards {

namespace {

constexpr double begins = 30;

auto within(double from, double to) {
  return [=](double now) { return now >= from && now < to; };
}
auto while_within(double from, double to, condition what) {
  return [=](double now) { return now >= from && now < to ? what : condition::up; };
}
auto share_within(double from, double to, double share) {
  return [=](double now) { return now >= from && now < to ? share : 0.0; };
}

bool is_blip(double now) {
  return now >= begins && std::fmod(now, 20) < 0.3;
}

/// From `from` on, with its length.
struct interruption {
  double from;
  double length;
};
constexpr std::array<interruption, 6> uneven_interruptions{
    {{31, 0.2}, {38.7, 0.5}, {52, 0.4}, {61.5, 0.1}, {77, 0.35}, {84, 0.3}}};

bool is_interrupted(double now) {
  return std::any_of(
      uneven_interruptions.begin(), uneven_interruptions.end(),
      [now](const interruption& one) { return now >= one.from && now < one.from + one.length; });
}

/// From `low` to `high` between two moments; before and after as at these.
double ramp(double now, double from, double to, double low, double high) {
  return low + (high - low) * std::clamp((now - from) / (to - from), 0.0, 1.0);
}

}  // namespace

std::vector<trace> main_traces() {
  const auto half_capacity = [](double now) { return now >= begins && now < begins + 20 ? 0.6 : 1.4; };
  return {
      {.name = "crash",
       .what_happens = "refuses all for 60 s",
       .judged_by = aim::outage,
       .is_counted = within(begins, 90),
       .state = while_within(begins, 90, condition::refuses)},
      {.name = "hang",
       .what_happens = "answers nothing for 60 s",
       .judged_by = aim::outage,
       .is_counted = within(begins, 90),
       .state = while_within(begins, 90, condition::hangs)},
      {.name = "blips",
       .what_happens = "refuses all for 300 ms, each 20 s",
       .judged_by = aim::interruptions,
       .is_counted = is_blip,
       .ends = 145,
       .state = [](double now) { return is_blip(now) ? condition::refuses : condition::up; }},
      {.name = "10 % errors",
       .what_happens = "10 % of the attempts fail",
       .judged_by = aim::light_errors,
       .is_counted = within(begins, 90),
       .errors = share_within(begins, 90, 0.1)},
      {.name = "50 % errors",
       .what_happens = "50 % of the attempts fail for 60 s",
       .judged_by = aim::heavy_errors,
       .is_counted = within(begins, 90),
       .errors = share_within(begins, 90, 0.5)},
      {.name = "overload",
       .what_happens = "capacity for 60 % of the load for 20 s",
       .judged_by = aim::overload,
       .is_counted = within(begins, 180),
       .ends = 180,
       .capacity = half_capacity,
       .over_at = begins + 20},
      {.name = "crash, 2 layers",
       .what_happens = "clients call services, which call the dependency; it refuses all for 60 s",
       .judged_by = aim::outage,
       .is_counted = within(begins, 90),
       .state = while_within(begins, 90, condition::refuses),
       .is_layered = true},
      {.name = "overload, 2 layers",
       .what_happens = "the same; capacity for 60 % of the load for 20 s",
       .judged_by = aim::overload,
       .is_counted = within(begins, 180),
       .ends = 180,
       .capacity = half_capacity,
       .over_at = begins + 20,
       .is_layered = true},
  };
}

std::vector<trace> held_out_traces() {
  return {
      {.name = "crash 45 s, slow return",
       .what_happens = "exponential service; refuses all for 45 s, then capacity returns within 30 s",
       .judged_by = aim::outage,
       .is_counted = within(begins, 75),
       .ends = 110,
       .state = while_within(begins, 75, condition::refuses),
       .capacity = [](double now) { return now < begins ? 1.4 : ramp(now, 75, 105, 0.3, 1.4); },
       .times = service::exponential},
      {.name = "hang 15 s",
       .what_happens = "bimodal service; answers nothing for 15 s",
       .judged_by = aim::outage,
       .is_counted = within(begins, 45),
       .ends = 60,
       .state = while_within(begins, 45, condition::hangs),
       .times = service::bimodal},
      {.name = "uneven blips",
       .what_happens = "bimodal service; refuses all six times, for 100 to 500 ms",
       .judged_by = aim::interruptions,
       .is_counted = is_interrupted,
       .state = [](double now) { return is_interrupted(now) ? condition::refuses : condition::up; },
       .times = service::bimodal},
      {.name = "5 % errors",
       .what_happens = "exponential service; 5 % of the attempts fail; one client makes most calls",
       .judged_by = aim::light_errors,
       .is_counted = within(begins, 90),
       .errors = share_within(begins, 90, 0.05),
       .times = service::exponential,
       .is_uneven = true},
      {.name = "errors up to 60 %",
       .what_happens = "within 30 s errors rise from 0 to 60 %, and fall again",
       .judged_by = aim::heavy_errors,
       .is_counted = within(begins, 90),
       .errors =
           [](double now) { return now < 60 ? ramp(now, begins, 60, 0, 0.6) : ramp(now, 60, 90, 0.6, 0); }},
      {.name = "rush",
       .what_happens = "within 10 s the load rises to 2.2 times itself, stays for 5 s, and falls within 10 s",
       .judged_by = aim::overload,
       .is_counted = within(begins, 155),
       .ends = 155,
       .load =
           [](double now) { return now < 45 ? ramp(now, begins, 40, 1, 2.2) : ramp(now, 45, 55, 2.2, 1); },
       .over_at = 55},
      {.name = "capacity in steps",
       .what_happens =
           "exponential service; capacity falls by 10 % of its full value each 5 s, six times, and rises",
       .judged_by = aim::overload,
       .is_counted = within(begins, 190),
       .ends = 190,
       .capacity =
           [](double now) {
             const auto step = std::floor((now - begins) / 5) + 1;
             return 1.4 * (1 - 0.1 * std::clamp(std::min(step, 12 - step), 0.0, 6.0));
           },
       .times = service::exponential,
       .over_at = 85},
      {.name = "little room",
       .what_happens = "capacity is 1.15 times the load; one client makes most calls; 0.6 times for 10 s",
       .judged_by = aim::overload,
       .is_counted = within(begins, 200),
       .ends = 200,
       .capacity = [](double now) { return now >= begins && now < begins + 10 ? 0.6 : 1.15; },
       .over_at = begins + 10,
       .is_uneven = true},
      {.name = "hang, 2 layers",
       .what_happens = "clients call services, which call the dependency; it answers nothing for 60 s",
       .judged_by = aim::outage,
       .is_counted = within(begins, 90),
       .state = while_within(begins, 90, condition::hangs),
       .is_layered = true},
  };
}

}  // namespace studies::guards
