// SPDX-License-Identifier: BSL-1.0
#pragma once

// The single header, which cmake/single_header.cmake makes, defines it at its end.
#if defined(BROWNOUT_SINGLE_HEADER)
#error "include either one single header of brownout or its separate headers, not both"
#endif

// Said before the many errors that follow.
#if !(__cplusplus >= 202002L || (defined(_MSVC_LANG) && _MSVC_LANG >= 202002L))
#error "brownout needs C++20: -std=c++20, or /std:c++20 with MSVC"
#endif

/// The first number of the library's version, which follows semantic versioning. CMake reads it from here.
#define BROWNOUT_VERSION_MAJOR 0
/// The second number.
#define BROWNOUT_VERSION_MINOR 1
/// The third number.
#define BROWNOUT_VERSION_PATCH 0

// The inline namespace of everything in the library: `v0_1`, or `v0_1_no_exceptions` without exceptions.
//
// It separates the inline functions of two versions that are in one process. It also separates translation
// units that are built with and without exceptions. Otherwise the linker would keep only one of two functions
// with the same name, and all callers would get that one. Objects of two minor versions do not link with each
// other. Code writes `brownout::`, never this name.
//
// With `BROWNOUT_CHECK_LIFETIMES` a breaker counts its permits, and its destructor reports a breaker that is
// destroyed while a permit of it is still out. Define it for all files of a program, in builds for debugging.
// It changes the layout of a breaker, so it is a part of the name too.
#define BROWNOUT_ABI_JOINED(major, minor, suffix) v##major##_##minor##suffix
#define BROWNOUT_ABI_OF(major, minor, suffix) BROWNOUT_ABI_JOINED(major, minor, suffix)
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#if defined(BROWNOUT_CHECK_LIFETIMES)
#define BROWNOUT_ABI_SUFFIX _checked
#else
#define BROWNOUT_ABI_SUFFIX
#endif
#elif defined(BROWNOUT_CHECK_LIFETIMES)
#define BROWNOUT_ABI_SUFFIX _no_exceptions_checked
#else
#define BROWNOUT_ABI_SUFFIX _no_exceptions
#endif
#define BROWNOUT_ABI BROWNOUT_ABI_OF(BROWNOUT_VERSION_MAJOR, BROWNOUT_VERSION_MINOR, BROWNOUT_ABI_SUFFIX)
