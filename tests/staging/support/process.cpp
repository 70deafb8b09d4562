// SPDX-License-Identifier: BSL-1.0
#include "staging/support/process.hpp"

#include "staging/support/eventually.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace staging_tests {

namespace {

std::string content(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream{file, std::ios::binary}.rdbuf();
  return text.str();
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// What a child needs to become its command, prepared before the fork: behind it nothing may be allocated,
/// since another thread may have held a lock.
struct command_line {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* out;  // a file
  const char* err;  // a file
  int output;       // a descriptor instead of `out`, or -1
  pid_t parent;
};

/// The child: becomes the command, or writes the reason why it can't into `failure`.
[[noreturn]] void become(const command_line& command, int failure) noexcept {
  constexpr int appending = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  const bool ready =
      prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0) == 0 &&
      dup2(command.output >= 0 ? command.output : open(command.out, appending, 0600), 1) == 1 &&
      dup2(open(command.err, appending, 0600), 2) == 2;
  if (getppid() != command.parent) _exit(1);  // killed before it could be watched
  if (ready) execvpe(command.program, command.arguments, command.environment);
  const int reason = errno;
  _exit(write(failure, &reason, sizeof reason) == sizeof reason ? 1 : 2);
}

}  // namespace

temporary_directory::temporary_directory() {
  auto pattern = (std::filesystem::temp_directory_path() / "brownout-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::system_error{errno, std::generic_category(), pattern};
  path_ = pattern;
  // PostgreSQL gives up root and must still get to its own directory below.
  std::filesystem::permissions(path_, std::filesystem::perms{0711});
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;  // a leftover directory is no reason to fail
  std::filesystem::remove_all(path_, ignored);
}

process::process(const std::vector<std::string>& command, const variables& environment, int output) {
  auto arguments = command;
  auto all = environment;
  for (const auto* inherited : {"PATH", "HOME", "TMPDIR"}) {
    if (const char* value = std::getenv(inherited)) all.emplace(inherited, value);
  }
  std::vector<std::string> settings;
  for (const auto& [name, value] : all) settings.push_back(name + "=" + value);

  const auto argument_list = pointers(arguments);
  const auto environment_list = pointers(settings);
  const auto out = (directory_.path() / "out").string();
  const auto err = (directory_.path() / "err").string();
  const command_line line{arguments.front().c_str(),
                          argument_list.data(),
                          environment_list.data(),
                          out.c_str(),
                          err.c_str(),
                          output,
                          getpid()};
  std::array<int, 2> failure{};
  if (pipe2(failure.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
  id_ = fork();
  if (id_ == 0) become(line, failure[1]);
  int reason = id_ < 0 ? errno : 0;
  close(failure[1]);
  // Nothing to read: it has become the command, and its end of the pipe is closed.
  const bool failed = id_ < 0 || read(failure[0], &reason, sizeof reason) == sizeof reason;
  close(failure[0]);
  if (!failed) return;
  if (id_ > 0) waitpid(id_, nullptr, 0);
  throw std::system_error{reason, std::generic_category(), arguments.front()};
}

process::~process() {
  if (!running()) return;
  kill(id_, SIGKILL);
  static_cast<void>(wait(std::chrono::seconds{5}));
}

void process::signal(int number) const {
  if (kill(id_, number) != 0) throw std::system_error{errno, std::generic_category(), "kill"};
}

std::optional<int> process::wait(std::chrono::milliseconds limit) {
  static_cast<void>(eventually(limit, [&] {
    int status = 0;
    if (status_ || waitpid(id_, &status, WNOHANG) != id_) return status_.has_value();
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  }));
  return status_;
}

std::string process::out() const {
  return content(directory_.path() / "out");
}
std::string process::err() const {
  return content(directory_.path() / "err");
}

finished run(const std::vector<std::string>& command, const variables& environment,
             std::chrono::milliseconds limit) {
  process started{command, environment};
  const auto status = started.wait(limit);
  if (!status) {
    throw std::runtime_error{command.front() + " did not end in time; its output: " + started.out() +
                             started.err()};
  }
  return {*status, started.out(), started.err()};
}

}  // namespace staging_tests
