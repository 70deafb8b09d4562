// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/call_context.hpp"

#include <algorithm>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace staging {

/// A client a pool can keep for the next user.
///
/// Beyond the syntax: after a failure that makes reuse pointless, `broken()` is true.
template <class C>
concept pooled_client = std::movable<C> && requires(const C& client) {
  { client.broken() }
  noexcept->std::same_as<bool>;
};

/// How a pool stood at one moment; may be stale when it is read.
struct pool_usage {
  std::size_t capacity = 0;  ///< clients that may be leased at once
  std::size_t in_use = 0;    ///< leased now; above capacity for a while after that was lowered
  std::size_t idle = 0;      ///< kept for the next user
  std::size_t waiting = 0;   ///< callers waiting in acquire
};

/// A bounded set of clients, made when first needed and lent to one user at a time, first come, first served.
///
/// Thread-safe. Clients are made and destroyed outside the lock. Must outlive its leases.
template <pooled_client Client>
class connection_pool {
 public:
  /// One client, lent until the lease ends. For one thread.
  class lease {
   public:
    lease(lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), client_(std::move(other.client_)) {}
    lease& operator=(lease&&) = delete;
    ~lease() {
      if (pool_ != nullptr) pool_->take_back(std::move(client_));
    }

    [[nodiscard]] Client& operator*() noexcept { return client_; }
    [[nodiscard]] Client* operator->() noexcept { return &client_; }

   private:
    friend connection_pool;
    lease(connection_pool& pool, Client&& client) : pool_(&pool), client_(std::move(client)) {}

    connection_pool* pool_;
    Client client_;
  };

  /// `make` is called by any thread, also by several at once. A capacity of 0 lends nothing.
  connection_pool(std::function<Client()> make, std::size_t capacity)
      : make_(std::move(make)), capacity_(capacity) {}
  connection_pool(const connection_pool&) = delete;
  connection_pool& operator=(const connection_pool&) = delete;

  /// Waits for a client until the deadline or a stop request; nothing when the pool stayed exhausted until
  /// then. Throws what `make` throws.
  [[nodiscard]] std::optional<lease> acquire(const call_context& context);

  /// Changes how many clients may be leased at once. Never takes one away from its user: after a reduction,
  /// those returned are dropped until the new capacity holds.
  void set_capacity(std::size_t capacity);

  [[nodiscard]] pool_usage usage() const;

 private:
  using ticket = std::uint64_t;

  void take_back(Client&& client) noexcept;
  void give_up_slot() noexcept;

  const std::function<Client()> make_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t capacity_;
  std::size_t in_use_ = 0;
  std::vector<Client> idle_;    // most recently used last: the one most likely still connected
  std::deque<ticket> waiting_;  // in order of arrival
  ticket next_ticket_ = 0;
};

template <pooled_client Client>
auto connection_pool<Client>::acquire(const call_context& context) -> std::optional<lease> {
  std::optional<Client> kept;
  {
    std::unique_lock lock{mutex_};
    const ticket mine = next_ticket_++;
    waiting_.push_back(mine);
    const bool admitted = changed_.wait_until(lock, context.stop, context.deadline, [&] {
      return waiting_.front() == mine && in_use_ < capacity_;
    });
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), mine));
    // The next caller in line may have been held back by this ticket alone.
    if (!waiting_.empty()) changed_.notify_all();
    if (!admitted) return std::nullopt;

    idle_.reserve(idle_.size() + in_use_ + 1);  // so that take_back never allocates
    if (!idle_.empty()) {
      kept.emplace(std::move(idle_.back()));
      idle_.pop_back();
    }
    ++in_use_;
  }
  if (kept) return lease{*this, std::move(*kept)};
  try {
    return lease{*this, make_()};
  } catch (...) {
    give_up_slot();
    throw;
  }
}

template <pooled_client Client>
void connection_pool<Client>::take_back(Client&& client) noexcept {
  // A client that is not kept ends with its lease, after the lock is released.
  const std::scoped_lock lock{mutex_};
  --in_use_;
  if (!client.broken() && in_use_ + idle_.size() < capacity_) idle_.push_back(std::move(client));
  changed_.notify_all();
}

template <pooled_client Client>
void connection_pool<Client>::give_up_slot() noexcept {
  const std::scoped_lock lock{mutex_};
  --in_use_;
  changed_.notify_all();
}

template <pooled_client Client>
void connection_pool<Client>::set_capacity(std::size_t capacity) {
  std::vector<Client> dropped;  // declared first: its clients end after the lock is released
  const std::scoped_lock lock{mutex_};
  capacity_ = capacity;
  const auto room = capacity_ > in_use_ ? capacity_ - in_use_ : 0;
  while (idle_.size() > room) {
    dropped.push_back(std::move(idle_.back()));
    idle_.pop_back();
  }
  changed_.notify_all();
}

template <pooled_client Client>
pool_usage connection_pool<Client>::usage() const {
  const std::scoped_lock lock{mutex_};
  return {.capacity = capacity_, .in_use = in_use_, .idle = idle_.size(), .waiting = waiting_.size()};
}

}  // namespace staging
