// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"

#include "brownout/core/classifier.hpp"
#include "brownout/core/rules.hpp"

#include <boost/outcome.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <any>
#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

using brownout::call_rejected;
using brownout::default_classifier;
using brownout::failure_exceptions;
using brownout::failure_if;
using brownout::first_match;
using brownout::ignore_exceptions;
using brownout::ignore_if;
using brownout::outcome;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;
using brownout::success_exceptions;
using brownout::success_if;

namespace {

constexpr default_classifier by_default;
constexpr rejection refused{rejection_reason::circuit_open, std::chrono::seconds{3}};

/// In the form of `std::expected`: nothing but its observers.
template <class T, class E>
class expected {
 public:
  constexpr expected(T value) : content_{std::in_place_index<0>, value} {}
  constexpr explicit expected(std::in_place_t, E error) : content_{std::in_place_index<1>, error} {}

  using value_type = T;
  using error_type = E;
  constexpr explicit operator bool() const noexcept { return has_value(); }
  constexpr bool has_value() const noexcept { return content_.index() == 0; }
  constexpr const T& value() const& { return std::get<0>(content_); }
  constexpr const T& operator*() const& noexcept { return std::get<0>(content_); }
  constexpr const E& error() const& noexcept { return std::get<1>(content_); }

 private:
  std::variant<T, E> content_;
};

/// In the form of an error code, told from `std::error_code` only by its name.
struct plain_code {
  constexpr explicit operator bool() const noexcept { return number != 0; }
  constexpr int value() const noexcept { return number; }
  constexpr const char* category() const noexcept { return "plain"; }
  int number = 0;
};

/// Accessors of the same names, as generated for a message with fields `value` and `error`.
struct message {
  bool has_value() const { return false; }
  bool has_error() const { return false; }
  const std::string& error() const { return text; }
  std::string text;
};

/// Has a truth and a value, as an error code has, and is an amount.
struct amount {
  explicit operator bool() const { return value() != 0; }
  int value() const { return 3; }
};

/// Has a truth and an error; whether true means the error, only its author knows.
struct parsing {
  explicit operator bool() const { return true; }
  int error() const { return 3; }
};

struct response {
  int status = 200;
  std::chrono::seconds asked{5};
  constexpr bool is_server_error() const { return status >= 500; }
};

constexpr auto server_error = [](const response& seen) { return seen.is_server_error(); };

struct not_found : std::runtime_error {
  not_found() : runtime_error{"not found"} {}
};
struct bad_request : std::runtime_error {
  bad_request() : runtime_error{"bad request"} {}
};
struct http_error : std::runtime_error {
  explicit http_error(int code) : runtime_error{"http"}, status{code} {}
  int status;
};

template <class E>
std::exception_ptr thrown(E error) {
  return std::make_exception_ptr(std::move(error));
}

/// May one day carry more than an outcome.
struct verdict {
  outcome what;
  int hint;
  constexpr operator outcome() const { return what; }
};

// A classifier is what says an outcome, something that becomes one, or nothing.
constexpr auto says_outcome = [](const response&) { return outcome::failure; };
constexpr auto says_verdict = [](const response&) { return verdict{outcome::failure, 30}; };
constexpr auto says_perhaps = [](const response&) -> std::optional<outcome> { return std::nullopt; };
static_assert(brownout::classifier<decltype(brownout::failure_if([](int) { return true; })), int>);
static_assert(brownout::classifier<decltype(brownout::failure_exceptions<int>()), void>);
static_assert(brownout::classifier<decltype(says_outcome), response>);
static_assert(brownout::classifier<decltype(says_outcome), response&>);
static_assert(brownout::classifier<decltype(says_outcome), const response&>);
static_assert(brownout::classifier<decltype(says_verdict), response>);
static_assert(brownout::classifier<decltype(says_perhaps), response>);
static_assert(!brownout::classifier<decltype(says_outcome), int>);
static_assert(!brownout::classifier<decltype(says_outcome), void>);
static_assert(brownout::classifier<decltype([] { return outcome::success; }), void>);
static_assert(brownout::classifier<outcome (*)(const response&), response>);

// A truth value is no outcome: true might mean that it failed, or that it did not.
static_assert(!brownout::classifier<decltype(server_error), response>);
static_assert(!brownout::classifier<decltype([](const response&) { return 1; }), response>);
static_assert(!brownout::classifier<decltype([](const response&) {}), response>);
// One that changes what was returned, or itself, is none.
static_assert(!brownout::classifier<decltype([](response&) { return outcome::success; }), response>);
static_assert(!brownout::classifier<
              decltype([n = 0](const response&) mutable { return ++n, outcome::success; }), response>);

/// Says `Said` of what a call threw.
template <class Said>
struct with_threw {
  outcome operator()() const { return outcome::success; }
  Said threw(const std::exception_ptr&) const;
};
static_assert(brownout::classifier<with_threw<outcome>, void>);
static_assert(brownout::classifier<with_threw<verdict>, void>);
static_assert(brownout::classifier<with_threw<std::optional<outcome>>, void>);

// A threw that would never be asked is a mistake, not a classifier without an opinion.
static_assert(!brownout::classifier<with_threw<bool>, void>);
struct threw_changes {
  outcome operator()() const { return outcome::success; }
  outcome threw(const std::exception_ptr&);
};
static_assert(!brownout::classifier<threw_changes, void>);
struct threw_takes_another {
  outcome operator()() const { return outcome::success; }
  outcome threw(const std::exception&) const;
};
static_assert(!brownout::classifier<threw_takes_another, void>);
static_assert(!brownout::classifier<first_match<threw_takes_another>, void>);

// A rule is for what its predicate takes; elsewhere it would never match, and nobody would know.
static_assert(brownout::classifier<decltype(failure_if(server_error)), response>);
static_assert(!brownout::classifier<decltype(failure_if(server_error)), int>);
static_assert(!brownout::classifier<decltype(failure_if(server_error)), void>);
static_assert(!brownout::classifier<decltype(first_match{failure_if(server_error)}), int>);
static_assert(brownout::classifier<decltype(ignore_exceptions<not_found>()), void>);
static_assert(brownout::classifier<decltype(first_match{ignore_exceptions<not_found>()}), response&>);

// Who has no opinion on exceptions needs no handler for them.
static_assert(!brownout::detail::judges_exceptions<decltype(first_match{failure_if(server_error)})>);
static_assert(brownout::detail::judges_exceptions<decltype(first_match{ignore_exceptions<not_found>()})>);

}  // namespace

TEST_CASE("by default a call that returned is a success", "[core][classifier][B7]") {
  CHECK(by_default() == outcome::success);
  CHECK(by_default(1) == outcome::success);
  CHECK(by_default(std::string{"text"}) == outcome::success);
}

TEST_CASE("by default a value-or-error type is a failure when it holds an error",
          "[core][classifier][B7][C1]") {
  SECTION("of the form of std::expected") {
    static_assert(by_default(expected<int, plain_code>{3}) == outcome::success);
    static_assert(by_default(expected<int, plain_code>{std::in_place, plain_code{3}}) == outcome::failure);
    CHECK(by_default(expected<bool, int>{false}) == outcome::success);
    CHECK(by_default(expected<bool, int>{std::in_place, 0}) == outcome::failure);
  }
  SECTION("Boost.System's result") {
    const boost::system::error_code refused_connection{
        boost::system::errc::make_error_code(boost::system::errc::connection_refused)};
    CHECK(by_default(boost::system::result<int>{3}) == outcome::success);
    CHECK(by_default(boost::system::result<int>{refused_connection}) == outcome::failure);
    CHECK(by_default(boost::system::result<void>{}) == outcome::success);
    CHECK(by_default(boost::system::result<void>{refused_connection}) == outcome::failure);
  }
  SECTION("Boost.Outcome's result and outcome") {
    namespace lib = boost::outcome_v2;
    const auto refused_connection = std::make_error_code(std::errc::connection_refused);
    CHECK(by_default(lib::std_result<int>{3}) == outcome::success);
    CHECK(by_default(lib::std_result<int>{refused_connection}) == outcome::failure);
    CHECK(by_default(lib::std_outcome<int>{3}) == outcome::success);
    CHECK(by_default(lib::std_outcome<int>{refused_connection}) == outcome::failure);
    CHECK(by_default(lib::std_outcome<int>{thrown(not_found{})}) == outcome::failure);
    CHECK(by_default(lib::std_result<void>{lib::success()}) == outcome::success);
    CHECK(by_default(lib::std_result<void>{refused_connection}) == outcome::failure);
  }
}

TEST_CASE("by default an error code is a failure when it says so", "[core][classifier][B7][C2]") {
  CHECK(by_default(std::error_code{}) == outcome::success);
  CHECK(by_default(std::make_error_code(std::errc::timed_out)) == outcome::failure);
  CHECK(by_default(std::make_error_code(std::errc::operation_canceled)) == outcome::failure);
  CHECK(by_default(std::error_condition{}) == outcome::success);
  CHECK(by_default(std::make_error_condition(std::errc::timed_out)) == outcome::failure);
  CHECK(by_default(boost::system::error_code{}) == outcome::success);
  CHECK(by_default(boost::system::error_code{104, boost::system::system_category()}) == outcome::failure);
  static_assert(by_default(plain_code{}) == outcome::success);
  static_assert(by_default(plain_code{2}) == outcome::failure);
}

TEST_CASE("by default what only resembles an error is an answer", "[core][classifier][B7][C6]") {
  CHECK(by_default(std::optional<int>{}) == outcome::success);
  CHECK(by_default(std::any{}) == outcome::success);
  CHECK(by_default(false) == outcome::success);
  CHECK(by_default(-1) == outcome::success);
  CHECK(by_default(nullptr) == outcome::success);
  CHECK(by_default(std::unique_ptr<int>{}) == outcome::success);
  CHECK(by_default(std::future<int>{}) == outcome::success);
  CHECK(by_default(std::make_exception_ptr(1)) == outcome::success);
  CHECK(by_default(message{}) == outcome::success);
  CHECK(by_default(amount{}) == outcome::success);
  CHECK(by_default(parsing{}) == outcome::success);
  CHECK(by_default(std::array{1, 2}) == outcome::success);
  CHECK(by_default("text") == outcome::success);
  CHECK(by_default(*+[] {}) == outcome::success);
}

TEST_CASE("by default the refusal of another breaker says nothing", "[core][classifier][B7][C4]") {
  SECTION("returned") {
    static_assert(by_default(result<int>{refused}) == outcome::ignored);
    CHECK(by_default(result<void>{refused}) == outcome::ignored);
    CHECK(by_default(result<std::error_code>{refused}) == outcome::ignored);
    CHECK(by_default(expected<int, rejection>{std::in_place, refused}) == outcome::ignored);
    CHECK(by_default(expected<int, rejection>{3}) == outcome::success);
  }
  SECTION("thrown") {
    struct of_a_pool : call_rejected {
      of_a_pool() : call_rejected{refused, "pool"} {}
    };
    CHECK(by_default.threw(thrown(call_rejected{refused})) == outcome::ignored);
    CHECK(by_default.threw(thrown(of_a_pool{})) == outcome::ignored);
  }
}

TEST_CASE("by default a call that another breaker let pass is judged by what it returned",
          "[core][classifier][B7]") {
  static_assert(by_default(result<int>{3}) == outcome::success);
  CHECK(by_default(result<void>{}) == outcome::success);
  const auto timed_out = std::make_error_code(std::errc::timed_out);
  CHECK(by_default(result<std::error_code>{timed_out}) == outcome::failure);
  CHECK(by_default(result<const std::error_code&>{timed_out}) == outcome::failure);
  CHECK(by_default(result<expected<int, int>>{expected<int, int>{std::in_place, 1}}) == outcome::failure);
}

TEST_CASE("by default a call that returns an outcome has judged itself", "[core][classifier][B7][C3]") {
  const auto said = GENERATE(outcome::success, outcome::failure, outcome::ignored, outcome::cancelled);
  CHECK(by_default(said) == said);
  CHECK(by_default(result<outcome>{said}) == said);
}

TEST_CASE("by default an exception is a failure", "[core][classifier][B7][C5]") {
  CHECK(by_default.threw(thrown(std::runtime_error{"down"})) == outcome::failure);
  CHECK(by_default.threw(thrown(17)) == outcome::failure);
}

TEST_CASE("asked about no exception, a classifier says so instead of inventing something",
          "[core][classifier]") {
  const auto says_so = [](auto ask) {
    const auto seen = core_test::in_child(ask);
    CHECK(seen.signal == SIGABRT);
    CHECK(seen.output.find("a classifier was asked") != std::string::npos);
  };
  says_so([] { static_cast<void>(by_default.threw(nullptr)); });
  says_so([] { static_cast<void>(ignore_exceptions<int>().threw(nullptr)); });
}

TEST_CASE("a rule gives what matches its verdict, and leaves the rest alone", "[core][classifier][B7][C7]") {
  const response good;
  const response bad{503};
  SECTION("about what was returned") {
    static_assert(failure_if(server_error)(response{503}) == outcome::failure);
    static_assert(failure_if(server_error)(response{200}) == std::nullopt);
    CHECK(success_if(server_error)(bad) == outcome::success);
    CHECK(success_if(server_error)(good) == std::nullopt);
    CHECK(ignore_if(server_error)(bad) == outcome::ignored);
    CHECK(ignore_if(server_error)(good) == std::nullopt);
  }
  SECTION("by a member of it") {
    CHECK(failure_if(&response::is_server_error)(bad) == outcome::failure);
    CHECK(failure_if(&response::is_server_error)(good) == std::nullopt);
  }
  SECTION("by a member of what it holds, if it holds anything") {
    const auto rule = failure_if(&response::is_server_error);
    CHECK(rule(std::optional{bad}) == outcome::failure);
    CHECK(rule(std::optional{good}) == std::nullopt);
    CHECK(rule(std::optional<response>{}) == std::nullopt);
    CHECK(rule(&bad) == outcome::failure);
    CHECK(rule(static_cast<const response*>(nullptr)) == std::nullopt);
    CHECK(rule(std::make_unique<response>(bad)) == outcome::failure);
    CHECK(rule(std::unique_ptr<response>{}) == std::nullopt);
    CHECK(rule(expected<response, int>{bad}) == outcome::failure);
    CHECK(rule(expected<response, int>{std::in_place, 7}) == std::nullopt);
    CHECK(first_match{rule}(expected<response, int>{std::in_place, 7}) == outcome::failure);
    CHECK(rule(std::ref(bad)) == outcome::failure);

    const auto wait = brownout::retry_after_from(&response::asked);
    CHECK(wait.retry_after(std::optional{bad}) == std::chrono::seconds{5});
    CHECK(wait.retry_after(std::optional<response>{}) == std::chrono::seconds{0});
    CHECK(wait.retry_after(static_cast<const response*>(nullptr)) == std::chrono::seconds{0});
  }
  SECTION("about exceptions, by type") {
    CHECK(failure_exceptions<not_found>().threw(thrown(not_found{})) == outcome::failure);
    CHECK(success_exceptions<not_found>().threw(thrown(not_found{})) == outcome::success);
    CHECK(ignore_exceptions<not_found>().threw(thrown(not_found{})) == outcome::ignored);
    CHECK(ignore_exceptions<not_found>().threw(thrown(bad_request{})) == std::nullopt);
    CHECK(ignore_exceptions<not_found>().threw(thrown(17)) == std::nullopt);
    CHECK(ignore_exceptions<int>().threw(thrown(17)) == outcome::ignored);
    CHECK(ignore_exceptions<not_found>()() == std::nullopt);
    CHECK(ignore_exceptions<not_found>()(good) == std::nullopt);
  }
  SECTION("about exceptions, by one of several types") {
    const auto rule = ignore_exceptions<not_found, bad_request>();
    CHECK(rule.threw(thrown(not_found{})) == outcome::ignored);
    CHECK(rule.threw(thrown(bad_request{})) == outcome::ignored);
    CHECK(rule.threw(thrown(http_error{404})) == std::nullopt);
  }
  SECTION("about exceptions, by a base of theirs") {
    CHECK(ignore_exceptions<std::exception>().threw(thrown(not_found{})) == outcome::ignored);
  }
  SECTION("about exceptions, by what they hold") {
    const auto rule =
        success_exceptions<http_error>([](const http_error& seen) { return seen.status == 404; });
    CHECK(rule.threw(thrown(http_error{404})) == outcome::success);
    CHECK(rule.threw(thrown(http_error{503})) == std::nullopt);
    CHECK(rule.threw(thrown(not_found{})) == std::nullopt);
  }
}

TEST_CASE("a predicate that throws throws through its rule", "[core][classifier][B7]") {
  const auto throws = [](const auto&) -> bool { throw bad_request{}; };
  CHECK_THROWS_AS(failure_if(throws)(1), bad_request);
  CHECK_THROWS_AS((ignore_exceptions<not_found, bad_request>(throws).threw(thrown(not_found{}))),
                  bad_request);
}

TEST_CASE("of several rules the first that matches decides, and the default when none does",
          "[core][classifier][B7][C9]") {
  SECTION("about what was returned") {
    constexpr first_match classify{ignore_if([](const response& seen) { return seen.status == 501; }),
                                   failure_if(server_error), says_perhaps};
    static_assert(classify(response{501}) == outcome::ignored);
    static_assert(classify(response{503}) == outcome::failure);
    static_assert(classify(response{404}) == outcome::success);
  }
  SECTION("about exceptions") {
    const first_match classify{failure_exceptions<bad_request>(), ignore_exceptions<std::exception>()};
    CHECK(classify.threw(thrown(bad_request{})) == outcome::failure);
    CHECK(classify.threw(thrown(not_found{})) == outcome::ignored);
    CHECK(classify.threw(thrown(17)) == outcome::failure);
  }
  SECTION("a rule without an opinion on exceptions is passed over") {
    const first_match classify{failure_if(server_error), ignore_exceptions<not_found>()};
    CHECK(classify.threw(thrown(not_found{})) == outcome::ignored);
    CHECK(classify.threw(thrown(call_rejected{refused})) == outcome::ignored);
    CHECK(classify.threw(thrown(bad_request{})) == outcome::failure);
    CHECK(classify(response{503}) == outcome::failure);
  }
  SECTION("the default looks at what no rule matches") {
    const first_match classify{
        success_if([](std::error_code seen) { return seen == std::errc::no_such_file_or_directory; })};
    CHECK(classify(std::make_error_code(std::errc::no_such_file_or_directory)) == outcome::success);
    CHECK(classify(std::make_error_code(std::errc::timed_out)) == outcome::failure);
    CHECK(classify(std::error_code{}) == outcome::success);
  }
  SECTION("a whole classifier stands last, since it always decides") {
    constexpr first_match server_rules{failure_if(server_error), ignore_exceptions<std::exception>()};
    const first_match classify{ignore_if([](const response& seen) { return seen.status == 501; }),
                               success_exceptions<not_found>(), server_rules};
    CHECK(classify(response{501}) == outcome::ignored);
    CHECK(classify(response{503}) == outcome::failure);
    CHECK(classify(response{200}) == outcome::success);
    CHECK(classify.threw(thrown(not_found{})) == outcome::success);
    CHECK(classify.threw(thrown(bad_request{})) == outcome::ignored);
  }
  SECTION("one that says more than an outcome") {
    const first_match classify{ignore_if(server_error), says_verdict};
    CHECK(classify(response{503}) == outcome::ignored);
    CHECK(classify(response{200}) == outcome::failure);
  }
  SECTION("one that throws says nothing") {
    const auto throws = [](const auto&) -> bool { throw bad_request{}; };
    const first_match classify{success_if(throws), failure_if(server_error),
                               success_exceptions<std::exception>(throws), ignore_exceptions<not_found>()};
    CHECK(classify(response{503}) == outcome::failure);
    CHECK(classify(response{200}) == outcome::success);
    CHECK(classify.threw(thrown(not_found{})) == outcome::ignored);
    CHECK(classify.threw(thrown(bad_request{})) == outcome::failure);
  }
}

TEST_CASE("the rules of a client serve its calls that return nothing too", "[core][classifier][B7]") {
  const first_match classify{ignore_exceptions<bad_request>(), success_exceptions<not_found>()};
  CHECK(classify() == outcome::success);
  CHECK(classify(3) == outcome::success);
  CHECK(classify.threw(thrown(not_found{})) == outcome::success);
}
