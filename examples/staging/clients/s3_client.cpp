// SPDX-License-Identifier: BSL-1.0
#include "clients/s3_client.hpp"

#include "clients/client_error.hpp"

#include <string>

namespace staging {

namespace {

[[nodiscard]] client_error refused(long status) {
  const std::string code = " (HTTP " + std::to_string(status) + ')';
  switch (status) {
    case 301:
      return client_error("bucket is in another region" + code);
    case 403:
      return client_error("access refused" + code);
    case 404:
      return client_error("bucket does not exist" + code);
    default:
      return client_error("unexpected answer" + code);
  }
}

}  // namespace

s3_client::s3_client(const s3_settings& settings)
    : head_bucket_{
          .method = http_method::head,
          // The bucket in the path: one in the host name would need a name server that knows it.
          .url = settings.endpoint_url + '/' + settings.bucket,
          // S3 signs the body's digest, and this libcurl leaves the header to us: SHA-256 of nothing.
          .headers = {"x-amz-content-sha256: "
                      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
          .sign = http_signature{.scope = "aws:amz:" + settings.region + ":s3",
                                 .key_id = settings.access_key_id,
                                 .secret = settings.secret_access_key}} {}

brownout::probe_result s3_client::ping(const call_context& context) {
  return probe_by([&] {
    if (const auto answer = session_.perform(head_bucket_, context); answer.status != 200)
      throw refused(answer.status);
  });
}

}  // namespace staging
