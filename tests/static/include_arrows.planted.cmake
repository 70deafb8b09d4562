# SPDX-License-Identifier: BSL-1.0
plant_header(core/planted.hpp "#include \"brownout/detector/count_window.hpp\"")
expect_violation("core/planted.hpp:3: core/ may include core, not brownout/detector/count_window.hpp")

plant_header(core/detail/planted.hpp "#include \"brownout/breaker/permit.hpp\"")
expect_violation("core/detail/planted.hpp:3: core/ may include core, not brownout/breaker/permit.hpp")

plant_header(detector/planted.hpp "#include \"brownout/breaker/snapshot.hpp\"")
expect_violation("detector/planted.hpp:3: detector/ may include core, detector, not brownout/breaker/snapshot.hpp")

plant_header(breaker/planted.hpp "#  include \"brownout/registry/registry.hpp\"")
expect_violation("breaker/planted.hpp:3: breaker/ may include core, detector, breaker, not")

plant_header(registry/planted.hpp "#include \"brownout/system/probe.hpp\"")
expect_violation("registry/planted.hpp:3: registry/ may include")

plant_header(health/planted.hpp "#include <vector>\n\n#include \"brownout/breaker/snapshot.hpp\"")
expect_violation("health/planted.hpp:5: health/ may include core, health, not")

plant_header(recovery/planted.hpp "#include \"brownout/level/level_ladder.hpp\"")
expect_violation("recovery/planted.hpp:3: recovery/ may include core, recovery, not")

plant_header(level/planted.hpp "#include \"brownout/feature/dimmer.hpp\"")
expect_violation("level/planted.hpp:3: level/ may include core, level, not")

plant_header(feature/planted.hpp "#include \"brownout/health/scorer.hpp\"")
expect_violation("feature/planted.hpp:3: feature/ may include core, level, feature, not")

plant_header(system/planted.hpp "#include \"brownout/observe/counter.hpp\"")
expect_violation("system/planted.hpp:3: system/ may include")

plant_header(observe/planted.hpp "#include \"brownout/system/snapshot.hpp\"")
expect_violation("observe/planted.hpp:3: observe/ may include")

plant_header(system/planted.hpp "#include \"brownout/testing/manual_clock.hpp\"")
expect_violation("system/planted.hpp:3: system/ may include")

plant_header(testing/planted.hpp "#include \"brownout/breaker/circuit_breaker.hpp\"")
expect_violation("testing/planted.hpp:3: testing/ may include core, testing, not")

plant_header(breaker/planted.hpp "#include \"brownout/brownout.hpp\"")
expect_violation("breaker/planted.hpp:3: breaker/ may include")

plant_header(breaker/planted.hpp "#include \"brownout/version.hpp\"")
expect_clean("the header that names the namespace")

plant_header(breaker/planted.hpp "#include <boost/circular_buffer.hpp>")
expect_violation("breaker/planted.hpp:3: breaker/ must not include <boost/circular_buffer.hpp>")

plant_header(core/planted.hpp "#include <unistd.h>")
expect_violation("core/planted.hpp:3: core/ must not include <unistd.h>")

plant_header(system/planted.hpp "#include <boost/asio/steady_timer.hpp>")
expect_violation("system/planted.hpp:3: system/ must not include <boost/asio/steady_timer.hpp>")

plant_header(observe/planted.hpp "#include <spdlog/spdlog.h>")
expect_violation("observe/planted.hpp:3: observe/ must not include <spdlog/spdlog.h>")

plant_header(observe/planted.hpp "#include <prometheus/collectable.h>")
expect_violation("observe/planted.hpp:3: observe/ must not include <prometheus/")

plant_header(observe/planted.hpp "#include \"brownout/prometheus_cpp/collectable.hpp\"")
expect_violation("observe/planted.hpp:3: observe/ may include")

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
