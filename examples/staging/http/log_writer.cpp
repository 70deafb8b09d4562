// SPDX-License-Identifier: BSL-1.0
#include "http/log_writer.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace staging {

namespace {
constexpr std::chrono::milliseconds last_wait{200};
constexpr std::chrono::milliseconds gathering{
    5};  // lines written at once cost a busy server one wake-up, not one each
}  // namespace

struct log_writer::shared {
  shared(writing how, std::size_t most) : write(std::move(how)), limit(most) {}

  const writing write;
  const std::size_t limit;
  std::mutex mutex;  // guards everything below
  std::condition_variable changed;
  std::vector<std::string> waiting;
  std::uint64_t unreported = 0;  // dropped after the last of `waiting`
  std::uint64_t dropped = 0;
  std::uint64_t added = 0;
  std::uint64_t written = 0;
  bool stopping = false;
  bool ended = false;
};

log_writer::log_writer(writing write, std::size_t limit)
    : shared_(std::make_shared<shared>(std::move(write), limit)) {
  thread_ = std::thread{run, shared_};
}

log_writer::~log_writer() {
  bool ended = false;
  {
    std::unique_lock lock{shared_->mutex};
    shared_->stopping = true;
    shared_->changed.notify_all();
    ended = shared_->changed.wait_for(lock, last_wait, [this] { return shared_->ended; });
  }
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void log_writer::add(std::string line) {
  bool first = false;  // the thread takes all that waits: it need not be woken for each line
  {
    const std::scoped_lock lock{shared_->mutex};
    if (shared_->waiting.size() >= shared_->limit) {
      ++shared_->unreported;
      ++shared_->dropped;
      return;
    }
    first = shared_->waiting.empty();
    shared_->waiting.push_back(std::move(line));
    ++shared_->added;
  }
  if (first) shared_->changed.notify_all();
}

bool log_writer::flush(std::chrono::milliseconds limit) const {
  std::unique_lock lock{shared_->mutex};
  return shared_->changed.wait_for(lock, limit,
                                   [&, all = shared_->added] { return shared_->written >= all; });
}

std::uint64_t log_writer::dropped() const {
  const std::scoped_lock lock{shared_->mutex};
  return shared_->dropped;
}

void log_writer::run(const std::shared_ptr<shared>& state) {
  std::unique_lock lock{state->mutex};
  for (;;) {
    state->changed.wait(lock, [&] { return state->stopping || !state->waiting.empty(); });
    if (state->waiting.empty()) break;
    state->changed.wait_for(lock, gathering, [&] { return state->stopping; });
    const auto lines = std::exchange(state->waiting, {});
    const auto dropped = std::exchange(state->unreported, 0);
    lock.unlock();
    std::uint64_t lost = 0;
    try {
      lost = state->write(lines, dropped);
    } catch (...) {  // of a lack of memory; the next lines may succeed
      lost = lines.size();
    }
    lock.lock();
    state->dropped += lost;
    state->written += lines.size();
    state->changed.notify_all();
  }
  state->ended = true;
  state->changed.notify_all();
}

}  // namespace staging
