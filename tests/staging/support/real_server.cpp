// SPDX-License-Identifier: BSL-1.0
#include "staging/support/real_server.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <sstream>
#include <utility>

namespace staging_tests {

namespace {
constexpr int skipped = 77;  // the scripts' status when a stand-in can't run here
constexpr std::chrono::minutes script_limit{2};
}  // namespace

real_server::real_server(std::string name, const std::filesystem::path& directory)
    : name_{std::move(name)}, directory_{directory / name_} {
  const auto started = script({"start", directory_.string(), "--owner", std::to_string(getpid())});
  if (started.status == skipped) throw stand_in_unavailable{name_ + ": " + started.err};
  if (started.status != 0) {
    throw std::runtime_error{"the real server " + name_ + " does not start: " + started.out + started.err};
  }
  std::istringstream lines{started.out};
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (equals != std::string::npos) environment_[line.substr(0, equals)] = line.substr(equals + 1);
  }
  if (environment_.empty()) throw std::runtime_error{"the script of " + name_ + " printed no variables"};
}

real_server::~real_server() {
  try {
    static_cast<void>(script({"stop", directory_.string()}));
  } catch (const std::exception&) {
    // Its owner watcher stops it when this process ends.
  }
}

void real_server::kill() {
  signal_all(SIGKILL);
}
void real_server::freeze() {
  signal_all(SIGSTOP);
  signal_all(SIGSTOP);  // one may have been born since the first list was made
}
void real_server::thaw() {
  signal_all(SIGCONT);
}

void real_server::restart() {
  const auto done = script({"restart", directory_.string()});
  if (done.status != 0) {
    throw std::runtime_error{"the real server " + name_ + " does not come back: " + done.out + done.err};
  }
}

finished real_server::script(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{std::string{BROWNOUT_SERVER_SCRIPTS} + "/" + name_};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command, {}, script_limit);
}

void real_server::signal_all(int number) const {
  std::istringstream ids{script({"pids", directory_.string()}).out};
  bool any = false;
  for (pid_t id = 0; ids >> id;) {
    // One that has ended by itself in between is no longer anybody's to signal.
    any = ::kill(id, number) == 0 || any;
  }
  if (!any) throw std::runtime_error{name_ + " has no process to signal"};
}

}  // namespace staging_tests
