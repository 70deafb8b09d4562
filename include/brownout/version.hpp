// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The library's version, following semantic versioning; CMake reads it from here.
#define BROWNOUT_VERSION_MAJOR 0
#define BROWNOUT_VERSION_MINOR 1
#define BROWNOUT_VERSION_PATCH 0
