// SPDX-License-Identifier: BSL-1.0
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/detail/key_hash.hpp"
#include "brownout/core/detail/secret_digest.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/registry/detail/key_index.hpp"
#include "brownout/registry/detail/key_name.hpp"
#include "brownout/registry/detail/numbered_places.hpp"
#include "brownout/registry/detail/registry_shard.hpp"
#include "brownout/registry/detail/usage.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "catch2.hpp"
#include "unit/core/child.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace brownout::detail;

namespace {

/// How many of the hashes of similar keys are equal to another one.
std::size_t alike(const key_hash& hash) {
  std::set<std::uint32_t> seen;
  std::size_t hashed = 0;
  for (std::size_t length = 0; length <= key_hash::longest_key; ++length) {
    const std::string zeros(length, '\0');
    seen.insert(hash(zeros));
    ++hashed;
    for (std::size_t i = 0; i < length; ++i) {
      auto changed = zeros;
      changed[i] = '\x01';
      seen.insert(hash(changed));
      changed[i] = '\x80';
      seen.insert(hash(changed));
      hashed += 2;
    }
  }
  return hashed - seen.size();
}

}  // namespace

TEST_CASE("the hash of a key depends on every byte and on its length", "[registry]") {
  // 16,641 random numbers of 32 bits have 0.03 pairs alike. Of similar keys many are alike with one secret in
  // 500, and few with all others. Three such secrets in a row are no chance.
  CHECK((std::min)({alike(key_hash{}), alike(key_hash{}), alike(key_hash{})}) <= 2);
}

TEST_CASE("the hash of a key depends on the secret", "[registry]") {
  const key_hash hash;
  const key_hash other;
  std::size_t equal = 0;
  for (std::size_t length = 0; length <= key_hash::longest_key; ++length) {
    const std::string zeros(length, '\0');
    equal += hash(zeros) == other(zeros) ? 1U : 0U;
  }
  CHECK(equal <= 2);
}

TEST_CASE("keys that count up spread evenly over the high and the low bits of their hashes", "[registry]") {
  const key_hash hash;
  std::vector<int> low(64);
  std::vector<int> high(64);
  for (int i = 0; i < 64'000; ++i) {
    const auto hashed = hash("host-" + std::to_string(i) + ".example.org");
    ++low[hashed % 64];
    ++high[hashed >> 26];
  }
  for (const auto& counts : {low, high}) {
    for (const auto count : counts) {
      CHECK(count > 500);  // of 1000
      CHECK(count < 2000);
    }
  }
}

TEST_CASE("the digest of a long key is SipHash-2-4 of 128 bits", "[registry]") {
  // The vectors of the reference implementation: key and texts count up from 0.
  static constexpr secret_digest digest{0x0706'0504'0302'0100U, 0x0f0e'0d0c'0b0a'0908U};
  const auto of_length = [](std::size_t length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text.push_back(static_cast<char>(i));
    const auto [low, high] = digest(text);
    std::string bytes;  // the lowest first, as the vectors are written
    for (const auto half : {low, high}) {
      for (int shift = 0; shift < 64; shift += 8) {
        bytes += "0123456789abcdef"[half >> (shift + 4) & 0xf];
        bytes += "0123456789abcdef"[half >> shift & 0xf];
      }
    }
    return bytes;
  };
  CHECK(of_length(0) == "a3817f04ba25a8e66df67214c7550293");
  CHECK(of_length(1) == "da87c1d86b99af44347659119b22fc45");
  CHECK(of_length(8) == "3b62a9ba6258f5610f83e264f31497b4");
  CHECK(of_length(15) == "5493e99933b0a8117e08ec0f97cfc3d9");
  CHECK(of_length(63) == "5150d1772f50834a503e069a973fbd7c");
  STATIC_REQUIRE(key_name{
      std::string_view{"............................................................"
                       "...................................................................."},
      {1, 2}}.view()
                     .ends_with("...00000000000000020000000000000001"));
}

TEST_CASE("digests by different secrets are different", "[registry]") {
  const secret_digest one;
  const secret_digest other;
  CHECK(one("key").low != other("key").low);
  CHECK(one("key").low == one("key").low);
}

TEST_CASE("an index finds what was inserted and not erased, whatever the hashes", "[registry]") {
  const auto spread = GENERATE(std::uint32_t{0}, std::uint32_t{1}, 0x0400'0000U, 0x2000'0001U, 0x9e37'79b9U);
  CAPTURE(spread);
  constexpr std::uint32_t most = 40;
  key_index index{most};
  std::map<std::uint32_t, std::uint32_t> hash_of;  // by number
  std::mt19937 random{7};
  for (int step = 0; step < 4000; ++step) {
    const auto number = static_cast<std::uint32_t>(random() % 60);
    if (const auto found = hash_of.find(number); found != hash_of.end()) {
      index.erase(found->second, number);
      hash_of.erase(found);
    } else if (!index.is_full()) {
      const auto hash = static_cast<std::uint32_t>(random() % 16) * spread + ~std::uint32_t{0} % 3;
      index.insert(hash, number);
      hash_of.emplace(number, hash);
    }
    REQUIRE(index.is_full() == (hash_of.size() == most));
    for (std::uint32_t sought = 0; sought < 60; ++sought) {
      for (std::uint32_t i = 0; i < 16; ++i) {
        const auto hash = i * spread + ~std::uint32_t{0} % 3;
        const auto found = hash_of.find(sought);
        const bool expected = found != hash_of.end() && found->second == hash;
        const bool seen =
            index.find(hash, [&](std::uint32_t number_found) { return number_found == sought; });
        if (seen != expected) REQUIRE(seen == expected);  // a million assertions are slow
      }
    }
  }
}

namespace {

struct numbered {
  explicit numbered(std::uint32_t its_number, int its_value = 0) : number{its_number}, value{its_value} {
    ++alive;
  }
  numbered(const numbered&) = delete;
  numbered& operator=(const numbered&) = delete;
  ~numbered() { --alive; }

  std::uint32_t number;
  int value;
  inline static int alive = 0;
};

/// All that one walk shows, and where it ends.
std::vector<int> walked(const numbered_places<numbered>& places, std::uint32_t& from, std::uint32_t most) {
  std::vector<int> seen;
  from = places.walk(from, most, [&](auto place) { seen.push_back(place.object->value); });
  return seen;
}

/// Builds an object in a place, and lists it.
numbered& add(numbered_places<numbered>& places, int value) {
  if (places.needs_block()) places.add_block(places.make_block());
  const auto number = places.take();
  auto* const built = std::construct_at(places[number].object, number, value);
  places.list(number);
  return *built;
}

void remove(numbered_places<numbered>& places, std::uint32_t number) {
  places.hide(number);
  std::destroy_at(places[number].object);
  places.vacate(number);
}

void clear(numbered_places<numbered>& places) {
  for (std::uint32_t row = 0; row < places.rows(); ++row) {
    places.walk_row(row, [&](auto place) { remove(places, place.object->number); });
  }
}

}  // namespace

TEST_CASE("places keep objects where they are, and reuse what is destroyed", "[registry]") {
  numbered_places<numbered> places{1000};
  std::map<std::uint32_t, numbered*> at;
  for (int i = 0; i < 700; ++i) {
    auto& made = add(places, i);
    REQUIRE(at.emplace(made.number, &made).second);
  }
  for (const auto& [number, object] : at) REQUIRE(places[number].object == object);
  for (std::uint32_t number = 100; number < 110; ++number) {
    places.hide(number);
    CHECK(at[number]->number == number);
    std::destroy_at(at[number]);
    places.vacate(number);
  }
  CHECK(numbered::alive == 690);
  const auto taken = places.take();  // and no object comes into it
  places.vacate(taken);
  for (int i = 0; i < 10; ++i) {
    const auto number = add(places, 1000 + i).number;
    CHECK((number >= 100 && number < 110));
  }
  const auto next = add(places, 2000).number;
  CHECK(at.count(next) == 0);
  clear(places);
  CHECK(numbered::alive == 0);
}

TEST_CASE("places are full when each holds an object", "[registry]") {
  numbered_places<numbered> places{10};
  int held = 0;
  while (!places.is_full()) add(places, held++);
  CHECK(held == 256);
  places.hide(7);
  std::destroy_at(places[7].object);
  CHECK(places.is_full());
  places.vacate(7);
  CHECK_FALSE(places.is_full());
  add(places, 1);
  CHECK(places.is_full());
  clear(places);
}

TEST_CASE("a walk goes round, shows nothing twice, and goes on where it ended", "[registry]") {
  numbered_places<numbered> places{1000};
  std::uint32_t from = 5;
  CHECK(walked(places, from, 16).empty());
  for (int i = 0; i < 600; ++i) add(places, i);

  SECTION("no more than asked for, and all in turn") {
    from = 77;
    std::multiset<int> seen;
    for (int i = 0; i < 60; ++i) {
      const auto some = walked(places, from, 10);
      CHECK(some.size() <= 10);
      seen.insert(some.begin(), some.end());
    }
    for (int i = 0; i < 600; ++i) {
      CAPTURE(i);
      CHECK(seen.count(i) <= 2);
    }
    for (int i = 0; i < 60; ++i) {
      const auto some = walked(places, from, 10);
      seen.insert(some.begin(), some.end());
    }
    for (int i = 0; i < 600; ++i) CHECK(seen.count(i) >= 1);
  }
  SECTION("a few are shown all, once, from whichever number") {
    numbered_places<numbered> small{100};
    for (int i = 0; i < 16; ++i) add(small, i);
    for (std::uint32_t start = 0; start < 256; ++start) {
      from = start;
      const auto seen = walked(small, from, 16);
      REQUIRE(seen.size() == 16);
      REQUIRE(std::set<int>(seen.begin(), seen.end()).size() == 16);
    }
    clear(small);
  }
  SECTION("hidden ones are not shown") {
    std::uint32_t number = 0;
    for (auto next = places.first_from(0); next.object != nullptr; next = places.first_from(number + 1)) {
      number = next.object->number;
      if (number % 2 == 1) places.hide(number);
    }
    for (std::uint32_t row = 0; row < places.rows(); ++row) {
      places.walk_row(row, [](auto place) { CHECK(place.object->number % 2 == 0); });
    }
    for (number = 1; number < 768; number += 2) {
      if (const auto found = places.first_from(number); found.object != nullptr) {
        CHECK(found.object->number > number);
      }
    }
    CHECK(places.first_from(760).object != nullptr);
    CHECK(places.first_from(761).object == nullptr);
  }
  clear(places);
  numbered::alive = 0;  // a hidden one is left where it is
}

TEST_CASE("keys with the same hash are told apart", "[registry]") {
  using breaker = brownout::circuit_breaker<brownout::consecutive_failures, brownout::manual_clock>;
  using shard_type = registry_shard<breaker>;
  const key_hash hash;
  auto* const shard = new shard_type{hash, 10, false};  // deletes itself
  const auto policy = std::make_shared<brownout::detail::policy<brownout::consecutive_failures>>(
      brownout::breaker_options{}, brownout::consecutive_failures{});
  const auto build = [&](std::string_view key) {
    shard_type::told_breakers added;
    const auto create = [&](auto* place, std::uint32_t number) {
      std::construct_at(place, number, shard, policy, std::string{key}, brownout::manual_clock{});
    };
    return shard
        ->find_or_add(
            {key, 7}, 1, 0, create, [] { return true; }, added)
        .found;
  };
  const auto first = build("first");
  const auto second = build("second");
  CHECK(first.object != second.object);
  for (const auto& [key, expected] : {std::pair{"first", first}, std::pair{"second", second}}) {
    for (const auto found : {shard->find({key, 7}, 2), shard->find_surely({key, 7}, 2), build(key)}) {
      CHECK(found.object == expected.object);
      shard_type::release(found);
    }
  }
  CHECK(shard->find({"third", 7}, 2).object == nullptr);
  CHECK(shard->find_surely({"third", 7}, 2).object == nullptr);
  shard_type::release(first);
  shard_type::release(second);
  shard->close();
  shard->disown();
}

TEST_CASE("nobody comes to refer to what nobody refers to", "[registry]") {
  usage use;
  CHECK_FALSE(use.try_refer(1));
  CHECK_FALSE(use.claim());
  use.begin(5, 2);
  CHECK(use.last_used() == 5);
  CHECK_FALSE(use.was_referred_to_once());
  CHECK_FALSE(use.claim());
  CHECK(use.try_refer(9));
  CHECK(use.last_used() == 9);
  CHECK_FALSE(use.release());
  CHECK_FALSE(use.release());
  CHECK(use.was_referred_to_once());
  CHECK(use.claim());
  CHECK_FALSE(use.try_refer(10));
  use.unclaim();
  CHECK(use.last_used() == 9);
  CHECK(use.try_refer(3));
  CHECK(use.last_used() == 9);
  use.refer();
  CHECK_FALSE(use.release());
  CHECK_FALSE(use.release());
  CHECK(use.release());
  CHECK_FALSE(use.try_refer(10));
}

TEST_CASE("as many refer to a breaker as can be counted, and no more", "[registry]") {
  usage use;
  use.begin(5, usage::most_referrers - 1);
  CHECK(use.try_refer(6));
  CHECK_FALSE(use.try_refer(7));
  CHECK(use.last_used() == 6);
  CHECK(core_test::in_child([&] { use.refer(); }).signal == SIGABRT);
  CHECK_FALSE(use.release());
  CHECK(use.try_refer(7));
}
