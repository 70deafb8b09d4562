// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

// What `no_exceptions.cpp` does with the library. That file is compiled with -fno-exceptions -fno-rtti, and
// it is the only one in its executable that includes the library: an inline function has one meaning in a
// program.
namespace without_exceptions {

/// Drives a circuit through an outage by call, try_call and permits; says what went wrong, or nothing.
std::string outage();

/// Makes calls that return errors, with and without classifiers of their own; says what went wrong, or
/// nothing.
std::string classified();

/// Builds a breaker with an option out of range. Does not return: the assertion handler ends the process.
void build_with_invalid_option();

/// Calls through an open circuit. Does not return either.
void call_while_open();

/// From now on the assertion handler prints its text to standard output and exits with `code`.
void exit_on_assertion(int code);

}  // namespace without_exceptions
