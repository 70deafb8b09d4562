// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/core/caller_place.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using brownout::caller_place;

namespace {

/// Callers as services name them.
enum class naming { in_a_row, in_thousands, high_bits, texts, long_texts };
constexpr std::array namings{naming::in_a_row, naming::in_thousands, naming::high_bits, naming::texts,
                             naming::long_texts};

double place_of(naming named, std::uint64_t number, std::uint64_t salt) {
  switch (named) {
    case naming::in_a_row:
      return caller_place(number, salt);
    case naming::in_thousands:
      return caller_place(number * 1000, salt);
    case naming::high_bits:
      return caller_place(number << 44, salt);
    case naming::texts:
      return caller_place(std::to_string(number), salt);
    case naming::long_texts:
      return caller_place("https://shop.example/accounts/" + std::to_string(number) + "/session", salt);
  }
  return -1;
}

constexpr std::uint64_t callers = 100'000;

/// How far the counts are from equal: chi squared over its degrees of freedom, which is 1 by chance.
template <std::size_t Size>
double unevenness(const std::array<int, Size>& counts) {
  const double expected = static_cast<double>(callers) / Size;
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum / (Size - 1);
}

}  // namespace

TEST_CASE("a caller has the same place on every machine", "[feature][D4]") {
  // Published: the first number of SplitMix64 seeded with 1234567; FNV-1a of nothing, "a" and "foobar".
  STATIC_REQUIRE(brownout::detail::mixed(1'234'567) == 6'457'827'717'110'365'317U);
  STATIC_REQUIRE(brownout::detail::mixed(0) == 0xe220'a839'7b1d'cdafU);
  STATIC_REQUIRE(brownout::detail::fnv_1a("") == 0xcbf2'9ce4'8422'2325U);
  STATIC_REQUIRE(brownout::detail::fnv_1a("a") == 0xaf63'dc4c'8601'ec8cU);
  STATIC_REQUIRE(brownout::detail::fnv_1a("foobar") == 0x8594'4171'f739'67e8U);
  STATIC_REQUIRE(brownout::detail::fnv_1a("\xff") ==
                 0xaf64'724c'8602'eb6eU);  // whether char is signed or not
  // This library's own: who changes one sends callers elsewhere.
  STATIC_REQUIRE(caller_place(std::uint64_t{42}) == 0x1.5f87eae99441cp-2);
  STATIC_REQUIRE(caller_place(std::uint64_t{42}, 7) == 0x1.6062d6c1339e0p-4);
  STATIC_REQUIRE(caller_place("customer-42") == 0x1.3edaf880b87e0p-4);
  STATIC_REQUIRE(caller_place("customer-42", 7) == 0x1.8f08a38a8a692p-1);
}

TEST_CASE("a place is at least 0 and below 1", "[feature][D4]") {
  double least = 1;
  double most = 0;
  for (std::uint64_t i = 0; i < callers; ++i) {
    least = std::min(least, caller_place(i));
    most = std::max(most, caller_place(i));
  }
  CHECK(least >= 0);
  CHECK(least < 1e-4);  // of 100,000 the first is about 1e-5 from the end
  CHECK(most < 1);
  CHECK(most > 1 - 1e-4);
}

TEST_CASE("places are spread evenly however callers are named", "[feature][exhaustive][D4]") {
  for (const auto named : namings) {
    for (const std::uint64_t salt : {0U, 1U, 2U, 1000U}) {
      INFO("naming " << static_cast<int>(named) << ", salt " << salt);
      std::array<int, 1000> counts{};
      for (std::uint64_t i = 0; i < callers; ++i) {
        ++counts[static_cast<std::size_t>(place_of(named, i, salt) * 1000)];
      }
      // Of 999 degrees of freedom: 1 with a deviation of 0.045.
      CHECK(unevenness(counts) > 0.8);  // too even would be no chance either
      CHECK(unevenness(counts) < 1.2);
    }
  }
}

TEST_CASE("who comes first with one salt does so with another no more often than anyone else",
          "[feature][exhaustive][D4]") {
  for (const auto named : namings) {
    for (const auto& [one, other] : {std::pair{0, 1}, {1, 2}, {0, 1000}, {6, 7}, {2, 3}}) {
      INFO("naming " << static_cast<int>(named) << ", salts " << one << " and " << other);
      // Both places as one cell of 20 x 20.
      std::array<int, 400> counts{};
      for (std::uint64_t i = 0; i < callers; ++i) {
        const auto row = static_cast<std::size_t>(place_of(named, i, static_cast<std::uint64_t>(one)) * 20);
        const auto column =
            static_cast<std::size_t>(place_of(named, i, static_cast<std::uint64_t>(other)) * 20);
        ++counts[row * 20 + column];
      }
      CHECK(unevenness(counts) > 0.7);  // a deviation of 0.07
      CHECK(unevenness(counts) < 1.3);
    }
  }
}

TEST_CASE("a caller and a salt are not the same when they change places", "[feature][D4]") {
  CHECK(caller_place(std::uint64_t{3}, 5) != caller_place(std::uint64_t{5}, 3));
  CHECK(caller_place(std::uint64_t{5}, 5) != caller_place(std::uint64_t{6}, 6));
  CHECK(caller_place("42") != caller_place(std::uint64_t{42}));
}

TEST_CASE("no two of a hundred thousand callers share a place", "[feature][exhaustive][D4]") {
  for (const auto named : namings) {
    std::vector<double> places;
    for (std::uint64_t i = 0; i < callers; ++i) places.push_back(place_of(named, i, 0));
    std::sort(places.begin(), places.end());
    CHECK(std::adjacent_find(places.begin(), places.end()) == places.end());
  }
}
