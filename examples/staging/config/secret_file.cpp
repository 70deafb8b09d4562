// SPDX-License-Identifier: BSL-1.0
#include "config/secret_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

namespace staging {

config_error refused_file(const variable& secret, const std::string& file, const std::string& why) {
  std::error_code ignored;
  const auto directory = std::filesystem::path{file}.parent_path();
  const bool is_path = directory.has_relative_path() && std::filesystem::is_directory(directory, ignored);
  return config_error{secret.name_of_file(), is_path ? file : "***", why};
}

std::string content_of(const variable& secret, const std::string& file) {
  const auto refuse = [&](const std::string& why) {
    throw refused_file(secret, file, fmt::format("{}; must be a file that holds {}", why, secret.allowed));
  };
  const auto refuse_by_errno = [&](int error) {
    refuse(fmt::format("cannot be read ({})", std::generic_category().message(error)));
  };
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> opened{std::fopen(file.c_str(), "rbe"),
                                                                  &std::fclose};
  if (!opened) refuse_by_errno(errno);
  std::array<char, std::size_t{64} << 10U> bytes;
  std::string content(bytes.data(), std::fread(bytes.data(), 1, bytes.size(), opened.get()));
  if (std::ferror(opened.get()) != 0) refuse_by_errno(errno);
  if (content.size() == bytes.size()) refuse("is too large");
  if (content.ends_with('\n')) content.pop_back();
  if (content.ends_with('\r')) content.pop_back();
  if (content.empty()) refuse("is empty");
  return content;
}

}  // namespace staging
