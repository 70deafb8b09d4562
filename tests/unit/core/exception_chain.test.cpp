// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/core/classifier.hpp"
#include "brownout/core/rules.hpp"

#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

using brownout::call_rejected;
using brownout::default_classifier;
using brownout::failure_exceptions;
using brownout::first_match;
using brownout::ignore_exceptions;
using brownout::outcome;
using brownout::success_exceptions;

namespace {

constexpr default_classifier by_default;
const call_rejected refused{{}};

struct bad_request : std::runtime_error {
  bad_request() : runtime_error{"bad request"} {}
};
struct http_error : std::runtime_error {
  explicit http_error(int code) : runtime_error{"http"}, status{code} {}
  int status;
};
/// No `std::exception`, as some libraries throw.
struct plain_error {};

/// `inner`, wrapped in the errors that layers above it throw instead: the first is the innermost.
template <class... Layers>
std::exception_ptr wrapped(std::exception_ptr inner, Layers... layers) {
  const auto wrap = [&](auto layer) {
    try {
      try {
        std::rethrow_exception(inner);
      } catch (...) {
        std::throw_with_nested(std::move(layer));
      }
    } catch (...) {
      inner = std::current_exception();
    }
  };
  (wrap(std::move(layers)), ...);
  return inner;
}
std::exception_ptr thrown(auto error) {
  return std::make_exception_ptr(std::move(error));
}

const std::runtime_error query_failed{"query failed"};
const std::logic_error page_failed{"page failed"};

}  // namespace

TEST_CASE("the refusal of another breaker is found in the exception that was thrown instead",
          "[core][classifier][B7]") {
  CHECK(by_default.threw(wrapped(thrown(refused), query_failed)) == outcome::ignored);
  CHECK(by_default.threw(wrapped(thrown(refused), query_failed, page_failed)) == outcome::ignored);
  CHECK(by_default.threw(wrapped(thrown(refused), plain_error{})) == outcome::ignored);
  CHECK(by_default.threw(wrapped(thrown(17), refused, query_failed)) == outcome::ignored);

  CHECK(by_default.threw(wrapped(thrown(bad_request{}), query_failed, page_failed)) == outcome::failure);
  CHECK(by_default.threw(wrapped(thrown(17), query_failed)) == outcome::failure);
  CHECK(by_default.threw(wrapped(thrown(17), plain_error{})) == outcome::failure);
}

TEST_CASE("our own shortage of memory says nothing about the dependency, unless a rule says so",
          "[core][classifier][B7][C12]") {
  CHECK(by_default.threw(thrown(std::bad_alloc{})) == outcome::ignored);
  CHECK(by_default.threw(thrown(std::bad_array_new_length{})) == outcome::ignored);
  CHECK(by_default.threw(wrapped(thrown(std::bad_alloc{}), query_failed)) == outcome::ignored);
  const first_match counts{failure_exceptions<std::bad_alloc>()};
  CHECK(counts.threw(thrown(std::bad_alloc{})) == outcome::failure);
  CHECK(counts.threw(wrapped(thrown(std::bad_alloc{}), query_failed)) == outcome::failure);
  CHECK(counts.threw(thrown(refused)) == outcome::ignored);
}

TEST_CASE("a rule about exceptions looks at those inside too, the outermost first",
          "[core][classifier][B7][B7h]") {
  CHECK(ignore_exceptions<bad_request>().threw(wrapped(thrown(bad_request{}), query_failed)) ==
        outcome::ignored);
  CHECK(success_exceptions<bad_request>().threw(wrapped(thrown(bad_request{}), plain_error{})) ==
        outcome::success);
  CHECK(failure_exceptions<int>().threw(wrapped(thrown(17), query_failed, page_failed)) == outcome::failure);
  CHECK(ignore_exceptions<bad_request>().threw(wrapped(thrown(17), query_failed)) == std::nullopt);

  SECTION("with a predicate, at each of them that is of the type") {
    const auto missing = [](const http_error& seen) { return seen.status == 404; };
    const auto rule = ignore_exceptions<http_error>(missing);
    CHECK(rule.threw(wrapped(thrown(http_error{404}), query_failed)) == outcome::ignored);
    CHECK(rule.threw(wrapped(thrown(http_error{404}), http_error{500})) == outcome::ignored);
    CHECK(rule.threw(wrapped(thrown(http_error{500}), http_error{404})) == outcome::ignored);
    CHECK(rule.threw(wrapped(thrown(http_error{500}), http_error{503})) == std::nullopt);
  }
  SECTION("the first rule that matches any of them decides") {
    const first_match classify{failure_exceptions<bad_request>(), ignore_exceptions<std::runtime_error>()};
    CHECK(classify.threw(wrapped(thrown(bad_request{}), query_failed)) == outcome::failure);
    CHECK(classify.threw(wrapped(thrown(http_error{404}), page_failed)) == outcome::ignored);
  }
}

TEST_CASE("an exception that was nested around nothing is what it is", "[core][classifier][B7]") {
  const auto alone = [](auto error) {
    try {
      std::throw_with_nested(error);  // outside of a handler
    } catch (...) {
      return std::current_exception();
    }
  };
  CHECK(by_default.threw(alone(query_failed)) == outcome::failure);
  CHECK(by_default.threw(alone(refused)) == outcome::ignored);
  CHECK(ignore_exceptions<bad_request>().threw(alone(query_failed)) == std::nullopt);
}

TEST_CASE("of a long chain of exceptions the outer sixteen are looked at", "[core][classifier][B7][B7h]") {
  auto chain = thrown(refused);
  for (int depth = 1; depth < 16; ++depth) chain = wrapped(chain, query_failed);
  CHECK(by_default.threw(chain) == outcome::ignored);
  CHECK(ignore_exceptions<call_rejected>().threw(chain) == outcome::ignored);
  chain = wrapped(chain, query_failed);
  CHECK(by_default.threw(chain) == outcome::failure);
  CHECK(ignore_exceptions<call_rejected>().threw(chain) == std::nullopt);
}
