// SPDX-License-Identifier: BSL-1.0
#pragma once

// What stands for the rest of your program in the recipes: calls come from standard input, and a line is
// printed for each.

#include <brownout/breaker.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace console {

/// The parts of a text between the separators, without those that are empty.
inline std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    if (end != 0) parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

/// Stands for your handler, which takes the answer. Fails for calls that contain "poison".
inline void handler(std::string_view call, brownout::outcome result, std::string_view text,
                    brownout::disposition became) {
  if (call.find("poison") != std::string_view::npos) throw std::runtime_error{"the handler has failed"};
  std::cout << call << ": " << to_string(result) << " (" << text << "), " << to_string(became) << std::endl;
}

/// Calls the handler. Libraries written in C call this, and no exception may pass through their frames.
inline void handle(std::string_view call, brownout::outcome result, std::string_view text,
                   brownout::disposition became) noexcept try {
  handler(call, result, text, became);
} catch (const std::exception& error) {
  std::cout << call << ": " << error.what() << ", the call was " << to_string(became) << std::endl;
}

inline void show_refusal(std::string_view call, brownout::rejection why) {
  std::cout << call << ": refused, " << to_string(why.reason);
  if (why.retry_after != brownout::rejection::unknown)
    std::cout << ", retry in " << std::chrono::ceil<std::chrono::seconds>(why.retry_after).count() << " s";
  std::cout << std::endl;
}

/// The time limit of a call: the argument at this place in milliseconds, or half a second.
inline std::chrono::milliseconds time_limit(int count, char** arguments, int place) {
  return std::chrono::milliseconds{count > place ? std::stoi(arguments[place]) : 500};
}

/// Starts the calls of each line at once, and waits for them before the next line. Returns at the end of
/// standard input. Returns at the word `stop` too; calls before it on its line are then still in flight.
template <class Start, class Wait>
void run(Start start, Wait wait_for_all) {
  for (std::string line; std::getline(std::cin, line);) {
    for (const auto& call : split(line, ';')) {
      if (call == "stop") return;
      start(call);
    }
    wait_for_all();
  }
}

}  // namespace console
