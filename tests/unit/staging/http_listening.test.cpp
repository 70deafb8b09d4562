// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "http_fixture.hpp"

#include <sys/socket.h>

#include <atomic>
#include <cerrno>

namespace {

std::atomic<int> accepts_to_fail{0};

}  // namespace

// Stands before the C library's: the kernel can't be made to run out of memory for a moment on demand.
extern "C" int accept(int socket, sockaddr* address, socklen_t* length) {
  const int accepted = accept4(socket, address, length, 0);
  if (accepted < 0 || accepts_to_fail.load() == 0) return accepted;
  --accepts_to_fail;
  close(accepted);
  errno = ENOBUFS;
  return -1;
}

using staging::testing::running_server;

TEST_CASE("a failure to accept that passes does not end the server", "[staging][http]") {
  const running_server at;
  REQUIRE(at.ask("GET", "/livez"));
  accepts_to_fail = 2;
  CHECK_FALSE(at.ask("GET", "/livez"));
  CHECK_FALSE(at.ask("GET", "/livez"));
  REQUIRE(accepts_to_fail == 0);
  const auto got = at.ask("GET", "/livez");
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(at.all_lines().find("accepting connections failed") != std::string::npos);
}
