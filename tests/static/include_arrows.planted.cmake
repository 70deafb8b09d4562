# SPDX-License-Identifier: BSL-1.0
plant_header(core/planted.hpp "#include \"brownout/window/recent_calls.hpp\"")
expect_violation("core/planted.hpp:3: core/ may include core, not brownout/window/recent_calls.hpp")

plant_header(window/planted.hpp "#include \"brownout/breaker/snapshot.hpp\"")
expect_violation("window/planted.hpp:3: window/ may include core, window, not brownout/breaker/snapshot.hpp")

plant_header(health/planted.hpp "#include <vector>\n\n#include \"brownout/breaker/snapshot.hpp\"")
expect_violation("health/planted.hpp:5: health/ may include core, window, health, not")

plant_header(breaker/planted.hpp "#  include \"brownout/health/scorer.hpp\"")
expect_violation("breaker/planted.hpp:3: breaker/ may include core, window, breaker, not")

plant_header(degradation/planted.hpp "#include \"brownout/system/probe.hpp\"")
expect_violation("degradation/planted.hpp:3: degradation/ may include")

plant_header(system/planted.hpp "#include \"brownout/observe/counter.hpp\"")
expect_violation("system/planted.hpp:3: system/ may include")

plant_header(observe/planted.hpp "#include \"brownout/system/snapshot.hpp\"")
expect_violation("observe/planted.hpp:3: observe/ may include")

plant_header(system/planted.hpp "#include \"brownout/testing/manual_clock.hpp\"")
expect_violation("system/planted.hpp:3: system/ may include")

plant_header(testing/planted.hpp "#include \"brownout/breaker/circuit_breaker.hpp\"")
expect_violation("testing/planted.hpp:3: testing/ may include core, testing, not")

plant_header(breaker/planted.hpp "#include \"brownout/version.hpp\"")
expect_violation("breaker/planted.hpp:3: breaker/ may include")

plant_header(breaker/planted.hpp "#include <boost/circular_buffer.hpp>")
expect_violation("breaker/planted.hpp:3: breaker/ uses the standard library alone, not <boost/circular_buffer.hpp>")

plant_header(core/planted.hpp "#include <unistd.h>")
expect_violation("core/planted.hpp:3: core/ uses the standard library alone, not <unistd.h>")

plant_header(system/planted.hpp "#include <boost/asio/steady_timer.hpp>")
expect_violation("system/planted.hpp:3: Boost.Asio is for asio/ alone")

plant_header(observe/planted.hpp "#include <spdlog/spdlog.h>")
expect_violation("observe/planted.hpp:3: the library uses the standard library, Boost and fmt, not <spdlog/spdlog.h>")

plant_header(core/planted.hpp "#include \"clock.hpp\"")
expect_violation("core/planted.hpp:3: the library's own headers are included with quotes, from brownout/ on")

plant_header(core/planted.hpp "#include <brownout/core/clock.hpp>")
expect_violation("core/planted.hpp:3: the library's own headers are included with quotes, from brownout/ on")

plant_header(core/planted.hpp "#include \"brownout/core/nowhere.hpp\"")
expect_violation("core/planted.hpp:3: there is no brownout/core/nowhere.hpp")

plant_header(helpers/planted.hpp "")
expect_violation("helpers/planted.hpp:1: helpers/ is not a part of the library")

plant_header(core/planted.hpp "// #include \"brownout/health/scorer.hpp\"")
expect_clean("an include in a comment")
