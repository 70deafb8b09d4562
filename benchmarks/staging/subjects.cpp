// SPDX-License-Identifier: BSL-1.0
#include "staging/subjects.hpp"

#include "staging/support/eventually.hpp"
#include "staging/support/free_port.hpp"

#include <httplib.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace staging_load {

using staging_tests::eventually;
using staging_tests::free_port;
using staging_tests::staging_server;

namespace {

int file_without_name() {
  auto pattern = (std::filesystem::temp_directory_path() / "brownout-load-XXXXXX").string();
  const int file = mkostemp(pattern.data(), O_APPEND | O_CLOEXEC);
  if (file < 0) throw std::system_error{errno, std::generic_category(), pattern};
  unlink(pattern.c_str());
  return file;
}

/// The bytes of an answer, as curl prints them.
std::string answer_of(const example_server& server) {
  const auto got = staging_tests::run(
      {"curl", "-si", "--noproxy", "*", "-H", std::string{"X-API-Key: "} + staging_server::key,
       "http://127.0.0.1:" + std::to_string(server.port()) + "/health"},
      {}, 5s);
  if (got.status != 0) throw std::runtime_error{"curl can't ask the server"};
  return got.out;
}

}  // namespace

std::string request_for(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + staging_server::key + "\r\n\r\n";
}

example_server::example_server()
    : log_{file_without_name()},
      agent_port_{free_port()},
      server_{{{"AGENT_PORT", std::to_string(agent_port_)},
               {"DASHBOARD_RATELIMIT_ENABLED", "true"},
               {"DASHBOARD_RATELIMIT_REQUESTS", "1000000"},
               {"DASHBOARD_RATELIMIT_WINDOW", "10"}},
              log_} {
  if (!eventually(10s, [&] { return server_.shows(100, "OPTIMAL"); }))
    throw std::runtime_error{"the server does not become OPTIMAL"};
}

example_server::~example_server() {
  close(log_);
}

void example_server::forget_log() const {
  if (ftruncate(log_, 0) != 0) throw std::system_error{errno, std::generic_category(), "ftruncate"};
}

bare_server::bare_server(const example_server& like)
    : port_{free_port()},
      answer_{[&] {
        auto file = directory_.path() / "answer";
        std::ofstream{file, std::ios::binary} << answer_of(like);
        return file;
      }()},
      process_{{BROWNOUT_BARE_SERVER, std::to_string(port_), answer_.string()}, {}} {
  const bool answers = eventually(5s, [&] {
    const auto got = httplib::Client{"127.0.0.1", port_}.Get("/health");
    return got && got->status == 200;
  });
  if (!answers) throw std::runtime_error{"the bare server does not answer: " + process_.err()};
}

}  // namespace staging_load
