// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/completion_verdict.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/signature.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/detail/attempt.hpp"
#include "brownout/guard/detail/chain.hpp"
#include "brownout/version.hpp"

#include <exception>
#include <optional>
#include <tuple>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// How a part of an asynchronous call through a pipeline ended, as the guards around it see it.
template <class Signature>
struct call_end : attempt_end {
  using signature = signature_of<Signature>;
  using values_type = typename signature::values;

  std::optional<values_type> values{};  // of the completion. Empty: a guard has refused the call, or ended it
  bool late = false;                    // the operation succeeded after its deadline

  /// The end of an operation with the values that are set.
  template <class Classifier>
  void judge_values(const Classifier& classify, bool is_cancelled) {
    static_cast<attempt_end&>(*this) = {};
    late = false;
    std::apply(
        [&](auto&... each) {
          const auto judged = detail::judge(classify, each...);
          verdict =
              is_cancelled && detail::is_error(std::as_const(each)...) ? outcome::cancelled : judged.verdict;
          asked = judged.asked;
        },
        *values);
    if (verdict != outcome::success) [[unlikely]] {
      take_error();
    }
  }

  /// A guard has refused the call, or ended it.
  void refuse(const rejection& why, outcome judged) {
    values.reset();
    static_cast<attempt_end&>(*this) = {.verdict = judged, .refused = why};
    late = false;
  }
  void refuse(const rejection& why) { refuse(why, is_failure(why) ? outcome::failure : outcome::ignored); }

  [[nodiscard]] bool has_error() const noexcept {
    return values && std::apply([](const auto&... each) { return detail::is_error(each...); }, *values);
  }

 private:
  // What the error says of an inner guard of this library, which the operation may have had.
  void take_error() {
    if constexpr (signature::has_error_code) {
      const error_code error{std::get<0>(*values)};
      if (const auto reason = rejection_reason_of(error)) refused = begun({.reason = *reason});
#if defined(__cpp_exceptions)
    } else if constexpr (signature::has_exception) {
      thrown = std::get<0>(*values);
      if (thrown == nullptr) return;
      try {
        std::rethrow_exception(thrown);
      } catch (const call_rejected& why) {
        refused = begun(why.why());
      } catch (...) {
      }
#endif
    }
  }
};

/// What a completion has beside its error: nothing, a value, or several.
template <class... A>
struct payload_type {
  using type = std::tuple<A...>;
};
template <>
struct payload_type<> {
  using type = void;
};
template <class A>
struct payload_type<A> {
  using type = A;
};

/// Makes a payload from the arguments of a completion, and the arguments of a success from a payload.
//
// No braces around a single value: its type may take a list of its own kind.
template <class Values, bool has_error>
struct payload_of;
template <class Error, class... Rest>
struct payload_of<std::tuple<Error, Rest...>, true> {
  using type = typename payload_type<Rest...>::type;
  using values = std::tuple<Error, Rest...>;

  static result<type> copied_from(const values& all) {
    if constexpr (sizeof...(Rest) == 0) {
      return {};
    } else {
      return std::apply(
          [](const auto&, const auto&... rest) {
            return result<type>{std::in_place, rest...};
          },
          all);
    }
  }
  static values success(result<type>&& payload) {
    if constexpr (sizeof...(Rest) == 0) {
      return {};
    } else if constexpr (sizeof...(Rest) == 1) {
      return values{Error{}, *std::move(payload)};
    } else {
      return std::tuple_cat(std::tuple<Error>{}, *std::move(payload));
    }
  }
};
template <class... All>
struct payload_of<std::tuple<All...>, false> {
  using type = typename payload_type<All...>::type;
  using values = std::tuple<All...>;

  static result<type> copied_from(const values& all) {
    if constexpr (sizeof...(All) == 0) {
      return {};
    } else {
      return std::apply([](const auto&... each) { return result<type>{std::in_place, each...}; }, all);
    }
  }
  static values success(result<type>&& payload) {
    if constexpr (sizeof...(All) == 0) {
      return {};
    } else {
      return values{*std::move(payload)};
    }
  }
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
