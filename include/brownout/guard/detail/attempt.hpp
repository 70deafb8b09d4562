// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/retry_after.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/guard/detail/chain.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// How an attempt of a call ended, apart from its answer.
struct attempt_end {
  outcome verdict = outcome::success;
  duration asked{};                    // the wait that the dependency asked for; 0: none
  std::optional<rejection> refused{};  // if it was not called, or did not answer
  std::exception_ptr thrown{};         // if the function threw
};

/// Whether the function was called in an attempt, so that the attempt may have had an effect.
[[nodiscard]] inline bool was_begun(const attempt_end& ended) noexcept {
  return !ended.refused || ended.refused->began;
}

/// How an attempt ended that returned an answer.
template <class Next, class R>
[[nodiscard]] attempt_end end_of(const Next& next, result<R>& answer, outcome verdict) {
  attempt_end ended{.verdict = verdict};
  if (!answer.has_value()) ended.refused = answer.rejection();
  if (verdict == outcome::failure) ended.asked = detail::retry_after_of(next.classifier(), answer);
  return ended;
}

#if defined(__cpp_exceptions)
/// Memory for an exception that is caught in a function, and costs that function nothing otherwise: a
/// `std::exception_ptr` would be cleared and tested in each call.
class exception_place {
 public:
  /// Holds the exception that is being handled. Throws it again if it is the end of the thread, which cannot
  /// be stopped. To be called once, in a handler.
  BROWNOUT_NOINLINE void hold_current() {
    auto current = std::current_exception();
    if (current == nullptr) throw;
    ::new (static_cast<void*>(bytes_)) std::exception_ptr{std::move(current)};
  }
  /// Precondition: it holds an exception. To be called once.
  [[nodiscard]] BROWNOUT_NOINLINE std::exception_ptr take() noexcept {
    auto* const held = std::launder(reinterpret_cast<std::exception_ptr*>(bytes_));
    auto taken = std::move(*held);
    std::destroy_at(held);
    return taken;
  }

 private:
  alignas(
      std::exception_ptr) std::byte bytes_[sizeof(std::exception_ptr)];  // uninitialised until it holds one
};

/// How an attempt ended that threw.
template <class Next>
[[nodiscard]] attempt_end end_of(const Next& next, std::exception_ptr thrown) {
  attempt_end ended{.verdict = detail::thrown_outcome_of(next.classifier(), thrown)};
  if (ended.verdict == outcome::failure)
    ended.asked = detail::thrown_retry_after_of(next.classifier(), thrown);
  try {
    std::rethrow_exception(thrown);
  } catch (const call_rejected& refused) {
    ended.refused = begun(refused.why());  // the function threw it
  } catch (...) {
  }
  ended.thrown = std::move(thrown);
  return ended;
}
#endif

/// Adds to a report how a call ended, apart from what its guards have written.
inline void note_end(call_report& report, const attempt_end& ended) {
  if (ended.refused) report.refused = ended.refused;
  report.retry_after = (std::max)(report.retry_after, ended.asked);
}
template <class R, class C>
void note_end(call_report& report, result<R>& answer, const C& classify) {
  attempt_end ended{.verdict = detail::outcome_of(classify, answer)};
  if (!answer.has_value()) ended.refused = answer.rejection();
  if (ended.verdict == outcome::failure) ended.asked = detail::retry_after_of(classify, answer);
  detail::note_end(report, ended);
}
#if defined(__cpp_exceptions)
template <class C>
void note_end(call_report& report, const std::exception_ptr& thrown, const C& classify) {
  if (thrown == nullptr || detail::thrown_outcome_of(classify, thrown) != outcome::failure) return;
  report.retry_after = (std::max)(report.retry_after, detail::thrown_retry_after_of(classify, thrown));
}
#endif

}  // namespace brownout::inline BROWNOUT_ABI::detail
