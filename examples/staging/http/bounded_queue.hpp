// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace staging {

/// How a queue stood at one moment.
struct queue_usage {
  std::size_t threads = 0;    ///< that serve connections
  std::size_t busy = 0;       ///< of them, those with a connection
  std::size_t waiting = 0;    ///< connections that no thread has taken yet
  std::size_t limit = 0;      ///< of them, how many may wait when no thread is idle
  std::uint64_t refused = 0;  ///< connections too many, since the start
};

/// The threads that serve connections, and the connections that wait for one: at most `limit` of them.
///
/// The HTTP library's own pool queues without bound, so in an overload every client would wait for ever and
/// memory would grow. A connection too many is served here at once, on the accepting thread, with
/// `is_refusing()` true: the server answers 503 without reading, and closes.
class bounded_queue final : public httplib::TaskQueue {
  // `void` in cpp-httplib 0.11, `bool` (was it taken?) in later versions.
  using enqueue_result = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));

 public:
  bounded_queue(std::size_t threads, std::size_t limit);
  ~bounded_queue() override;

  enqueue_result enqueue(std::function<void()> connection) override;

  /// Serves what waits, then ends the threads.
  void shutdown() override;

  /// For a connection that idles on a thread while others wait for one: whether it should end, so that its
  /// thread is free. Says yes once per waiting connection.
  [[nodiscard]] bool claim_thread();

  [[nodiscard]] queue_usage usage() const;

  /// Whether the connection being served on this thread is one too many.
  [[nodiscard]] static bool is_refusing() noexcept;

 private:
  void work();

  const std::size_t limit_;
  const std::size_t thread_count_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> waiting_;
  std::size_t idle_;  // threads without a connection (starting ones too); each will take one of `waiting_`
  std::size_t claimed_ = 0;  // threads about to be free because of `claim_thread`
  std::uint64_t refused_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace staging
