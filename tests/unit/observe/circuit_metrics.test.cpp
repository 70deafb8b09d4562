// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/observe/circuit_metrics.hpp"
#include "brownout/observe/prometheus_text.hpp"
#include "brownout/observe/registry_metrics.hpp"
#include "brownout/registry/registry.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using brownout::manual_clock;
using brownout::outcome;
using tested_breaker = brownout::circuit_breaker<brownout::consecutive_failures, manual_clock>;
using host_registry = brownout::registry<brownout::consecutive_failures, manual_clock>;

namespace {

void fail(auto&& one) {
  if (auto permit = one.try_acquire()) permit->complete(outcome::failure);
}

}  // namespace

TEST_CASE("a lone breaker shows its state, its epoch and the calls that it counts", "[observe][M2b]") {
  const manual_clock clock;
  tested_breaker payments{{2}, {.name = "payments"}, clock};
  fail(payments);
  auto late = payments.try_acquire();
  REQUIRE(late);
  fail(payments);
  CHECK_FALSE(payments.try_acquire());
  late->complete(outcome::success);
  brownout::prometheus_text page;
  write_metrics(page, payments.name(), payments.snapshot(), {{"region", "eu"}});
  CHECK(page.text() ==
        "# HELP brownout_circuit_state 1 for the state that the circuit is in, 0 for the others.\n"
        "# TYPE brownout_circuit_state gauge\n"
        "brownout_circuit_state{region=\"eu\",dependency=\"payments\",state=\"closed\"} 0\n"
        "brownout_circuit_state{region=\"eu\",dependency=\"payments\",state=\"half_open\"} 0\n"
        "brownout_circuit_state{region=\"eu\",dependency=\"payments\",state=\"open\"} 1\n"
        "brownout_circuit_state{region=\"eu\",dependency=\"payments\",state=\"forced_open\"} 0\n"
        "brownout_circuit_state{region=\"eu\",dependency=\"payments\",state=\"disabled\"} 0\n"
        "brownout_circuit_state{region=\"eu\",dependency=\"payments\",state=\"metrics_only\"} 0\n"
        "# HELP brownout_circuit_epochs_total Times that the circuit changed its state or was reset.\n"
        "# TYPE brownout_circuit_epochs_total counter\n"
        "brownout_circuit_epochs_total{region=\"eu\",dependency=\"payments\"} 1\n"
        "# HELP brownout_dependency_calls_total Calls by their end. A slow call has a second kind, so do not "
        "add slow to the others.\n"
        "# TYPE brownout_dependency_calls_total counter\n"
        "brownout_dependency_calls_total{region=\"eu\",dependency=\"payments\",kind=\"failed\"} 2\n"
        "brownout_dependency_calls_total{region=\"eu\",dependency=\"payments\",kind=\"slow\"} 0\n"
        "brownout_dependency_calls_total{region=\"eu\",dependency=\"payments\",kind=\"rejected\"} 1\n"
        "brownout_dependency_calls_total{region=\"eu\",dependency=\"payments\",kind=\"late\"} 1\n");
}

TEST_CASE("a lone breaker shows its slow calls", "[observe][M2b]") {
  brownout::breaker_snapshot seen;
  seen.slow_results = 3;
  brownout::prometheus_text page;
  write_metrics(page, "payments", seen);
  CHECK(page.text().find("{dependency=\"payments\",kind=\"slow\"} 3\n") != std::string::npos);
}

TEST_CASE("several breakers share a page", "[observe][M2b]") {
  const manual_clock clock;
  tested_breaker payments{{2}, {.name = "payments"}, clock};
  tested_breaker mail{{2}, {.name = "mail"}, clock};
  mail.force_open();
  brownout::prometheus_text page;
  for (const auto* one : {&payments, &mail}) write_metrics(page, one->name(), one->snapshot());
  const auto text = page.text();
  CHECK(text.find("# TYPE brownout_circuit_state gauge") == text.rfind("# TYPE brownout_circuit_state"));
  CHECK(text.find("{dependency=\"payments\",state=\"closed\"} 1\n") != std::string::npos);
  CHECK(text.find("{dependency=\"mail\",state=\"forced_open\"} 1\n") != std::string::npos);
}

TEST_CASE("a registry shows its totals and its breakers by state, and no key", "[observe][M2c]") {
  const manual_clock clock;
  host_registry hosts{{.capacity = 3, .detector = {1}}, clock};
  fail(hosts.at("host-a"));
  hosts.at("host-b").force_open();
  static_cast<void>(hosts.at("host-c"));
  static_cast<void>(hosts.at("host-d"));  // evicts host-c
  const auto held = hosts.at("host-d");
  static_cast<void>(hosts.at("host-e"));  // finds no room
  hosts.erase("host-b");
  brownout::prometheus_text page;
  write_metrics(page, hosts, {{"registry", "hosts"}});
  const auto text = page.text();
  const auto has = [&](const std::string& line) {
    return text.find('\n' + line + '\n') != std::string::npos;
  };
  CAPTURE(text);
  CHECK(has(R"(brownout_registry_capacity{registry="hosts"} 3)"));
  CHECK(has(R"(brownout_registry_size{registry="hosts"} 2)"));
  CHECK(has(R"(brownout_registry_removed_total{registry="hosts",reason="evicted"} 1)"));
  CHECK(has(R"(brownout_registry_removed_total{registry="hosts",reason="expired"} 0)"));
  CHECK(has(R"(brownout_registry_removed_total{registry="hosts",reason="erased"} 1)"));
  CHECK(has(R"(brownout_registry_unregistered_total{registry="hosts"} 1)"));
  CHECK(has(R"(brownout_registry_listener_failures_total{registry="hosts"} 0)"));
  CHECK(has(R"(brownout_registry_circuits{registry="hosts",state="closed"} 1)"));
  CHECK(has(R"(brownout_registry_circuits{registry="hosts",state="open"} 1)"));
  CHECK(has(R"(brownout_registry_circuits{registry="hosts",state="forced_open"} 0)"));
  CHECK(text.find("host-") == std::string::npos);
}

TEST_CASE("a known key of a registry is written by itself", "[observe][M2c]") {
  const manual_clock clock;
  host_registry hosts{{.detector = {1}}, clock};
  static_cast<void>(hosts.at("payments"));
  brownout::prometheus_text page;
  if (const auto one = hosts.find("payments")) write_metrics(page, one.name(), one.snapshot());
  CHECK(page.text().find("{dependency=\"payments\",state=\"closed\"} 1\n") != std::string::npos);
}
