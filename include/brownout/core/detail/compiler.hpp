// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the compilers spell differently. Each name is a hint: code means the same where it is ignored.

#if defined(_MSC_VER)
// clang-cl reports MSVC's version too, and takes its spellings.
#define BROWNOUT_NO_UNIQUE_ADDRESS [[msvc::no_unique_address]]
#else
#define BROWNOUT_NO_UNIQUE_ADDRESS [[no_unique_address]]
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define BROWNOUT_ALWAYS_INLINE __forceinline
#define BROWNOUT_NOINLINE __declspec(noinline)
#else
#define BROWNOUT_ALWAYS_INLINE __attribute__((always_inline)) inline
#define BROWNOUT_NOINLINE __attribute__((noinline))
#endif

// Asks the processor to fetch what an address points to.
#if defined(__GNUC__)
#define BROWNOUT_PREFETCH(address) __builtin_prefetch(address)
#else
#define BROWNOUT_PREFETCH(address) static_cast<void>(address)
#endif
