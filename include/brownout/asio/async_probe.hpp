// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/net.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/version.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// Takes the answer of an asynchronous probe, on any thread.
class probe_desk {
 public:
  probe_desk() = default;
  probe_desk(const probe_desk&) = delete;
  probe_desk& operator=(const probe_desk&) = delete;
  virtual ~probe_desk() = default;

  virtual void answer(const probe_order& order, probe_result found) = 0;
};

}  // namespace detail

/// The completion handler of an asynchronous probe. Its executor is that of the supervision, and its
/// cancellation slot ends the probe at its deadline. It takes what operations complete with:
///
/// - a `probe_result`, an `outcome` or a bool;
/// - an error code, and anything after it: an error is a failure, with its message as the reason;
/// - an exception, and one of the first after it, as `co_spawn` has them. The text of an exception is not
///   shown, because it may hold a connection string.
///
/// If it is destroyed and was not called, the probe has failed. A second answer changes nothing. Move-only.
/// May be called by any thread, while its execution context lives. It must not live longer than that context.
class async_probe_handler {
 public:
  /// The type of the executor.
  using executor_type = detail::net::any_io_executor;
  /// The type of the cancellation slot.
  using cancellation_slot_type = detail::net::cancellation_slot;

  /// For an `async_supervision`.
  async_probe_handler(std::shared_ptr<detail::probe_desk> desk, const probe_order& order,
                      executor_type executor, cancellation_slot_type slot)
      : desk_{std::move(desk)}, order_{order}, executor_{std::move(executor)}, slot_{slot} {}
  /// The other handler must not be called any more.
  async_probe_handler(async_probe_handler&&) noexcept = default;
  async_probe_handler& operator=(async_probe_handler&&) = delete;
  ~async_probe_handler() {
    if (desk_ != nullptr) tell({outcome::failure, "the probe ended without an answer"});
  }

  /// The executor of the supervision.
  [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
  /// The slot that is signalled at the deadline of the probe.
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

  /// @name What a probe answers
  /// @{

  /// The answer of the probe.
  void operator()(probe_result found) { tell(std::move(found)); }
  void operator()(outcome found) { tell({found, {}}); }
  void operator()(std::same_as<bool> auto is_well) { tell(detail::probe_answer(is_well)); }
  template <class... Values>
  void operator()(const detail::error_code& error, Values&&...) {
    if (error) return tell({outcome::failure, error.message()});
    tell({outcome::success, {}});
  }
  void operator()(const std::exception_ptr& thrown) {
    if (thrown != nullptr) return tell({outcome::failure, "the probe threw an exception"});
    tell({outcome::success, {}});
  }
  template <class Answer>
  void operator()(const std::exception_ptr& thrown, Answer&& found) {
    if (thrown != nullptr) return (*this)(thrown);
    tell(detail::probe_answer(std::forward<Answer>(found)));
  }
  /// @}

 private:
  void tell(probe_result found) {
    if (const auto desk = std::exchange(desk_, nullptr)) desk->answer(order_, std::move(found));
  }

  std::shared_ptr<detail::probe_desk> desk_;
  probe_order order_;
  executor_type executor_;
  cancellation_slot_type slot_;
};

/// The probe of a dependency as an asynchronous operation. `which`: the enumerator of the dependency, or its
/// number. `start`: starts the operation, and returns at once. Its context is valid until the answer:
///
///     brownout::async_probe{upstream::search, [&](const brownout::probe_context&,
///                                                 brownout::async_probe_handler done) {
///       co_spawn(io, ping(), std::move(done));
///     }}
struct async_probe {
  /// Starts the operation, and returns at once.
  using starter = std::function<void(const probe_context&, async_probe_handler)>;

  /// The enumerator or the number of the dependency, and what starts its probe.
  template <class D>
  requires(std::is_enum_v<D> || std::is_integral_v<D>) async_probe(D which, starter function)
      : dependency{static_cast<std::size_t>(which)}, start{std::move(function)} {}

  std::size_t dependency;  ///< number of the dependency
  starter start;           ///< what starts the probe
};

}  // namespace brownout::inline BROWNOUT_ABI
