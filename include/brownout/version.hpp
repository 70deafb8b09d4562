// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The library's version, following semantic versioning; CMake reads it from here.
#define BROWNOUT_VERSION_MAJOR 0
#define BROWNOUT_VERSION_MINOR 1
#define BROWNOUT_VERSION_PATCH 0

// The inline namespace of everything in the library: `v0_1`, or `v0_1_no_exceptions` without exceptions.
//
// It separates the inline functions of two versions that are in one process. It also separates translation
// units that are built with and without exceptions. Otherwise the linker would keep only one of two functions
// with the same name, and all callers would get that one. Objects of two minor versions do not link with each
// other. Code writes `brownout::`, never this name.
#define BROWNOUT_ABI_JOINED(major, minor, exceptions) v##major##_##minor##exceptions
#define BROWNOUT_ABI_OF(major, minor, exceptions) BROWNOUT_ABI_JOINED(major, minor, exceptions)
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define BROWNOUT_ABI BROWNOUT_ABI_OF(BROWNOUT_VERSION_MAJOR, BROWNOUT_VERSION_MINOR, )
#else
#define BROWNOUT_ABI BROWNOUT_ABI_OF(BROWNOUT_VERSION_MAJOR, BROWNOUT_VERSION_MINOR, _no_exceptions)
#endif
