// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/net.hpp"
#include "brownout/version.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What is told when its execution context ends.
class context_listener {
 public:
  virtual void context_ends() noexcept = 0;

 protected:
  context_listener() = default;
  context_listener(const context_listener&) = delete;
  context_listener& operator=(const context_listener&) = delete;
  ~context_listener() = default;
};

/// Tells objects that their execution context ends: a service of the context.
//
// The operations of Boost.Asio end with their context, because a service of it owns them. A call in a line is
// owned by that line. So if its handler keeps the owner of the line alive, neither would end without this.
class context_end : public net::execution_context::service {
  struct book {
    std::mutex mutex;
    std::list<std::weak_ptr<context_listener>> listeners;
  };

 public:
  static inline net::execution_context::id id;

  /// Ends the telling. It may live longer than the context.
  class registration {
   public:
    registration() = default;
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;
    ~registration() {
      if (in_ == nullptr) return;
      const std::lock_guard lock{in_->mutex};
      in_->listeners.erase(place_);
    }

   private:
    friend context_end;

    std::shared_ptr<book> in_{};
    std::list<std::weak_ptr<context_listener>>::iterator place_{};
  };

  explicit context_end(net::execution_context& owner) : service{owner}, book_{std::make_shared<book>()} {}

  /// `told` has the registration.
  template <class Executor>
  static void tell(const Executor& executor, const std::shared_ptr<context_listener>& told,
                   registration& into) {
    const auto& listed = net::use_service<context_end>(context_of(executor)).book_;
    const std::lock_guard lock{listed->mutex};
    into.place_ = listed->listeners.insert(listed->listeners.end(), told);
    into.in_ = listed;
  }

 private:
  template <class Executor>
  [[nodiscard]] static net::execution_context& context_of(const Executor& executor) {
    if constexpr (net::execution::is_executor<Executor>::value) {
      return net::query(executor, net::execution::context);
    } else {
      return executor.context();
    }
  }

  void shutdown() override {
    std::vector<std::shared_ptr<context_listener>> all;
    {
      const std::lock_guard lock{book_->mutex};
      for (const auto& one : book_->listeners) {
        if (auto told = one.lock()) all.push_back(std::move(told));
      }
    }
    for (const auto& told : all) told->context_ends();
  }

  std::shared_ptr<book> book_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
