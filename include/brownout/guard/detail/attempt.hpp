// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/retry_after.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/version.hpp"

#include <exception>
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

#if defined(__cpp_exceptions)
/// Judges the exception that is being handled.
template <class Classifier>
BROWNOUT_NOINLINE void note_exception(const Classifier& classify, attempt_end& ended) {
  ended.thrown = std::current_exception();
  if (ended.thrown == nullptr) throw;  // the end of the thread, which cannot be stopped
  try {
    throw;
  } catch (const call_rejected& refused) {
    ended.refused = refused.why();
  } catch (...) {
  }
  ended.verdict = thrown_outcome_of(classify, ended.thrown);
  if (ended.verdict == outcome::failure) ended.asked = thrown_retry_after_of(classify, ended.thrown);
}
#endif

/// Makes one attempt. After an exception the result holds a rejection without a meaning, and `ended.thrown`
/// the exception.
template <class R, class Next>
BROWNOUT_ALWAYS_INLINE result<R> attempt(const call_context& context, const Next& next, attempt_end& ended) {
  next.begin_attempt();
#if defined(__cpp_exceptions)
  try {
#endif
    auto answer = next(context);
    ended.verdict = next.judge(answer);
    if (ended.verdict != outcome::success) [[unlikely]] {
      if (!answer.has_value()) ended.refused = answer.rejection();
      if (ended.verdict == outcome::failure) ended.asked = retry_after_of(next.classifier(), answer);
    }
    return answer;
#if defined(__cpp_exceptions)
  } catch (...) {
    note_exception(next.classifier(), ended);
    return rejection{};
  }
#endif
}

/// Throws what the function threw in the attempt, if it did.
BROWNOUT_ALWAYS_INLINE void rethrow([[maybe_unused]] attempt_end& ended) {
#if defined(__cpp_exceptions)
  if (ended.thrown != nullptr) [[unlikely]] {
    std::rethrow_exception(std::move(ended.thrown));
  }
#endif
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
