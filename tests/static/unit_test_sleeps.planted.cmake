# SPDX-License-Identifier: BSL-1.0
foreach(sleep
        "std::this_thread::sleep_for(1ms)"
        "std::this_thread::sleep_until(then)"
        "sleep_for(1ms)"
        "::usleep(10)"
        "sleep(1)"
        "nanosleep(&t, nullptr)")
  file(WRITE ${copy}/tests/unit/breaker/planted.test.cpp "// sleep_for(1ms)\nvoid f() {\n  ${sleep}\;\n}\n")
  expect_violation("tests/unit/breaker/planted.test.cpp:3: sleeps")
endforeach()

file(WRITE ${copy}/tests/unit/planted.hpp "inline void f() { std::this_thread::sleep_for(1ms)\; }\n")
expect_violation("tests/unit/planted.hpp:1: sleeps")

file(WRITE ${copy}/tests/unit/planted.test.cpp "auto x = \"beauty sleep\"\; // sleep(1)\n")
expect_clean("talk about sleep")

file(WRITE ${copy}/tests/unit/staging/planted.test.cpp "void f() { std::this_thread::sleep_for(1ms)\; }\n")
expect_clean("a test of the server")
