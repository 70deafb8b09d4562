// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/feature/feature_view.hpp"
#include "http/json_text.hpp"
#include "service/feature.hpp"
#include "service/staging_system.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace staging {

using json = nlohmann::ordered_json;

/// How what the system is looks as JSON. Pure but for the wall clock, by which people are told when things
/// happened: UTC, as `2025-10-19T06:22:43.158269Z`.
[[nodiscard]] std::string wall_time(brownout::time_point at, brownout::time_point now);
[[nodiscard]] json seconds_or_null(std::optional<brownout::duration> value);
[[nodiscard]] json bool_or_null(std::optional<bool> value);
/// p50 and p90 in seconds; null unless both are known.
[[nodiscard]] json recovery_view(const std::optional<brownout::recovery_estimate>& recovery);

/// What one caller is told who is refused a feature, in whole seconds, at least one: until what keeps it off
/// is over. Another answer each time, so that they do not all come back together.
[[nodiscard]] std::string retry_after(staging_system& system, feature which);

/// The level in force; `STARTING` until the dependencies have answered and no operator has set one.
[[nodiscard]] std::string_view level_view(const system_snapshot& seen);
[[nodiscard]] bool is_starting(const system_snapshot& seen);

/// How often a circuit has changed since the start, all dependencies together; the last change has that
/// number.
[[nodiscard]] std::uint64_t circuit_changes_so_far(const system_snapshot& seen);

[[nodiscard]] json simulation_view(const simulated_behaviour& behaviour);
[[nodiscard]] json circuits_view(staging_system& system, const system_snapshot& seen);
[[nodiscard]] json components_view(const staging_system& system, const system_snapshot& seen);
/// The same, written into an object that has been begun.
void write_components(json_text& out, const staging_system& system, const system_snapshot& seen);
/// `shown`: the level as of `level_view`.
[[nodiscard]] json features_view(const brownout::feature_view_for<features>& offered, std::string_view shown);
[[nodiscard]] json outlook_view(const brownout::level_outlook<level>& next);
[[nodiscard]] json degradation_view(staging_system& system, const system_snapshot& seen);
[[nodiscard]] json transition_view(const brownout::explained_transition<level>& change,
                                   brownout::time_point now);
[[nodiscard]] json change_view(const brownout::circuit_change& change, brownout::time_point now);

}  // namespace staging
