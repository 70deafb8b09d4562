// SPDX-License-Identifier: BSL-1.0
#include "http/bounded_queue.hpp"

namespace staging {

namespace {

thread_local bool refusing = false;

}  // namespace

bounded_queue::bounded_queue(std::size_t threads, std::size_t limit)
    : limit_(limit), thread_count_(threads), idle_(threads) {
  threads_.reserve(threads);
  try {
    while (threads_.size() < threads) threads_.emplace_back([this] { work(); });
  } catch (...) {
    shutdown();  // a thread that could not start must not leave the others running on a queue that is gone
    throw;
  }
}

bounded_queue::~bounded_queue() {
  shutdown();
}

auto bounded_queue::enqueue(std::function<void()> connection) -> enqueue_result {
  bool taken = false;
  {
    const std::scoped_lock lock{mutex_};
    taken = waiting_.size() < limit_ + idle_;
    if (taken)
      waiting_.push_back(std::move(connection));
    else
      ++refused_;
  }
  if (taken) {
    arrived_.notify_one();
  } else {
    refusing = true;
    connection();
    refusing = false;
  }
  return static_cast<enqueue_result>(true);  // either way it has been seen to
}

void bounded_queue::shutdown() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  arrived_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

bool bounded_queue::claim_thread() {
  const std::scoped_lock lock{mutex_};
  if (waiting_.size() <= idle_ + claimed_) return false;
  ++claimed_;
  return true;
}

queue_usage bounded_queue::usage() const {
  const std::scoped_lock lock{mutex_};
  return {.threads = thread_count_,
          .busy = thread_count_ - idle_,
          .waiting = waiting_.size(),
          .limit = limit_,
          .refused = refused_};
}

bool bounded_queue::is_refusing() noexcept {
  return refusing;
}

void bounded_queue::work() {
  std::unique_lock lock{mutex_};
  for (;;) {
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    --idle_;
    if (claimed_ > 0) --claimed_;
    auto connection = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    connection();
    connection = nullptr;
    lock.lock();
    ++idle_;
  }
}

}  // namespace staging
