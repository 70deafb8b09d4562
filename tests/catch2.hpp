// SPDX-License-Identifier: BSL-1.0
#pragma once

// An exception that an assertion did not expect ends its test case. The tests then compile in nine tenths of
// the time.
#define CATCH_CONFIG_FAST_COMPILE

// Debian 12 ships Catch2 2.13, Ubuntu 24.04 ships 3.4; the tests use what both understand.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
