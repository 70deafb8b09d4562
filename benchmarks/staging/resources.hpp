// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace staging_load {

/// What a process holds and has used.
struct resources {
  double resident = 0;          ///< MiB
  std::size_t descriptors = 0;  ///< open
  double processor = 0;         ///< seconds
};

/// Reads `/proc`. Figures of a process that is gone are 0.
[[nodiscard]] inline resources resources_of(pid_t process) {
  const auto directory = "/proc/" + std::to_string(process);
  resources found;
  std::error_code gone;
  found.descriptors = static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator{directory + "/fd", gone}, {}));
  long pages = 0;
  std::ifstream{directory + "/statm"} >> pages >> pages;
  found.resident = static_cast<double>(pages * sysconf(_SC_PAGESIZE)) / (1 << 20);
  std::ifstream file{directory + "/stat"};
  std::string text;
  std::getline(file, text, ')');  // the name may hold spaces
  for (int field = 3; field < 14; ++field) file >> text;
  double user = 0;
  double system = 0;
  file >> user >> system;
  found.processor = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return found;
}

}  // namespace staging_load
