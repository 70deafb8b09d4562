// SPDX-License-Identifier: BSL-1.0
#include <cstdio>
#include <cstdlib>

bool with_exceptions_a_bad_option_throws();
void without_exceptions_a_bad_option_ends_the_program(int status);
bool without_exceptions_a_registry_works();
bool without_exceptions_a_supervisor_works();

namespace {
void expect(bool condition, const char* what) {
  if (condition) return;
  std::printf("not so: %s\n", what);
  std::exit(EXIT_FAILURE);
}
}  // namespace

int main() {
  expect(with_exceptions_a_bad_option_throws(), "with exceptions, a bad option throws");
  expect(without_exceptions_a_registry_works(), "without exceptions, a registry works");
  expect(without_exceptions_a_supervisor_works(), "without exceptions, a supervisor works");
  without_exceptions_a_bad_option_ends_the_program(EXIT_SUCCESS);
  expect(false, "without exceptions, a bad option reaches the assertion handler");
}
