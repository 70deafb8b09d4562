// SPDX-License-Identifier: BSL-1.0
#include "clients/http_session.hpp"

#include "clients/client_error.hpp"
#include "clients/socket_wait.hpp"

#include <curl/curl.h>

#include <cerrno>
#include <new>
#include <stop_token>

namespace staging {

namespace {

constexpr std::size_t largest_body = std::size_t{1} << 20U;

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* owned) const noexcept {
    Free(owned);
  }
};
using header_list = std::unique_ptr<curl_slist, freed_by<&curl_slist_free_all>>;

// Called by libcurl: nothing may be thrown through it.
std::size_t append_to_body(char* bytes, std::size_t, std::size_t size, void* body) noexcept try {
  auto& text = *static_cast<std::string*>(body);
  if (size > largest_body - text.size()) return 0;
  text.append(bytes, size);
  return size;
} catch (const std::bad_alloc&) {
  return 0;
}

[[nodiscard]] client_error failed(CURLcode code, CURL* easy) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return timed_out();
    case CURLE_COULDNT_RESOLVE_HOST:
      return client_error("host name not resolved");
    case CURLE_COULDNT_CONNECT: {
      long error = 0;
      curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
      return client_error(error == ECONNREFUSED ? "connection refused" : "cannot connect");
    }
    case CURLE_PEER_FAILED_VERIFICATION:
      return client_error("certificate not trusted");
    case CURLE_WRITE_ERROR:
      return client_error("answer too large");
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return client_error("connection lost");
    default:
      return client_error(curl_easy_strerror(code));  // a fixed text: holds no URL
  }
}

/// While it lives, the easy handle runs in the multi handle and a stop request wakes the latter's poll.
class running_transfer {
 public:
  running_transfer(CURLM* multi, CURL* easy, const std::stop_token& stop)
      : multi_(multi), easy_(easy), on_stop_(stop, wake{multi}) {
    if (curl_multi_add_handle(multi_, easy_) != CURLM_OK) throw client_error("cannot start the request");
  }
  ~running_transfer() { curl_multi_remove_handle(multi_, easy_); }
  running_transfer(const running_transfer&) = delete;
  running_transfer& operator=(const running_transfer&) = delete;

  [[nodiscard]] CURLcode finish(const call_context& context) {
    for (int running = 1;;) {
      if (curl_multi_perform(multi_, &running) != CURLM_OK) throw client_error("cannot run the request");
      if (running == 0) break;
      if (context.stop.stop_requested()) throw given_up();
      const auto left = remaining(context);
      if (!left) throw timed_out();
      curl_multi_poll(multi_, nullptr, 0, static_cast<int>(left->count()), nullptr);
    }
    int queued = 0;
    const CURLMsg* const message = curl_multi_info_read(multi_, &queued);
    return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
  }

 private:
  struct wake {
    CURLM* multi;
    void operator()() const noexcept { curl_multi_wakeup(multi); }
  };

  CURLM* multi_;
  CURL* easy_;
  std::stop_callback<wake> on_stop_;
};

void apply(CURL* easy, const http_request& request, const curl_slist* headers, long time_out_ms) {
  curl_easy_reset(easy);  // keeps connections and the name cache
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  // One request at a time: a stream of a shared connection would gain nothing, and a hung one could be kept.
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "brownout-staging");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, time_out_ms);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // giving up does not wait for a resolver that hangs
  if (request.method == http_method::head) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (request.method == http_method::post) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.sign) {
    curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, request.sign->scope.c_str());
    curl_easy_setopt(easy, CURLOPT_USERNAME, request.sign->key_id.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, request.sign->secret.c_str());
  }
}

[[nodiscard]] header_list list_of(const std::vector<std::string>& headers) {
  header_list list;
  for (const auto& header : headers) {
    curl_slist* const longer = curl_slist_append(list.get(), header.c_str());
    if (longer == nullptr) throw client_error("out of memory");
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

}  // namespace

struct http_session::handles {
  handles() : multi{curl_multi_init()}, easy{curl_easy_init()} {
    if (!multi || !easy) throw client_error("out of memory");
  }

  std::unique_ptr<CURLM, freed_by<&curl_multi_cleanup>> multi;
  // Last, so gone first: it leaves its connections to the other one.
  std::unique_ptr<CURL, freed_by<&curl_easy_cleanup>> easy;
};

void http_session::closer::operator()(handles* owned) const noexcept {
  delete owned;
}

http_answer http_session::perform(const http_request& request, const call_context& context) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) throw client_error("libcurl cannot be initialised");

  if (context.stop.stop_requested()) throw given_up();
  const auto left = remaining(context);
  if (!left) throw timed_out();
  const auto list = list_of(request.headers);

  return handles_.use([] { return new handles; },
                      [&](handles& curl) {
                        apply(curl.easy.get(), request, list.get(), static_cast<long>(left->count()));
                        http_answer answer;
                        curl_easy_setopt(curl.easy.get(), CURLOPT_WRITEFUNCTION, append_to_body);
                        curl_easy_setopt(curl.easy.get(), CURLOPT_WRITEDATA, &answer.body);
                        running_transfer transfer{curl.multi.get(), curl.easy.get(), context.stop};
                        const CURLcode code = transfer.finish(context);
                        if (code != CURLE_OK) throw failed(code, curl.easy.get());
                        curl_easy_getinfo(curl.easy.get(), CURLINFO_RESPONSE_CODE, &answer.status);
                        return answer;
                      });
}

}  // namespace staging
