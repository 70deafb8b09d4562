// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/guard/adaptive_limit_snapshot.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/call_priority.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/hedge.hpp"
#include "brownout/guard/keyed_rate_limiter_options.hpp"
#include "brownout/guard/rate_limiter_options.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/sliding_window.hpp"
#include "brownout/observe/detail/labelled_sink.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/observe/metric_sink.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstddef>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

// The metrics of guards. For several guards, call `write_metrics` for each:
//
//     write_metrics(page, connections.name(), connections.snapshot());
//     write_metrics(page, quota.name(), quota.snapshot());
//
// `guard`: value of the label with this name. Precondition: no two guards of one kind on a page have the same
// one, unless another label in `with` tells them apart.

/// Writes the metrics of a bulkhead: `brownout_bulkhead_limit`, `brownout_bulkhead_in_flight`, and
/// `brownout_bulkhead_calls_total` with the kinds `admitted` and `refused`.
template <metric_sink Sink>
void write_metrics(Sink& into, std::string_view guard, const bulkhead_snapshot& shown,
                   metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  out.family("brownout_bulkhead_limit", metric_type::gauge, "Calls that may be in flight at a time.");
  out.sample({{"guard", guard}}, shown.limit);
  out.family("brownout_bulkhead_in_flight", metric_type::gauge, "Calls that are in flight.");
  out.sample({{"guard", guard}}, shown.in_flight);
  out.family("brownout_bulkhead_calls_total", metric_type::counter,
             "Calls that the bulkhead admitted and refused.");
  out.sample({{"guard", guard}, {"kind", "admitted"}}, shown.admitted);
  out.sample({{"guard", guard}, {"kind", "refused"}}, shown.refused);
}

/// Writes the metrics of a rate limiter: `brownout_rate_limiter_rate`, `brownout_rate_limiter_burst`,
/// `brownout_rate_limiter_tokens` and `brownout_rate_limiter_refused_total`. There is no total of admissions:
/// a limiter does not count them.
template <metric_sink Sink>
void write_metrics(Sink& into, std::string_view guard, const rate_limiter_snapshot& shown,
                   metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  out.family("brownout_rate_limiter_rate", metric_type::gauge, "Tokens that come back in a second.");
  out.sample({{"guard", guard}}, shown.rate_per_second);
  out.family("brownout_rate_limiter_burst", metric_type::gauge, "Tokens in a full bucket.");
  out.sample({{"guard", guard}}, shown.burst);
  out.family("brownout_rate_limiter_tokens", metric_type::gauge, "Tokens that are there.");
  out.sample({{"guard", guard}}, shown.tokens);
  out.family("brownout_rate_limiter_refused_total", metric_type::counter, "Calls that were refused.");
  out.sample({{"guard", guard}}, shown.refused);
}

/// Writes the metrics of rate limiters by key, of all keys together: `brownout_keyed_rate_limiter_rate`,
/// `brownout_keyed_rate_limiter_burst`, `brownout_keyed_rate_limiter_capacity`,
/// `brownout_keyed_rate_limiter_keys`, `brownout_keyed_rate_limiter_refused_total`,
/// `brownout_keyed_rate_limiter_evicted_total` and `brownout_keyed_rate_limiter_bucketless_total`. No key is
/// on the page.
template <metric_sink Sink>
void write_metrics(Sink& into, std::string_view guard, const keyed_rate_limiter_snapshot& shown,
                   metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  out.family("brownout_keyed_rate_limiter_rate", metric_type::gauge,
             "Tokens that come back to a key in a second.");
  out.sample({{"guard", guard}}, shown.rate_per_second);
  out.family("brownout_keyed_rate_limiter_burst", metric_type::gauge, "Tokens in a full bucket.");
  out.sample({{"guard", guard}}, shown.burst);
  out.family("brownout_keyed_rate_limiter_capacity", metric_type::gauge, "Keys that can have a bucket.");
  out.sample({{"guard", guard}}, shown.capacity);
  out.family("brownout_keyed_rate_limiter_keys", metric_type::gauge, "Keys whose bucket is not full.");
  out.sample({{"guard", guard}}, shown.keys);
  out.family("brownout_keyed_rate_limiter_refused_total", metric_type::counter, "Calls that were refused.");
  out.sample({{"guard", guard}}, shown.refused);
  out.family("brownout_keyed_rate_limiter_evicted_total", metric_type::counter,
             "Full buckets that were given to another key.");
  out.sample({{"guard", guard}}, shown.evicted);
  out.family("brownout_keyed_rate_limiter_bucketless_total", metric_type::counter,
             "Calls that were admitted of keys for which there was no place.");
  out.sample({{"guard", guard}}, shown.bucketless);
}

/// Writes the metrics of a sliding window: `brownout_sliding_window_limit`,
/// `brownout_sliding_window_period_seconds`, `brownout_sliding_window_calls` and
/// `brownout_sliding_window_refused_total`.
template <metric_sink Sink>
void write_metrics(Sink& into, std::string_view guard, const sliding_window_snapshot& shown,
                   metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  out.family("brownout_sliding_window_limit", metric_type::gauge, "Calls that may be made in a period.");
  out.sample({{"guard", guard}}, shown.limit);
  out.family("brownout_sliding_window_period_seconds", metric_type::gauge, "Length of a period.");
  out.sample({{"guard", guard}}, std::chrono::duration<double>{shown.period}.count());
  out.family("brownout_sliding_window_calls", metric_type::gauge, "Calls that count now.");
  out.sample({{"guard", guard}}, shown.calls);
  out.family("brownout_sliding_window_refused_total", metric_type::counter, "Calls that were refused.");
  out.sample({{"guard", guard}}, shown.refused);
}

/// Writes the metrics of a hedge: `brownout_hedge_delay_seconds`, which is left out while there is none,
/// `brownout_hedge_calls_total`, `brownout_hedge_won_total`, and `brownout_hedge_attempts_total` with the
/// kinds `extra` and `suppressed`.
template <metric_sink Sink>
void write_metrics(Sink& into, std::string_view guard, const hedge_snapshot& shown, metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  if (shown.delay) {
    out.family("brownout_hedge_delay_seconds", metric_type::gauge, "Time until a further attempt starts.");
    out.sample({{"guard", guard}}, std::chrono::duration<double>{*shown.delay}.count());
  }
  out.family("brownout_hedge_calls_total", metric_type::counter, "Hedged calls that were started.");
  out.sample({{"guard", guard}}, shown.calls);
  out.family("brownout_hedge_won_total", metric_type::counter,
             "Calls whose answer came from a further attempt.");
  out.sample({{"guard", guard}}, shown.won);
  out.family("brownout_hedge_attempts_total", metric_type::counter,
             "Further attempts that were started, and that an empty budget suppressed.");
  out.sample({{"guard", guard}, {"kind", "extra"}}, shown.extra);
  out.sample({{"guard", guard}, {"kind", "suppressed"}}, shown.suppressed);
}

/// Writes the metrics of a retry budget: `brownout_retry_budget_tokens`,
/// `brownout_retry_budget_successes_total`, and `brownout_retry_budget_retries_total` with the kinds
/// `allowed`, `given_back` and `refused`.
template <metric_sink Sink>
void write_metrics(Sink& into, std::string_view guard, const retry_budget_snapshot& shown,
                   metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  out.family("brownout_retry_budget_tokens", metric_type::gauge, "Retries that would be allowed now.");
  out.sample({{"guard", guard}}, shown.tokens);
  out.family("brownout_retry_budget_successes_total", metric_type::counter, "Successes that were deposited.");
  out.sample({{"guard", guard}}, shown.deposited);
  out.family("brownout_retry_budget_retries_total", metric_type::counter,
             "Retries that were allowed or refused. One that is given back was allowed, but not started.");
  out.sample({{"guard", guard}, {"kind", "allowed"}}, shown.withdrawn);
  out.sample({{"guard", guard}, {"kind", "given_back"}}, shown.given_back);
  out.sample({{"guard", guard}, {"kind", "refused"}}, shown.refused);
}

/// Writes the metrics of an adaptive limit: `brownout_adaptive_limit_limit`,
/// `brownout_adaptive_limit_in_flight`, `brownout_adaptive_limit_changes_total`,
/// `brownout_adaptive_limit_calls_total` with the kinds `admitted` and `limit_reached`, and
/// `brownout_adaptive_limit_shed_total` by priority.
template <metric_sink Sink>
void write_metrics(Sink& into, std::string_view guard, const adaptive_limit_snapshot& shown,
                   metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  out.family("brownout_adaptive_limit_limit", metric_type::gauge, "Calls that may be in flight at a time.");
  out.sample({{"guard", guard}}, shown.limit);
  out.family("brownout_adaptive_limit_in_flight", metric_type::gauge, "Calls that are in flight.");
  out.sample({{"guard", guard}}, shown.in_flight);
  out.family("brownout_adaptive_limit_changes_total", metric_type::counter, "Changes of the limit.");
  out.sample({{"guard", guard}}, shown.last_change.number);
  out.family("brownout_adaptive_limit_calls_total", metric_type::counter,
             "Calls that were admitted, and calls that were refused at the limit.");
  out.sample({{"guard", guard}, {"kind", "admitted"}}, shown.admitted);
  out.sample({{"guard", guard}, {"kind", "limit_reached"}}, shown.limit_reached);
  out.family("brownout_adaptive_limit_shed_total", metric_type::counter,
             "Calls that were refused below the limit, in favour of calls of a higher priority.");
  for (std::size_t i = 0; i < call_priority_count; ++i) {
    out.sample({{"guard", guard}, {"priority", to_string(static_cast<call_priority>(i))}}, shown.shed[i]);
  }
}

/// Writes the metric of a fallback: `brownout_fallback_calls_total`, with the kinds `answered` and
/// `unanswered`. An alert on its rate shows a failure that lasts, which the answers of the fallback hide.
template <metric_sink Sink>
void write_metrics(Sink& into, std::string_view guard, const fallback_snapshot& shown,
                   metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  out.family("brownout_fallback_calls_total", metric_type::counter,
             "Calls that failed, and for which the fallback had an answer or none.");
  out.sample({{"guard", guard}, {"kind", "answered"}}, shown.answered);
  out.sample({{"guard", guard}, {"kind", "unanswered"}}, shown.unanswered);
}

}  // namespace brownout::inline BROWNOUT_ABI
