// SPDX-License-Identifier: BSL-1.0
#pragma once

// Macros for what compilers spell differently. Each macro is a hint: the meaning of the code does not change
// if it is ignored.

#if defined(_MSC_VER)
// clang-cl reports a version of MSVC too, and accepts its spellings.
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

// For lambdas, between their parameters and their body.
#if defined(_MSC_VER) && !defined(__clang__)
#define BROWNOUT_INLINE_LAMBDA
#else
#define BROWNOUT_INLINE_LAMBDA __attribute__((always_inline))
#endif

// Asks the processor to fetch what an address points to.
#if defined(__GNUC__)
#define BROWNOUT_PREFETCH(address) __builtin_prefetch(address)
#else
#define BROWNOUT_PREFETCH(address) static_cast<void>(address)
#endif

// The signature of the function that it stands in, with the arguments of a template.
#if defined(_MSC_VER) && !defined(__clang__)
#define BROWNOUT_FUNCTION_SIGNATURE __FUNCSIG__
#else
#define BROWNOUT_FUNCTION_SIGNATURE __PRETTY_FUNCTION__
#endif
