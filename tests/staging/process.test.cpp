// SPDX-License-Identifier: BSL-1.0

// What the other tests rely on.
#include "staging/support/process.hpp"
#include "catch2.hpp"
#include "staging/support/eventually.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

/// Whether a process runs; one that has ended and that nobody has asked about yet does not.
bool runs(pid_t id) {
  std::ifstream stat{"/proc/" + std::to_string(id) + "/stat"};
  std::string text;
  if (!std::getline(stat, text)) return false;
  return text.at(text.rfind(')') + 2) != 'Z';
}

}  // namespace

TEST_CASE("a child does not outlive a parent that is killed", "[process]") {
  const temporary_directory left_behind;
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const pid_t parent = fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    setenv("TMPDIR", left_behind.path().c_str(), 1);
    const process child{{"sleep", "600"}, {}};
    const pid_t id = child.id();
    if (write(ends[1], &id, sizeof id) != sizeof id) _exit(1);
    for (;;) pause();
  }
  pid_t child = 0;
  const bool told = read(ends[0], &child, sizeof child) == sizeof child;
  for (const int end : ends) close(end);
  const bool ran = told && runs(child);
  kill(parent, SIGKILL);
  CHECK(waitpid(parent, nullptr, 0) == parent);
  REQUIRE(ran);
  const bool ended = eventually(5s, [&] { return !runs(child); });
  CHECK(ended);
  if (!ended) kill(child, SIGKILL);
}

TEST_CASE("a command that does not exist is an error, not a child", "[process]") {
  CHECK_THROWS_AS((process{{"/no/such/program"}, {}}), std::system_error);
  CHECK_THROWS_AS((process{{"no-such-program"}, {}}), std::system_error);
}

TEST_CASE("a child gets its arguments and its environment, and its output is kept", "[process]") {
  const auto ended =
      run({"sh", "-c", "echo \"$1 $GIVEN $UNKNOWN\"; echo oops >&2; exit 3", "sh", "an argument"},
          {{"GIVEN", "and a variable"}}, 10s);
  CHECK(ended.status == 3);
  CHECK(ended.out == "an argument and a variable \n");
  CHECK(ended.err == "oops\n");
}
