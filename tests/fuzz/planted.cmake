# SPDX-License-Identifier: BSL-1.0

# Defects that prove that the targets can fail. tests/fuzz/run --planted builds and runs a target with each of them.

plant(century TARGET retry_after FILE include/brownout/core/detail/http_date.hpp
      FROM "farthest{50}" TO "farthest{51}")

plant(surrogate TARGET prometheus FILE include/brownout/observe/detail/metric_text.hpp
      FROM "if (lead == 0xed) high = 0x9f;" TO "")

plant(window_size TARGET windows FILE include/brownout/detector/detail/count_history.hpp
      FROM "(std::min)(fill_of(page), size_ - sum.calls)" TO "fill_of(page)")
plant(window_turn TARGET windows FILE include/brownout/detector/detail/time_history.hpp
      FROM "if (!holds(seen, number)) continue;" TO "if (calls_of(seen) == 0) continue;")
plant(period_end TARGET windows FILE include/brownout/detector/detail/failure_times.hpp
      FROM "age(seen, now) < period" TO "age(seen, now) <= period")
plant(young_streak TARGET windows FILE include/brownout/detector/standard_detector.hpp
      FROM "!has_spanned && seen.streak < seen.balance" TO "has_spanned && seen.balance == 0")

plant(ramp_step TARGET breaker FILE include/brownout/breaker/detail/probe_decision.hpp
      FROM "seen.limit() + 1;" TO "seen.limit() + 2;")
plant(relapse TARGET breaker FILE include/brownout/breaker/detail/circuit_breaker_operations.hpp
      FROM "at.now - at.begun >= circuit_.rules()->relapse_within" TO "at.now - at.begun > circuit_.rules()->relapse_within")
plant(late_give_back TARGET breaker FILE include/brownout/breaker/detail/circuit_breaker_results.hpp
      FROM "seen.era() == token.era() && seen.state() == circuit_state::half_open"
      TO "token.epoch() + 2 >= seen.epoch() && seen.state() == circuit_state::half_open")

plant(debt TARGET quotas FILE include/brownout/guard/detail/token_bucket.hpp
      FROM "const auto ahead = next - at - by.tolerance;" TO "const auto ahead = next - at - by.tolerance - 16;")
plant(period_before TARGET quotas FILE include/brownout/guard/detail/two_periods.hpp
      FROM "age(now) == 1 ? current : 0" TO "current")
plant(forgetting TARGET quotas FILE include/brownout/guard/detail/budget_word.hpp
      FROM "left - left / 10 - 1" TO "left - left / 10")

plant(place_too_many TARGET limits FILE include/brownout/guard/bulkhead.hpp
      FROM "in_flight_of(seen) >= limit_.load" TO "in_flight_of(seen) > limit_.load")
plant(tenth_above TARGET limits FILE include/brownout/guard/detail/limit_window.hpp
      FROM "above() * 10 > samples()" TO "above() * 10 >= samples()")

plant(relapse_window TARGET levels FILE include/brownout/level/level_controller.hpp
      FROM "fell - *improved_at_ <= policy_" TO "fell - *improved_at_ < policy_")
plant(reduced TARGET levels FILE include/brownout/feature/feature_matrix.hpp
      FROM "at <= last_reduced ?" TO "at < last_reduced ?")

set(staging examples/staging)
plant(shown_secret TARGET configuration FILE ${staging}/config/config_error.cpp
      FROM "culprit.secret || value.find('@')" TO "(culprit.secret && value.size() < 20) || value.find('@')")
plant(threshold_order TARGET configuration FILE ${staging}/config/settings.cpp
      FROM "if (unordered != ladder.end())" TO "if (unordered != ladder.end() && ladder.empty())")

plant(quote_in_log TARGET log_line FILE ${staging}/http/json_text.cpp
      FROM "c != '\"' && " TO "")

plant(body_limit TARGET request_body FILE ${staging}/http/chunked_body.cpp
      FROM "if (*size > limit_ - content_.size()) return progress::too_large;" TO "")
plant(control_character TARGET request_body FILE ${staging}/routes/body.cpp
      FROM "< 0xa0" TO "< 0x80")

plant(long_id TARGET request_head FILE ${staging}/http/request_id.hpp SOURCES ${staging}/http/gate.cpp
      FROM "text.size() > 64" TO "text.size() > 65")
plant(any_proxy TARGET request_head FILE ${staging}/http/client_address.cpp
      FROM "while (is_trusted(client) && " TO "while (")
