// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/support/eventually.hpp"
#include "staging/support/process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace recipe_tests {

using staging_tests::eventually;
constexpr auto ample = "5000";  ///< a time limit in milliseconds that no healthy server reaches
constexpr auto brief = "1500";  ///< for servers that hang; healthy ones do not reach it either
using lines = std::vector<std::string>;

/// A recipe that runs as its own process and is told on standard input which calls to make.
class recipe {
 public:
  recipe(std::vector<std::string> command, staging_tests::variables environment)
      : process_{reading_from(fifo(), std::move(command)), environment} {
    // Opens when the recipe has opened the other end; waits for no more than this process itself.
    const bool opened = eventually(std::chrono::seconds{5}, [&] {
      input_ = ::open(fifo().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      return input_ >= 0;
    });
    if (!opened) throw std::system_error{errno, std::generic_category(), "the recipe does not start"};
  }
  ~recipe() {
    if (input_ >= 0) ::close(input_);
  }
  recipe(const recipe&) = delete;
  recipe& operator=(const recipe&) = delete;

  /// Starts these calls at once, separated by semicolons; what is printed for them, in that order.
  lines ask(const std::string& calls) {
    const auto before = printed().size();
    const auto expected = 1 + static_cast<std::size_t>(std::count(calls.begin(), calls.end(), ';'));
    const auto line = calls + '\n';
    if (::write(input_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      throw std::system_error{errno, std::generic_category(), "the recipe does not read"};
    const bool answered =
        eventually(std::chrono::seconds{10}, [&] { return printed().size() >= before + expected; });
    auto all = printed();
    if (!answered) throw std::runtime_error{"no answer to " + calls + ": " + process_.out() + process_.err()};
    return {all.begin() + static_cast<std::ptrdiff_t>(before), all.end()};
  }

  /// Starts these calls and ends the recipe while they are in flight; all that it printed for them.
  lines stop_amid(const std::string& calls) {
    const auto before = printed().size();
    const auto line = calls + ";stop\n";
    static_cast<void>(::write(input_, line.data(), line.size()));
    status_ = process_.wait(std::chrono::seconds{5}).value_or(-1);
    auto all = printed();
    return {all.begin() + static_cast<std::ptrdiff_t>(before), all.end()};
  }

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] std::string errors() const { return process_.err(); }

 private:
  [[nodiscard]] std::string fifo() const { return (directory_.path() / "calls").string(); }

  static std::vector<std::string> reading_from(const std::string& fifo, std::vector<std::string> command) {
    if (::mkfifo(fifo.c_str(), 0600) != 0) throw std::system_error{errno, std::generic_category(), "mkfifo"};
    std::vector<std::string> all{"/bin/sh", "-c", "exec \"$@\" < \"$0\"", fifo};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }

  [[nodiscard]] lines printed() const {
    lines all;
    const auto text = process_.out();
    std::istringstream stream{text.substr(0, text.find_last_of('\n') + 1)};
    for (std::string line; std::getline(stream, line);) all.push_back(line);
    return all;
  }

  staging_tests::temporary_directory directory_;
  staging_tests::process process_;
  int input_ = -1;
  int status_ = -1;
};

/// Asks again until the call succeeds: an open circuit admits it when its open period is over.
[[nodiscard]] inline bool returns(recipe& client, const std::string& call) {
  return eventually(std::chrono::seconds{8},
                    [&] { return client.ask(call).front().find(": success (") != std::string::npos; });
}

/// How many lines contain this.
[[nodiscard]] inline std::size_t count_of(const lines& all, std::string_view text) {
  std::size_t found = 0;
  for (const auto& line : all) found += line.find(text) != std::string::npos ? 1U : 0U;
  return found;
}

}  // namespace recipe_tests
