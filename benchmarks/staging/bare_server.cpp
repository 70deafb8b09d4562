// SPDX-License-Identifier: BSL-1.0

// brownout_bare_server PORT ANSWER: what the example server's /health is measured against. cpp-httplib as it
// comes, one thread a connection, one route that answers the same bytes each time: those of ANSWER, a file
// that holds an answer of the example server as `curl -si` wrote it.
#include <httplib.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: brownout_bare_server PORT ANSWER\n";
    return EXIT_FAILURE;
  }
  std::ifstream file{arguments[2], std::ios::binary};
  std::string line;
  std::getline(file, line);  // the status line
  httplib::Headers headers;
  while (std::getline(file, line) && line != "\r") {
    const auto colon = line.find(": ");
    const auto name = line.substr(0, colon);
    if (name == "Connection" || name == "Content-Length" || name == "Content-Type")
      continue;  // the library's own
    headers.emplace(name, line.substr(colon + 2, line.size() - colon - 3));
  }
  std::ostringstream rest;
  rest << file.rdbuf();
  const auto body = rest.str();

  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool{64}; };
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_tcp_nodelay(true);
  server.set_default_headers(headers);
  server.Get("/health", [&](const httplib::Request&, httplib::Response& out) {
    out.set_content(body, "application/json");
  });
  return server.listen("127.0.0.1", std::atoi(arguments[1])) ? EXIT_SUCCESS : EXIT_FAILURE;
}
