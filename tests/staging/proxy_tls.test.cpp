// SPDX-License-Identifier: BSL-1.0

// HAProxy with a certificate that openssl makes for the test.
#include "catch2.hpp"
#include "staging/support/proxy.hpp"
#include "staging/support/staging_server.hpp"

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

/// A directory with a certificate for localhost, alone (`localhost.crt`) and with its key (`localhost.pem`).
class certificate {
 public:
  certificate() {
    const auto at = directory_.path().string();
    const auto made =
        run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
             at + "/localhost.key", "-out", at + "/localhost.crt"},
            {}, 20s);
    if (made.status != 0) throw std::runtime_error{"openssl: " + made.err};
    std::ofstream{pem()} << std::ifstream{at + "/localhost.crt"}.rdbuf()
                         << std::ifstream{at + "/localhost.key"}.rdbuf();
  }

  [[nodiscard]] std::string pem() const { return (directory_.path() / "localhost.pem").string(); }
  [[nodiscard]] std::string authority() const { return (directory_.path() / "localhost.crt").string(); }

 private:
  temporary_directory directory_;
};

class secured {
 public:
  explicit secured(variables environment = {})
      : server_{std::move(environment)},
        front_{server_.port(), 0, {{"PROXY_CERTIFICATE", certificate_.pem()}}} {}

  /// What curl prints, with the head of the answer; its exit status when that is not 0.
  [[nodiscard]] std::string curl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"curl", "--silent", "--include", "--noproxy", "*", "--max-time", "5",
                                         "--cacert", certificate_.authority(), "--ipv4"});
    const auto ended = run(arguments, {}, 10s);
    return ended.status == 0 ? ended.out : std::to_string(ended.status);
  }

  [[nodiscard]] std::string https(const std::string& path) const {
    return "https://localhost:" + std::to_string(front_.https_port()) + path;
  }
  [[nodiscard]] std::string http(const std::string& path) const {
    return "http://localhost:" + std::to_string(front_.port()) + path;
  }

 private:
  certificate certificate_;
  staging_server server_;
  proxy front_;
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("with a certificate HTTP only redirects to HTTPS", "[proxy]") {
  const secured site;
  for (const auto* method : {"GET", "POST", "DELETE"}) {
    CAPTURE(method);
    const auto answer = site.curl({"--request", method, site.http("/api/status?x=1")});
    CHECK(answer.starts_with("HTTP/1.1 308 "));
    CHECK(holds(answer, "\r\nlocation: " + site.https("/api/status?x=1") + "\r\n"));
  }
  CHECK(site.curl({"--header", "Host: a b", site.http("/")}).starts_with("HTTP/1.1 400 "));
  CHECK(holds(site.curl({"--location", site.http("/livez")}), R"({"status":"ok"})"));
}

TEST_CASE("DASHBOARD_ENABLE_HSTS decides whether browsers are told to stay with HTTPS", "[proxy]") {
  const std::string header = "strict-transport-security: max-age=31536000; includeSubDomains\r\n";
  const secured strict{{{"DASHBOARD_ENABLE_HSTS", "true"}}};
  CHECK(holds(strict.curl({strict.https("/")}), header));
  CHECK(holds(strict.curl({strict.https("/no-such-path")}), header));
  const secured lax;
  CHECK_FALSE(holds(lax.curl({lax.https("/")}), "strict-transport-security"));
}

TEST_CASE("TLS is 1.2 or 1.3, with HTTP/1.1 and HTTP/2", "[proxy]") {
  const secured site;
  const std::string tls_failed = "35";
  CHECK(site.curl({"--tlsv1.2", "--tls-max", "1.2", site.https("/livez")}).starts_with("HTTP/2 200"));
  CHECK(site.curl({"--tlsv1.3", site.https("/livez")}).starts_with("HTTP/2 200"));
  CHECK(site.curl({"--http1.1", site.https("/livez")}).starts_with("HTTP/1.1 200"));
  for (const auto* version : {"1.0", "1.1"}) {
    CAPTURE(version);
    // Security level 0: the client itself would take the old version.
    CHECK(site.curl({"--tlsv1", "--tls-max", version, "--ciphers", "DEFAULT@SECLEVEL=0",
                     site.https("/livez")}) == tls_failed);
  }
}

TEST_CASE("a request body passes through TLS and HTTP/2", "[proxy]") {
  const secured site;
  const std::string key = std::string{"X-API-Key: "} + staging_server::key;
  const auto answer =
      site.curl({"--header", key, "--data", R"({"level":"LIMITED","reason":"r","actor":"a","expiry":5})",
                 site.https("/api/degradation/override")});
  CHECK(answer.starts_with("HTTP/2 200"));
  CHECK(site.curl({"--header", "Host: a:port", site.https("/")}).starts_with("HTTP/2 400"));
}
