// SPDX-License-Identifier: BSL-1.0
#pragma once

// Debian 12 ships Catch2 2.13, Ubuntu 24.04 ships 3.4; the tests use what both understand.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
