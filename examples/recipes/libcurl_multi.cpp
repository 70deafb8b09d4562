// SPDX-License-Identifier: BSL-1.0
//
// A circuit breaker for libcurl's multi interface.
//
// One thread runs many transfers at once. A transfer ends when `curl_multi_info_read` says so; the permit
// waits for that beside the easy handle. Try it:
//
//     echo '/;/missing;/status/503' | libcurl_multi http://127.0.0.1:8080
#include "console.hpp"

#include <curl/curl.h>
#include <brownout/breaker.hpp>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using brownout::outcome;
using api_breaker = brownout::circuit_breaker<brownout::consecutive_failures>;

// What is kept of a request until it ends. The address of `body` is known to libcurl.
struct transfer {
  std::string path;
  api_breaker::permit permit;
  std::string body{};
};

// How a transfer ended, for the breaker.
struct verdict {
  outcome result;
  std::string why;
  brownout::duration retry_after{};
};

verdict judge_answer(CURL* easy) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  const auto text = "HTTP " + std::to_string(status);
  if (status == 429 || status >= 500) {
    curl_header* header = nullptr;
    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
      return {outcome::failure, text};
    const auto wait = brownout::parse_retry_after(header->value, std::chrono::system_clock::now());
    return {outcome::failure, text, wait.value_or(0s)};
  }
  // "Not found" is an answer like any other. Other errors of this class say that the request was wrong.
  if (status >= 400 && status != 404) return {outcome::ignored, text};
  return {outcome::success, text};
}

verdict judge(CURL* easy, CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return judge_answer(easy);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_WRITE_ERROR:  // `append_to_body` had no memory
      return {outcome::ignored, curl_easy_strerror(code)};
    default:  // no connection, connection lost, time-out: a fixed text, which holds no URL
      return {outcome::failure, curl_easy_strerror(code)};
  }
}

// libcurl calls it. An exception must not pass through the frames of a library written in C.
std::size_t append_to_body(char* bytes, std::size_t, std::size_t size, void* body) noexcept try {
  static_cast<std::string*>(body)->append(bytes, size);
  return size;
} catch (const std::bad_alloc&) {
  return 0;
}

class api_client {
 public:
  api_client(std::string url, std::chrono::milliseconds limit, api_breaker& api)
      : url_{std::move(url)}, limit_{limit}, api_{api} {
    if (multi_ == nullptr) throw std::bad_alloc{};
  }
  // What is in flight now was not ended by the server.
  ~api_client() {
    while (!in_flight_.empty()) end(in_flight_.begin()->first, {outcome::cancelled, "shutdown"});
    curl_multi_cleanup(multi_);
  }
  api_client(const api_client&) = delete;
  api_client& operator=(const api_client&) = delete;

  void get(const std::string& path) {
    auto admitted = api_.try_acquire();
    if (!admitted) return console::show_refusal(path, admitted.rejection());

    CURL* const easy = curl_easy_init();
    if (easy == nullptr) {  // our own shortage says nothing about the server
      admitted->complete(outcome::ignored);
      throw std::bad_alloc{};
    }
    auto& started = in_flight_.try_emplace(easy, transfer{path, *std::move(admitted)}).first->second;
    curl_easy_setopt(easy, CURLOPT_URL, (url_ + path).c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     static_cast<long>(limit_.count()));  // without it a transfer may never end
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, append_to_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &started.body);
    if (curl_multi_add_handle(multi_, easy) != CURLM_OK) end(easy, {outcome::ignored, "not started"});
  }

  void wait_for_all() {
    while (!in_flight_.empty()) {
      int running = 0;
      if (curl_multi_perform(multi_, &running) != CURLM_OK) throw std::runtime_error{"curl_multi_perform"};
      int queued = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_, &queued))
        if (message->msg == CURLMSG_DONE)
          end(message->easy_handle, judge(message->easy_handle, message->data.result));
      if (running > 0) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
  }

 private:
  // The one place where a permit is settled, and before anything that may throw: your handler follows.
  void end(CURL* easy, const verdict& seen) {
    const auto found = in_flight_.find(easy);
    auto ended = std::move(found->second);
    in_flight_.erase(found);
    const auto became = ended.permit.complete(seen.result, seen.retry_after, seen.why);
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
    console::handle(ended.path, seen.result, seen.why, became);
  }

  std::string url_;
  std::chrono::milliseconds limit_;
  api_breaker& api_;
  CURLM* multi_ = curl_multi_init();
  std::map<CURL*, transfer> in_flight_;
};

int main(int count, char** arguments) {
  if (count < 2) {
    std::cerr << "usage: libcurl_multi URL [MILLISECONDS]\n";
    return 2;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  api_breaker api{{3}, {.name = "api", .open_for = 2s}};  // outlives the client and its permits
  api_client client{arguments[1], console::time_limit(count, arguments, 2), api};
  console::run([&](const std::string& path) { client.get(path); }, [&] { client.wait_for_all(); });
}
