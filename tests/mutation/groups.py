# SPDX-License-Identifier: BSL-1.0
"""Which headers are changed, and which programs have to notice.

A program is compiled of a few test files. They are tried in this order, and the first that fails ends it: so what
compiles fastest and notices most comes first.
"""
from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Program:
    name: str
    sources: tuple[str, ...]  # below tests
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    optimised: bool = False  # it runs for longer than it compiles


@dataclass(frozen=True)
class Group:
    name: str
    headers: tuple[tuple[str, str], ...]  # below include/brownout, or a pattern; and the program that is tried first
    programs: tuple[Program, ...]
    only_by_name: bool = False

    def programs_for(self, first: str) -> tuple[Program, ...]:
        return tuple(sorted(self.programs, key=lambda program: program.name != first))


# Without the tests that take seconds.
QUICK = "~[exhaustive]~an operation that two others interrupt*"


def unit(name: str, room: str, *files: str) -> Program:
    return Program(name, tuple(f"unit/{room}/{file}.test.cpp" for file in files), (QUICK,))


# One program of threads in a hundred: two seconds instead of minutes.
INTERLEAVING = Program(
    "interleaving",
    ("interleaving/breaker/breaker.test.cpp",),
    ("[programs],[ramp_programs],[spurious],[random]",),
    {"BROWNOUT_BRIEF_PROOFS": "101"},
    optimised=True,
)

GROUPS = (
    Group(
        "breaker",
        (
            ("breaker/circuit_breaker.hpp", "interleaving"),
            ("breaker/detail/calls_in_flight.hpp", "slow_calls"),
            ("breaker/detail/circuit.hpp", "interleaving"),
            ("breaker/detail/circuit_breaker_admission.hpp", "interleaving"),
            ("breaker/detail/circuit_breaker_operations.hpp", "interleaving"),
            ("breaker/detail/circuit_breaker_results.hpp", "interleaving"),
            ("breaker/detail/control_word.hpp", "words"),
            ("breaker/detail/era_state.hpp", "interleaving"),
            ("breaker/detail/era_value.hpp", "words"),
            ("breaker/detail/outage.hpp", "words"),
            ("breaker/detail/policy.hpp", "half_open"),
            ("breaker/detail/probe_decision.hpp", "half_open"),
        ),
        (
            INTERLEAVING,
            unit("half_open", "breaker", "half_open", "recovery"),
            unit("states", "breaker", "states", "admission", "holds", "trip", "interruption"),
            unit("waits", "breaker", "retry_after", "open_on_retry_after", "coarse_time", "clock"),
            unit("slow_calls", "breaker", "calls_in_flight", "slow_results", "late_results", "nested_results"),
            unit("reports", "breaker", "events", "reasons", "statistics", "last_failure", "presets"),
            unit(
                "changes", "breaker", "reconfiguration", "options", "unwinding", "refusals", "held_places", "nested_call"
            ),
            unit("words", "breaker", "control_word", "moment", "outage"),
            unit("registry", "registry", "registry_eviction", "registry_reconfigure", "registry_options"),
            unit("any_detector", "detector", "any_detector", "standard_detector"),
        ),
    ),
    Group(
        "windows",
        (
            ("detector/detail/count_history.hpp", "count_window"),
            ("detector/detail/failure_times.hpp", "failures_within"),
            ("detector/detail/share.hpp", "count_window"),
            ("detector/detail/time_history.hpp", "time_window"),
            ("detector/detail/windowed_share.hpp", "detectors"),
        ),
        (
            unit("count_window", "detector", "count_window", "share"),
            unit("time_window", "detector", "time_window"),
            unit("failures_within", "detector", "failures_within"),
            unit("detectors", "detector", "detectors", "marks", "good_calls"),
        ),
    ),
    Group(
        "degradation",
        (("level/*.hpp", "levels"), ("feature/*.hpp", "features"), ("feature/detail/*.hpp", "features")),
        (
            unit("levels", "level", "level_controller", "level_ladder", "level_policy", "level_table", "properties"),
            unit("overrides", "level", "override", "override_paths", "panic_floor", "relapses", "reconfigure", "forecasts"),
            unit("features", "feature", "feature_matrix", "feature_return", "feature_trial", "feature_view"),
            unit("dimmers", "feature", "dimmer", "dimmer_controller", "dimmer_targets", "named_callers"),
        ),
    ),
    # Notices nothing. It shows that this test can fail.
    Group(
        "blind",
        (("breaker/detail/probe_decision.hpp", "blind"),),
        (Program("blind", ("mutation/blind.test.cpp",)),),
        only_by_name=True,
    ),
)
