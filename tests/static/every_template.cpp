// SPDX-License-Identifier: BSL-1.0
// Every header, and every member of its class templates: a compiler warns about a template only where it is
// used. For tests/compilers.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>
#if !defined(_WIN32)  // where it has no way to change stacks
#include <brownout/testing/exploration.hpp>
#include <brownout/testing/scheduled_atomics.hpp>
#include <brownout/testing/scheduled_mutex.hpp>
#endif

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace use_of_every_template {

enum class level { normal, degraded, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : at == level::degraded ? "degraded" : "emergency";
}
enum class upstream { database, hosts, search };
enum class feature { search, advice };
constexpr auto matrix = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::search, .last = level::degraded, .needs = brownout::needs(upstream::database)},
     {.feature = feature::advice,
      .last = level::normal,
      .needs = brownout::needs(upstream::database, upstream::hosts)}});

using matrix_type = std::remove_const_t<decltype(matrix)>;
using real_system = brownout::supervisor<matrix_type>;
using tested_system = brownout::supervisor<matrix_type, brownout::manual_clock>;
using testable_system = brownout::supervisor_for<matrix, brownout::any_clock>;
// A text of a header is also read in a constant expression.
static_assert(brownout::parse_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", {}) == std::chrono::minutes{1});

using rates = brownout::any_of<brownout::failure_rate<>, brownout::slow_call_rate<brownout::time_window>>;

}  // namespace use_of_every_template

using namespace use_of_every_template;

template class brownout::circuit_breaker<brownout::standard_detector>;
template class brownout::circuit_breaker<brownout::consecutive_failures, brownout::manual_clock>;
template class brownout::circuit_breaker<brownout::failure_balance>;
template class brownout::circuit_breaker<brownout::failure_rate<>>;
template class brownout::circuit_breaker<brownout::failure_rate<brownout::time_window>>;
template class brownout::circuit_breaker<brownout::failures_within>;
template class brownout::circuit_breaker<brownout::slow_call_rate<>>;
template class brownout::circuit_breaker<
    brownout::slow_call_rate<brownout::time_window, brownout::slow_calls::in_flight>>;
template class brownout::circuit_breaker<rates>;
template class brownout::circuit_breaker<brownout::any_detector, brownout::any_clock>;
template class brownout::circuit_breaker<brownout::standard_detector, brownout::any_clock>;
template class brownout::permit<brownout::circuit_breaker<>>;
template class brownout::registry<>;
template class brownout::registry<rates>;
template class brownout::registry<brownout::any_detector, brownout::any_clock>;
template class brownout::registry<brownout::consecutive_failures, brownout::any_clock>;
template class brownout::keyed_breaker<brownout::circuit_breaker<>>;
template class brownout::bulkhead<>;
template class brownout::pipeline<brownout::monotonic_clock, brownout::timeout, brownout::retry,
                                  brownout::detail::guard_reference<brownout::circuit_breaker<>>>;
template class brownout::hold_place_while_waiting<brownout::bulkhead<>>;
template class brownout::basic_retry_budget<>;
template class brownout::adaptive_limit<>;
template class brownout::adaptive_limit<brownout::any_clock>;
template class brownout::adaptive_limit<brownout::manual_clock>;
template class brownout::rate_limiter<>;
template class brownout::rate_limiter<brownout::any_clock>;
template class brownout::keyed<brownout::rate_limiter<>>;
template class brownout::keyed<brownout::rate_limiter<brownout::any_clock>>;
template class brownout::sliding_window<>;
template class brownout::sliding_window<brownout::any_clock>;
template class brownout::fallback<int>;
template class brownout::fallback<brownout::last_good>;
template class brownout::option_without_default<bool>;
template class brownout::option_without_default<brownout::retry_budget*>;
template class brownout::pipeline<brownout::monotonic_clock, brownout::timeout>;
template class brownout::result<std::string>;
template class brownout::result<std::unique_ptr<int>>;
template class brownout::result<int&>;
template class brownout::level_ladder<level>;
template struct brownout::level_policy<level>;
template class brownout::level_controller<level>;
template class brownout::level_table<level, int>;
template class brownout::feature_matrix<feature, level, 2>;
template class brownout::feature_view<matrix_type>;
template class brownout::dimmer_controller<brownout::latency_target>;
template class brownout::dimmer_controller<brownout::score_target>;

template class brownout::dependency<>;
template class brownout::dependency<brownout::consecutive_failures, brownout::any_clock>;
template class brownout::dependency<rates, brownout::manual_clock>;
template class brownout::dependency<brownout::any_detector>;
template class brownout::registry_dependency<brownout::standard_detector, brownout::monotonic_clock>;
template class brownout::registry_dependency<brownout::consecutive_failures, brownout::any_clock>;
template class brownout::claim<brownout::monotonic_clock>;
template class brownout::claim<brownout::any_clock>;
template struct brownout::supervisor_options<level>;
template class brownout::supervisor<matrix_type>;
template class brownout::supervisor<matrix_type, brownout::manual_clock>;
template class brownout::supervisor<matrix_type, brownout::any_clock>;
template class brownout::supervision<real_system>;
template class brownout::supervision<testable_system>;
template class brownout::supervision<tested_system>;

// Function templates, with what users give them. Defined for nobody: it is to be compiled.
int use(brownout::circuit_breaker<>& one, brownout::registry<>& many);

int use(brownout::circuit_breaker<>& one, brownout::registry<>& many) {
  const brownout::first_match classify{brownout::failure_if([](int status) { return status >= 500; }),
                                       brownout::ignore_exceptions<std::bad_alloc>()};
  int sum = one.call([] { return 200; }, classify);
  sum += one.try_call([] {}).has_value() ? 1 : 0;
  sum += many.at("host").try_call([] { return 1; }).value_or(0);
  brownout::dependency database{brownout::consecutive_failures{3}, {.name = "database"}};
  sum += database.call([] { return 200; }, classify);
  sum += database.try_call([] { return 1; }, classify).value_or(0);
  brownout::registry_dependency hosts{many, {.name = "hosts"}};
  real_system watched{
      matrix,
      {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 50}, {level::emergency, 0}}}},
      {{upstream::database, database}, {upstream::hosts, hosts}, {upstream::search, {.name = "search"}}}};
  const brownout::component& shown_one = watched.at(upstream::hosts);
  sum += static_cast<int>(shown_one.name().size() + shown_one.latencies().bounds.size());
  sum += watched.described(upstream::search).try_call([] { return 1; }).value_or(0);
  watched.set_weight(upstream::search, 2, watched.now());
  watched.set_criticality(upstream::search, brownout::criticality::optional, watched.now());
  const auto features = watched.features();
  sum += features.available(feature::search, 42) ? 1 : 0;
  sum += features.mode(feature::advice, "tenant") == brownout::feature_mode::full ? 1 : 0;
  brownout::retry_budget budget;
  brownout::bulkhead<> places{{.limit = 20}};
  const brownout::fallback front_page{brownout::last_good{.max_age = std::chrono::minutes{5}}};
  const brownout::pipeline guarded{
      front_page,
      brownout::fallback{[](const brownout::failure& why) { return why.rejection() ? 503 : 500; }},
      brownout::timeout{.limit = std::chrono::seconds{2}},
      brownout::retry{.budget = &budget, .idempotent = true},
      database,
      places};
  brownout::call_report report;
  const auto status = [](const brownout::call_context& call) { return static_cast<int>(200 * call.attempt); };
  sum += guarded.call(status, classify) + guarded.try_call({.report = &report}, status).value_or(0);
  front_page.invalidate();
  const auto shown = watched.snapshot(watched.now());
  brownout::prometheus_text page;
  brownout::write_metrics(page, shown);
  brownout::write_metrics(page, "front_page", front_page.snapshot());
  brownout::write_timestamps(page, shown, std::chrono::system_clock::time_point{});
  std::string why = brownout::explain(shown.outlook) + brownout::explain(guarded);
  if (!shown.transitions.empty())
    why +=
        brownout::explain(shown.transitions.back(), [&](std::size_t i) { return shown.components[i].name; });
  return sum + static_cast<int>(page.text().size() + why.size());
}

#if !defined(_WIN32)
template class brownout::scheduled_atomics::atomic<int>;
template class brownout::circuit_breaker<brownout::consecutive_failures, brownout::manual_clock,
                                         brownout::scheduled_atomics>;

std::string explored();

std::string explored() {
  return brownout::explore({},
                           [](brownout::schedule& threads) {
                             brownout::scheduled_mutex mutex;
                             threads.run(2, [&](std::size_t) {
                               mutex.lock();
                               mutex.unlock();
                             });
                             threads.run([] {}, [] { brownout::schedule::yield(); });
                           })
      .text();
}
#endif
