// SPDX-License-Identifier: BSL-1.0
#include "service/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

namespace staging {

namespace {

using brownout::metric_type;

/// A number of `/proc/self/stat`, counted from 1 as in proc(5). The second field, the name of the program,
/// may hold anything: the fields are counted from its end.
std::optional<double> stat_field(std::string_view stat, int wanted) {
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::istringstream fields{std::string{stat.substr(name_end + 1)}};
  std::string skipped;
  for (int i = 3; i < wanted; ++i) fields >> skipped;
  double value = 0;
  return fields >> value ? std::optional{value} : std::nullopt;
}

std::string first_line(const char* file) {
  std::ifstream in{file};
  std::string line;
  std::getline(in, line);
  return line;
}

/// When the machine was started, as Unix time.
std::optional<double> boot_time() {
  std::ifstream in{"/proc/stat"};
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    std::string name;
    double value = 0;
    if (words >> name && name == "btime" && words >> value) return value;
  }
  return std::nullopt;
}

std::optional<std::size_t> open_descriptors() {
  std::error_code failed;
  std::size_t count = 0;
  std::filesystem::directory_iterator each{"/proc/self/fd", failed};
  for (; !failed && each != std::filesystem::directory_iterator{}; each.increment(failed)) ++count;
  if (failed || count == 0) return std::nullopt;
  return count - 1;  // the iterator's own
}

}  // namespace

void write_process_metrics(brownout::prometheus_text& out) {
  const auto write = [&](std::string_view name, metric_type type, std::string_view help, auto value) {
    out.family(name, type, help);
    if (value) out.sample({}, *value);
  };
  const auto stat = first_line("/proc/self/stat");
  const auto scaled = [&](int field, double by) {
    auto value = stat_field(stat, field);
    if (value) *value *= by;
    return value;
  };
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));

  auto cpu = scaled(14, tick);
  if (const auto system = scaled(15, tick); cpu && system) *cpu += *system;
  write("process_cpu_seconds_total", metric_type::counter, "User and system CPU time spent.", cpu);
  write("process_resident_memory_bytes", metric_type::gauge, "Resident memory.",
        scaled(24, static_cast<double>(sysconf(_SC_PAGESIZE))));
  write("process_virtual_memory_bytes", metric_type::gauge, "Virtual memory.", scaled(23, 1));
  write("process_threads", metric_type::gauge, "Threads of the process.", scaled(20, 1));

  // Read once: the system computes the start of the machine anew, and rounds it anew, each time.
  static const auto started = [&] {
    auto since_boot = scaled(22, tick);
    const auto boot = boot_time();
    if (since_boot && boot) *since_boot += *boot;
    return boot ? since_boot : boot;
  }();
  write("process_start_time_seconds", metric_type::gauge, "When the process started, as Unix time.", started);

  write("process_open_fds", metric_type::gauge, "Open file descriptors.", open_descriptors());
  rlimit limit{};
  std::optional<double> most;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    most = limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<double>::infinity()
                                           : static_cast<double>(limit.rlim_cur);
  }
  write("process_max_fds", metric_type::gauge, "Most file descriptors that may be open.", most);
}

}  // namespace staging
