// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/net.hpp"
#include "brownout/version.hpp"

#include <boost/asio/cancellation_type.hpp>

#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Passes a cancellation from the caller's slot on to a call: `call->cancel(type)`.
///
/// A call that is abandoned may end before its signal or after it. So each side tells the other when it ends:
/// a later signal does not touch the call, and the call does not touch a signal that is gone.
template <class Call>
class cancellation_link {
 public:
  cancellation_link() = default;
  cancellation_link(const cancellation_link&) = delete;
  cancellation_link& operator=(const cancellation_link&) = delete;
  ~cancellation_link() { cut(); }

  template <class Slot>
  void connect(Slot slot, Call* call) {
    if (slot.is_connected()) end_ = &slot.template emplace<end_in_slot>(this, call);
  }
  /// The caller's handler is about to be called, so a signal has no meaning any more.
  void cut() noexcept {
    if (end_ != nullptr) std::exchange(end_, nullptr)->from = nullptr;
  }

 private:
  struct end_in_slot {
    cancellation_link* from;
    Call* call;

    // Clang 14 does not make an aggregate from arguments in parentheses.
    end_in_slot(cancellation_link* link, Call* of) noexcept : from{link}, call{of} {}
    end_in_slot(const end_in_slot&) = delete;
    end_in_slot& operator=(const end_in_slot&) = delete;
    ~end_in_slot() {
      if (from != nullptr) from->end_ = nullptr;
    }

    void operator()(net::cancellation_type_t asked) const {
      if (from != nullptr && asked != net::cancellation_type::none) call->cancel(asked);
    }
  };

  end_in_slot* end_ = nullptr;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
