// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/ledger.hpp"

#include <bit>

namespace studies::levels {

namespace {

double seconds_of(nanoseconds some) {
  return std::chrono::duration<double>{some}.count();
}

int count_of(int features) {
  return std::popcount(static_cast<feature_set>(features));
}

}  // namespace

ledger::ledger(const true_state& at_first, offer offered)
    : true_{at_first}, offered_{offered}, features_{levels::offered(offered.at, offered.refusing)} {}

void ledger::truth_becomes(const true_state& state, nanoseconds now) {
  pass_until(now);
  if (state.right != true_.right && now >= begins) {
    settle_lateness(now);
    falling_ = state.right > true_.right;
    ++(falling_ ? counted_.falls : counted_.rises);
    if (right_level_.turns(true_.right, state.right)) ++counted_.true_turns;
    late_since_ = now;
  }
  true_ = state;
  if (offered_.at == true_.right) settle_lateness(now);
}

void ledger::offer_becomes(const offer& offered, nanoseconds now) {
  if (offered == offered_) return;
  pass_until(now);
  if (offered.at != offered_.at && now >= begins) {
    ++counted_.changes;
    if (level_.turns(offered_.at, offered.at)) ++counted_.turns;
  }
  offered_ = offered;
  features_ = levels::offered(offered.at, offered.refusing);
  if (offered_.at == true_.right) settle_lateness(now);
}

void ledger::count_request(answered how, nanoseconds now) {
  if (now < begins) return;
  ++counted_.requests;
  if (how == answered::badly) ++counted_.failed;
  if (how == answered::not_at_all) ++counted_.turned_away;
}

tally ledger::finished(nanoseconds now) {
  pass_until(now);
  settle_lateness(now);
  counted_.ends_wrong = offered_.at != true_.right;
  counted_.observed = seconds_of(now - begins);
  return counted_;
}

void ledger::pass_until(nanoseconds now) {
  if (now <= now_) return;
  const auto passed = seconds_of(now - now_);
  now_ = now;
  if (offered_.at < true_.right) counted_.too_good += passed;
  if (offered_.at > true_.right) counted_.too_bad += passed;
  counted_.off_in_vain += passed * count_of(true_.right_offer & ~features_);
  counted_.shed += passed * count_of(true_.working & ~true_.right_offer & ~features_);
  counted_.on_in_vain += passed * count_of(features_ & ~true_.working);
}

void ledger::settle_lateness(nanoseconds now) {
  if (!late_since_) return;
  (falling_ ? counted_.late_to_fall : counted_.late_to_rise) += seconds_of(now - *late_since_);
  late_since_.reset();
}

}  // namespace studies::levels
