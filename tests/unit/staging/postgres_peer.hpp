// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "loopback_peer.hpp"

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace staging_test {

/// A message of PostgreSQL's protocol.
inline std::string message(char type, std::string_view content) {
  std::string text{type};
  const auto size = content.size() + 4;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) text += static_cast<char>(size >> shift & 0xFFU);
  return text.append(content);
}

/// A result of one row, whose columns have these texts of less than 128 bytes.
inline std::string row(std::initializer_list<std::string_view> columns) {
  std::string described{'\0', static_cast<char>(columns.size())};
  auto values = described;
  for (const auto column : columns) {
    // The name of the column; then its table and its type, of which libpq needs nothing for a text.
    described += 'c' + std::string(19, '\0');
    values += std::string(3, '\0') + static_cast<char>(column.size()) + std::string{column};
  }
  return message('T', described) + message('D', values) + message('C', {"SELECT 1\0", 9});
}

/// Lets clients of PostgreSQL in, one after another, and answers each statement with `answer`.
inline loopback_peer::script postgres_that_answers(std::string answer) {
  return [answer = std::move(answer)](const loopback_peer::connection& client) {
    constexpr std::size_t size_of_tls_request = 8;
    const auto ready = message('Z', "I");
    if (client.read().size() == size_of_tls_request) {
      client.write("N");
      static_cast<void>(client.read());
    }
    client.write(message('R', std::string(4, '\0')) + ready);
    while (!client.read().empty()) client.write(message('C', {"SET\0", 4}) + answer + ready);
  };
}

}  // namespace staging_test
