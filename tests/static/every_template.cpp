// SPDX-License-Identifier: BSL-1.0
// Every header, and every member of its class templates: a compiler warns about a template only where it is
// used. For tests/compilers.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace use_of_every_template {

enum class level { normal, degraded, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : at == level::degraded ? "degraded" : "emergency";
}
enum class feature { search, advice };
constexpr auto matrix = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::search, .last = level::degraded, .needs = brownout::needs(0)},
     {.feature = feature::advice, .last = level::normal, .needs = brownout::needs(0, 1)}});

using matrix_type = std::remove_const_t<decltype(matrix)>;
using real_system = brownout::supervisor<matrix_type>;
using tested_system = brownout::supervisor<matrix_type, brownout::manual_clock>;
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
template class brownout::permit<brownout::circuit_breaker<>>;
template class brownout::registry<>;
template class brownout::registry<rates>;
template class brownout::registry<brownout::any_detector, brownout::any_clock>;
template class brownout::keyed_breaker<brownout::circuit_breaker<>>;
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
template struct brownout::supervisor_options<level>;
template class brownout::supervisor<matrix_type>;
template class brownout::supervisor<matrix_type, brownout::manual_clock>;
template class brownout::supervision<real_system>;
template class brownout::supervision<tested_system>;

// Function templates, with what users give them. Defined for nobody: it is to be compiled.
int use(real_system& watched, brownout::circuit_breaker<>& one, brownout::registry<>& many);

int use(real_system& watched, brownout::circuit_breaker<>& one, brownout::registry<>& many) {
  const brownout::first_match classify{brownout::failure_if([](int status) { return status >= 500; }),
                                       brownout::ignore_exceptions<std::bad_alloc>()};
  int sum = one.call([] { return 200; }, classify);
  sum += one.try_call([] {}).has_value() ? 1 : 0;
  sum += many.at("host").try_call([] { return 1; }).value_or(0);
  sum += watched.at(0).try_call([] { return 1; }, classify).value_or(0);
  const auto features = watched.features();
  sum += features.available(feature::search, 42) ? 1 : 0;
  sum += features.mode(feature::advice, "tenant") == brownout::feature_mode::full ? 1 : 0;
  const auto shown = watched.snapshot(watched.now());
  brownout::prometheus_text page;
  brownout::write_metrics(page, shown);
  std::string why = brownout::explain(shown.outlook);
  if (!shown.transitions.empty())
    why +=
        brownout::explain(shown.transitions.back(), [&](std::size_t i) { return shown.components[i].name; });
  return sum + static_cast<int>(page.text().size() + why.size());
}
