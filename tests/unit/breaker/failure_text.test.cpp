// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/breaker/detail/last_failure.hpp"
#include "brownout/core/bounded_text.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::bounded_text;
using brownout::transition_event;

namespace {

using failure_note = brownout::detail::last_failure<interrupted_atomics>;

failure_note::text text(std::string_view why) {
  return {bounded_text{why}, time_point{1s}};
}
std::string read(const failure_note& note) {
  return std::string{note.read().why.view()};
}

/// Has `action` interrupted by `other` before the access numbered `access`. False when there are not so many.
bool interrupted(int access, const std::function<void()>& action, const std::function<void()>& other) {
  interruption::action = other;
  interruption::accesses_left = access;
  action();
  interruption::accesses_left = -1;
  return !std::exchange(interruption::action, nullptr);
}

}  // namespace

TEST_CASE("the text of the latest failure is kept, and none of an earlier epoch replaces it",
          "[breaker][B17][B17g]") {
  failure_note note;
  CHECK(read(note).empty());
  note.replace(3, text("of 3"));
  CHECK(read(note) == "of 3");
  CHECK(note.read().at == time_point{1s});
  note.replace(3, text("of 3 too"));
  CHECK(read(note) == "of 3 too");
  note.replace(2, text("of 2"));
  note.replace(2, {});
  CHECK(read(note) == "of 3 too");
  note.replace(4, {});
  CHECK(read(note).empty());
  note.replace(3, text("of 3"));
  CHECK(read(note).empty());
  note.replace(4, text("of 4"));
  CHECK(read(note) == "of 4");
}

TEST_CASE("a thread that replaces a text while another one does leaves a whole one of the later epoch",
          "[breaker][B17]") {
  int interruptions = 0;
  for (const std::uint64_t epoch : {1U, 2U, 3U}) {
    for (const bool clears : {false, true}) {
      for (int access = 0;; ++access, ++interruptions) {
        failure_note note;
        note.replace(1, text("before"));
        const std::string first(100, 'a');
        const std::string second(100, 'b');
        std::string seen;
        const bool reached = interrupted(
            access, [&] { note.replace(2, text(first)); },
            [&] {
              note.replace(epoch, clears ? failure_note::text{} : text(second));
              seen = read(note);
            });
        if (!reached) break;
        INFO("epoch " << epoch << (clears ? ", cleared" : "") << ", before access " << access);
        const auto own = clears ? std::string{} : second;
        CHECK((seen == own || (epoch <= 2 && seen == first)));
        if (epoch < 2) CHECK(read(note) == first);
        if (epoch == 2) CHECK((read(note) == first || read(note) == own));
        if (epoch > 2) CHECK(read(note) == own);
      }
    }
  }
  CHECK(interruptions > 100);
}

TEST_CASE("a thread that reads while the text is replaced sees one of the two", "[breaker][B17]") {
  for (int replacements = 1; replacements <= 9; ++replacements) {
    for (int access = 0;; ++access) {
      failure_note note;
      note.replace(1, text("before"));
      std::string seen;
      const bool reached = interrupted(
          access, [&] { seen = read(note); },
          [&] {
            for (int i = 0; i < replacements; ++i) note.replace(1, text(std::string(100, 'x')));
          });
      if (!reached) break;
      CHECK((seen == "before" || seen == std::string(100, 'x')));
    }
  }
}

TEST_CASE("with every place taken by a thread that sleeps, an older text goes and a newer one stays",
          "[breaker][B17]") {
  constexpr int asleep = 3;
  for (const std::uint64_t epoch : {1U, 2U}) {
    failure_note note;
    note.replace(1, text("before"));
    std::string seen;
    // Each writer is interrupted by the next in the middle of its text.
    std::function<void(int)> write = [&](int writers) {
      interruption::action = [&, writers] {
        if (writers < asleep) return write(writers + 1);
        note.replace(epoch, text("lost"));
        seen = read(note);
      };
      interruption::accesses_left = 8;
      note.replace(1, text("of a sleeper"));
    };
    write(1);
    CHECK(seen == (epoch == 1 ? "before" : ""));
    CHECK(read(note) == (epoch == 1 ? "of a sleeper" : ""));
    note.replace(2, text("after"));
    CHECK(read(note) == "after");
  }
}

TEST_CASE("a listener never reads a failure that is older than the opening it hears of",
          "[breaker][B17][B17f]") {
  using breaker = brownout::circuit_breaker<consecutive_failures, manual_clock, interrupted_atomics>;
  int openings = 0;
  for (int access = 0;; ++access) {
    manual_clock clock;
    breaker circuit{consecutive_failures{2}, bench::plain({.open_for = 5s}), clock};
    std::string opened_by;
    const auto listening = circuit.subscribe([&](const transition_event& event) {
      ++openings;
      opened_by = event.text.view();
      CHECK(circuit.snapshot().last_failure.view() == event.text.view());
    });
    auto one = *circuit.try_acquire();
    auto other = *circuit.try_acquire();
    const bool reached = interrupted(
        access, [&] { static_cast<void>(one.complete(outcome::failure, {}, "one")); },
        [&] { static_cast<void>(other.complete(outcome::failure, {}, "other")); });
    if (!reached) break;
    INFO("interrupted before access " << access);
    CHECK(circuit.observed_state() == circuit_state::open);
    // Whoever failed before it was noted at last leaves the text of the opening alone.
    CHECK(circuit.snapshot().last_failure.view() == opened_by);
  }
  CHECK(openings > 20);
}
