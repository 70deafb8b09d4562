// SPDX-License-Identifier: BSL-1.0
// What sinks, and what stages of a pipeline, a program may have metrics and explanations of.
#include "catch2.hpp"
#include "unit/system/staging_bench.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/observe/circuit_metrics.hpp"
#include "brownout/observe/pipeline_explanation.hpp"
#include "brownout/observe/prometheus_text.hpp"
#include "brownout/observe/registry_metrics.hpp"
#include "brownout/observe/system_metrics.hpp"
#include "brownout/registry/registry.hpp"

#include <string>
#include <string_view>

/// A program with types of its own, and with functions for them whose names the library has too.
namespace a_program {

template <class Out>
void begin_calls(Out& out) = delete;
template <class Out, class Shown>
void write_calls(Out& out, const Shown& shown) = delete;
template <class Out, class Shown>
void write_probe(Out& out, const Shown& shown) = delete;
template <class Out, class Shown>
void write_refused(Out& out, const Shown& shown) = delete;
template <class Out, class Shown>
void write_transitions(Out& out, const Shown& shown) = delete;

struct page : brownout::prometheus_text {};
void write_metrics(page& into, const brownout::registry_snapshot& shown,
                   brownout::metric_labels with) = delete;

struct stage {
  template <class R, class Next>
  brownout::result<R> around(const brownout::call_context& context, const Next& next) const {
    return next(context);
  }
};
void guard_text(brownout::guard_kind kind, const stage& shown) = delete;
void limits_of(const stage& shown) = delete;

}  // namespace a_program

TEST_CASE("the functions that a program has for its sink are not the library's", "[observe][M2]") {
  const system_test::staging staging;
  a_program::page page;
  write_metrics(page, staging.watched.snapshot(staging.watched.now()));
  CHECK(page.text().find("brownout_dependency_calls_total") != std::string::npos);

  brownout::circuit_breaker<> circuit;
  write_metrics(page, "lone", circuit.snapshot());
  CHECK(page.text().find("dependency=\"lone\"") != std::string::npos);

  const brownout::registry<> hosts;
  brownout::write_metrics(page, hosts);
  CHECK(page.text().find("brownout_registry_size 0") != std::string::npos);
}

TEST_CASE("the functions that a program has for its stage are not the library's", "[observe][guard][P8]") {
  a_program::stage kept;
  CHECK(
      explain(brownout::pipeline{a_program::stage{}, kept}) ==
      "1. a stage of your own\n"
      "2. a stage of your own\n"
      "The function is called at most once. The time of a call is not limited. Stages of your own may change "
      "both.");
}
