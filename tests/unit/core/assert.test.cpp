// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"

#include "brownout/core/assert.hpp"
#include "brownout/core/result.hpp"

#include <unistd.h>
#include <csignal>
#include <cstring>

namespace {

void exit_with_41(const char* what, const char* file, int line) noexcept {
  _exit(std::strcmp(what, "on purpose") == 0 && std::strstr(file, "assert.test.cpp") != nullptr && line > 0
            ? 41
            : 1);
}
void returning(const char*, const char*, int) noexcept {}

void break_a_precondition() {
  BROWNOUT_PRECONDITION(false, "on purpose");
}

}  // namespace

TEST_CASE("a broken precondition is printed and aborts", "[core]") {
  const auto seen = core_test::in_child([] { break_a_precondition(); });
  CHECK(seen.signal == SIGABRT);
  CHECK(seen.output.find("brownout: on purpose") != std::string::npos);
  CHECK(seen.output.find("assert.test.cpp:") != std::string::npos);
}

TEST_CASE("an assertion handler takes the place of the default one", "[core]") {
  CHECK(core_test::in_child([] {
          brownout::set_assertion_handler(&exit_with_41);
          break_a_precondition();
        }).exit_code == 41);
}

TEST_CASE("an assertion handler that returns does not let the program run on", "[core]") {
  const auto seen = core_test::in_child([] {
    brownout::set_assertion_handler(&returning);
    break_a_precondition();
  });
  CHECK(seen.signal == SIGABRT);
}

TEST_CASE("setting an assertion handler gives the one before", "[core]") {
  const auto original = brownout::set_assertion_handler(&returning);
  CHECK(brownout::set_assertion_handler(original) == &returning);
}

TEST_CASE("a kept precondition costs nothing but the check", "[core]") {
  int evaluations = 0;
  BROWNOUT_PRECONDITION(++evaluations == 1, "not broken");
  CHECK(evaluations == 1);
}
