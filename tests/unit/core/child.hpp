// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>
#include <string>

namespace core_test {

/// How a child process ended.
struct ending {
  int exit_code = -1;  ///< or -1: it did not exit
  int signal = 0;      ///< that killed it, or 0
  std::string output;  ///< what it wrote to standard output and standard error
};

/// Runs `body` in a child process, for what must not return: a failed assertion. If it does return, exit code
/// is 0.
template <class Body>
ending in_child(Body body) {
  int pipe_ends[2] = {-1, -1};
  if (pipe(pipe_ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipe_ends[1], STDOUT_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    body();
    _exit(0);
  }
  close(pipe_ends[1]);
  ending seen;
  char buffer[512];
  for (ssize_t got = 0; (got = read(pipe_ends[0], buffer, sizeof buffer)) > 0;) {
    seen.output.append(buffer, static_cast<std::size_t>(got));
  }
  close(pipe_ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) == child) {
    if (WIFEXITED(status)) seen.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) seen.signal = WTERMSIG(status);
  }
  return seen;
}

}  // namespace core_test
