// SPDX-License-Identifier: BSL-1.0
#include "staging/support/process.hpp"

#include "staging/support/eventually.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

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

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (output >= 0) {
    posix_spawn_file_actions_adddup2(&actions, output, 1);
  } else {
    posix_spawn_file_actions_addopen(&actions, 1, (directory_.path() / "out").c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  posix_spawn_file_actions_addopen(&actions, 2, (directory_.path() / "err").c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int failed = posix_spawnp(&id_, arguments.front().c_str(), &actions, nullptr,
                                  pointers(arguments).data(), pointers(settings).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::system_error{failed, std::generic_category(), arguments.front()};
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
