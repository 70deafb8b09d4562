# SPDX-License-Identifier: BSL-1.0
set(page ${copy}/docs/options.md)
set(header ${copy}/include/brownout/breaker/options.hpp)
set(header_of_rung ${copy}/include/brownout/level/level_ladder.hpp)

# Replaces in a file of the copy.
function(plant file from to)
  file(READ ${file} text)
  string(REPLACE "${from}" "${to}" planted_text "${text}")
  if(planted_text STREQUAL text)
    message(FATAL_ERROR "${file} does not hold: ${from}")
  endif()
  file(WRITE ${file} "${planted_text}")
endfunction()

plant(${header} "std::uint32_t probes = 1;" "std::uint32_t probes = 2;")
expect_violation("the default of breaker_options.probes is 2, not 1")

plant(${header} "std::uint32_t probes = 1;" "std::uint32_t probes = 1;\n  bool asks_nicely = true;")
expect_violation("breaker_options.asks_nicely is not in docs/options.md")

plant(${header} "std::uint32_t probes = 1;" "std::uint32_t trials = 1;")
run_check(status output)
if(status EQUAL 0 OR NOT output MATCHES "breaker_options.trials is not in" OR NOT output MATCHES "breaker_options has no option probes")
  message(FATAL_ERROR "${CHECK} did not notice a renamed option:\n${output}")
endif()
restore_copy()

plant(${header} "struct ramp_options {" "struct pause_options {\n  duration length = std::chrono::seconds{3};\n};\nstruct ramp_options {")
expect_violation("pause_options is not in docs/options.md")

plant(${copy}/include/brownout/asio/async_guard_options.hpp "bool abandon = false;" "bool abandon = true;")
expect_violation("the default of async_guard_options.abandon is true, not false")

plant(${header} "std::uint32_t first = left_out;" "std::uint32_t first = 6;")
expect_violation("the default of ramp_options.first is 6, not –:")

# Neither a constant, nor a function, nor what is private, nor what is internal.
plant(${header} "struct ramp_options {" "struct ramp_options {\n  static constexpr int most = 3;\n  [[nodiscard]] int twice() const { return 2; }")
expect_clean("a constant and a function")
plant_header(breaker/detail/pause.hpp "struct pause_options {\n  int length = 3;\n};")
expect_clean("an internal header")
plant(${header} "struct ramp_options {" "namespace detail {\nstruct pause_options {\n  int length = 3;\n};\n}  // namespace detail\nstruct ramp_options {")
expect_clean("an internal struct")

# A struct with another name is one of options when it can validate itself.
plant(${header} "struct ramp_options {" "struct pause {\n  int length = 3;\n  void validate() const;\n};\nstruct ramp_options {")
expect_violation("pause is not in docs/options.md")

plant(${page} "| `probes` |" "| `trials` |")
run_check(status output)
if(status EQUAL 0 OR NOT output MATCHES "breaker_options has no option trials")
  message(FATAL_ERROR "${CHECK} did not notice an option that there is not:\n${output}")
endif()
restore_copy()

plant(${page} "| 10 s | The value of the [study]" "| 10 s or so | The value of the [study]")
expect_violation("the default of breaker_options.relapse_within is 10 s, not 10 s or so")
plant(${page} "| 10 s | The value of the [study]" "| 10 s: as long as a probe | The value of the [study]")
expect_clean("a default that is explained")

plant(${page} "| `seed` |" "| seed of it |")
run_check(status output)
if(status EQUAL 0 OR NOT output MATCHES "breaker_options.seed is not in docs/options.md")
  message(FATAL_ERROR "${CHECK} did not notice a missing option:\n${output}")
endif()
restore_copy()

plant(${header_of_rung} "  Level level{};    ///< the level\n" "")
plant(${header_of_rung} "  std::optional<double> enter{};\n" "  std::optional<double> enter{};\n  Level level{};\n")
expect_violation("the options of rung stand in another order than in the header: from, enter, level")

file(APPEND ${page} "\n### `pause_options`\n\n| option | what | range | default |\n|---|---|---|---|\n")
expect_violation("there is no public struct pause_options with options")

file(REMOVE ${page})
expect_violation("there is no such page")
