// SPDX-License-Identifier: BSL-1.0
#include "staging/support/proxy.hpp"

#include "staging/support/eventually.hpp"
#include "staging/support/free_port.hpp"

#include <httplib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace staging_tests {

namespace {

using namespace std::chrono_literals;

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream text{line};
  for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
  return fields;
}

std::string on_loopback(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

}  // namespace

proxy::proxy(int a, int b, variables environment)
    : http_{free_port()},
      https_{free_port()},
      admin_{free_port()},
      process_{{BROWNOUT_HAPROXY, "-db", "-f", BROWNOUT_HAPROXY_CONFIG}, [&] {
                 environment.insert({{"PROXY_HOST", "127.0.0.1"},
                                     {"PROXY_HTTP_PORT", std::to_string(http_)},
                                     {"PROXY_HTTPS_PORT", std::to_string(https_)},
                                     {"PROXY_ADMIN", on_loopback(admin_)},
                                     {"PROXY_SOCKET", (directory_.path() / "socket").string()},
                                     {"STAGING_A", on_loopback(a)}});
                 if (b != 0) environment.insert({"STAGING_B", on_loopback(b)});
                 return std::move(environment);
               }()} {
  const bool checked = eventually(10s, [&] {
    const auto is_checked = [&](const char* server) {
      return figure(server, "status") == "UP" && figure(server, "check_status") == "L7OK";
    };
    return !process_.running() || (is_checked("a") && (b == 0 || is_checked("b")));
  });
  if (!checked || !process_.running())
    throw std::runtime_error{"HAProxy has no server that is up: " + process_.out() + process_.err()};
}

std::string proxy::figure(std::string_view server, std::string_view column) const {
  std::istringstream table{admin_page("/;csv")};
  std::string line;
  if (!std::getline(table, line)) return "";
  const auto names = fields_of(line.substr(2));  // behind "# "
  const auto at = static_cast<std::size_t>(std::ranges::find(names, column) - names.begin());
  while (std::getline(table, line)) {
    const auto row = fields_of(line);
    if (row.size() > 1 && row[0] == "api" && row[1] == server && at < row.size()) return row[at];
  }
  return "";
}

std::string proxy::metrics() const {
  return admin_page("/metrics");
}

std::string proxy::admin_page(const std::string& path) const {
  httplib::Client client{"127.0.0.1", admin_};
  client.set_url_encode(false);  // "/;csv" is meant as it stands
  client.set_connection_timeout(2);
  const auto answer = client.Get(path);
  return answer && answer->status == 200 ? answer->body : "";
}

void proxy::command(const std::string& line) const {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (directory_.path() / "socket").c_str(), sizeof address.sun_path - 1);
  const auto text = line + "\n";
  const bool sent = connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                    write(socket, text.data(), text.size()) == std::ssize(text);
  char end = 0;
  // An empty line is its answer to a command that it has carried out.
  const bool done = sent && read(socket, &end, 1) == 1 && end == '\n';
  close(socket);
  if (!done) throw std::runtime_error{"HAProxy did not carry out: " + line};
}

}  // namespace staging_tests
