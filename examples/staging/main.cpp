// SPDX-License-Identifier: BSL-1.0
#include "config/settings.hpp"
#include "config/variables.hpp"
#include "serve.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <system_error>

namespace {

using namespace staging;

constexpr int refused_to_start = 2;

/// Opens those of the standard streams that are closed: a socket must not get the number of one, and with it
/// what is written to the log.
void open_standard_streams() {
  int opened = 0;
  while (opened >= 0 && opened <= STDERR_FILENO) opened = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (opened >= 0) close(opened);
}

/// Ends the process with one line. Not by a proper exit: that waits for a reader of the log who does not
/// read.
[[noreturn]] void refuse(const char* why) {
  std::fprintf(stderr, "%s\n", why);
  std::_Exit(refused_to_start);
}

}  // namespace

int main(int count, char** arguments) {
  open_standard_streams();
  CLI::App command{
      "brownout's staging server: a dashboard API that dims with its dependencies instead of going dark."};
  bool check_only = false;
  command.add_flag("--check-config", check_only,
                   "Check the environment variables below and exit: 0 when they are fine, 2 when not");
  command.footer("Configuration comes from the environment:\n\n" + help_text());
  try {
    command.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? command.exit(error) : (command.exit(error), refused_to_start);
  }
  try {
    auto read = read_settings();
    fit_to_descriptors(read);
    if (check_only) {
      check(read);
      for (const auto& warning : read.warnings) std::fprintf(stderr, "%s\n", warning.c_str());
      std::puts("The configuration is fine.");
      return EXIT_SUCCESS;
    }
    return serve(read);
  } catch (const std::bad_alloc&) {
    refuse("There is not enough memory");
  } catch (const std::system_error& error) {
    refuse(fmt::format("The system refuses what the server needs: {}", error.what()).c_str());
  } catch (const std::exception& error) {
    refuse(error.what());
  }
}
