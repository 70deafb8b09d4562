// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/environment.hpp"
#include "config/settings.hpp"
#include "config/variables.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace staging_test {

using values = staging::environment;

/// An environment that is this map.
inline const staging::environment& from(const values& set) {
  return set;
}

inline const values& everything_configured() {
  static const values set{{"DASHBOARD_API_KEY", "0123456789abcdef"},
                          {"OPENAI_API_KEY", "sk-test"},
                          {"DATABASE_URL", "postgresql://demo:secret@127.0.0.1:15432/postgres"},
                          {"REDIS_HOST", "127.0.0.1"},
                          {"S3_ENDPOINT_URL", "http://127.0.0.1:14569"},
                          {"S3_BUCKET_NAME", "probe-bucket"},
                          {"AWS_ACCESS_KEY_ID", "demo:probe"},
                          {"AWS_SECRET_ACCESS_KEY", "s3secret"}};
  return set;
}

inline values with(values base, std::string_view name, std::string_view value) {
  base.insert_or_assign(std::string{name}, std::string{value});
  return base;
}

inline values without(values base, std::string_view name) {
  base.erase(std::string{name});
  return base;
}

/// The message that this environment is refused with; empty when it is taken.
inline std::string refusal(const values& set) {
  try {
    static_cast<void>(staging::read_settings(from(set)));
  } catch (const std::runtime_error& refused) {
    return refused.what();
  }
  return {};
}

inline const staging::variable& variable_named(std::string_view name) {
  for (const auto& each : staging::variables()) {
    if (each.name == name) return each;
  }
  throw std::logic_error("no such variable: " + std::string{name});
}

}  // namespace staging_test
