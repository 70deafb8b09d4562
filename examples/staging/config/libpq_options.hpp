// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/environment.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace staging {

/// Options whose wrong values libpq finds only when it connects: to the circuit breaker they would look like
/// a database that is down for ever. What only the database can judge, and what a service file holds, is not
/// checked.

inline constexpr std::string_view port_fault = "its port must be a whole number from 1 to 65535";
[[nodiscard]] bool is_port(std::string_view text);

/// Whether libpq can read the connection string, and finds an option in it.
[[nodiscard]] bool names_libpq_option(std::string_view connection);

/// Which option of a connection string is wrong, such as "its sslmode must be one of disable, ..."; empty:
/// none, or libpq can't read the string.
[[nodiscard]] std::string fault_of_connection(std::string_view connection);

/// A variable that libpq would read, and can't use.
struct libpq_variable_fault {
  std::string variable;  ///< for example `PGSSLMODE`
  std::string value;
  std::string fault;  ///< as of `fault_of_connection`
};

/// libpq takes each option that the connection string does not name from a variable of its own, even an empty
/// one. `connection`: one without a fault.
[[nodiscard]] std::optional<libpq_variable_fault> fault_of_libpq_variables(std::string_view connection,
                                                                           const environment& from);

}  // namespace staging
