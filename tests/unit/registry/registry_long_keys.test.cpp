// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace registry_test;

namespace {

/// A key of 300 bytes that ends with `end`.
std::string long_key(std::string_view end) {
  return std::string(300 - end.size(), 'k').append(end);
}

}  // namespace

TEST_CASE("a key of any length is guarded as others are", "[registry][S3][S3j]") {
  const auto length = GENERATE(as<std::size_t>{}, 127, 128, 129, 300, 100'000);
  CAPTURE(length);
  bench bench{10};
  const std::string key(length, 'k');
  CHECK(trip(bench.breakers.at(key)) == 2);
  CHECK(bench.breakers.at(key).observed_state() == circuit_state::open);
  CHECK(bench.breakers.at(key).try_call([] {}).rejection().retry_after == 10s);
  CHECK(bench.breakers.find(key) == bench.breakers.at(key));
  CHECK(bench.breakers.snapshot().size == 1);
  for (int i = 0; i < 100; ++i) bench.use(std::to_string(i));
  CHECK(bench.breakers.find(key).observed_state() == circuit_state::open);
  CHECK(bench.breakers.erase(key));
  CHECK_FALSE(bench.breakers.find(key));
  CHECK(bench.breakers.at(key).observed_state() == circuit_state::closed);
}

TEST_CASE("long keys that differ in one byte have breakers and names of their own", "[registry][S3][S3j]") {
  bench bench{1000};
  std::vector<std::string> keys;
  for (const auto length : {128, 129, 136, 300}) {
    for (int i = 0; i < length; i += 7) {
      keys.emplace_back(static_cast<std::size_t>(length), '\0');
      keys.back()[static_cast<std::size_t>(i)] = 'x';
    }
    keys.emplace_back(static_cast<std::size_t>(length), '\0');
  }
  std::set<std::string> names;
  for (const auto& key : keys) names.emplace(bench.breakers.at(key).name());
  CHECK(names.size() == keys.size());
  CHECK(bench.breakers.snapshot().size == keys.size());
}

TEST_CASE("a long key is shown by its beginning and a digest, in 128 bytes", "[registry][S3]") {
  bench bench{10};
  const auto key = "https://inventory.example/" + long_key("1");
  const auto name = std::string{bench.breakers.at(key).name()};
  CHECK(name.size() == 128);
  CHECK(name.substr(0, 93) == key.substr(0, 93));
  CHECK(name.substr(93, 3) == "...");
  CHECK(name.find_first_not_of("0123456789abcdef", 96) == std::string::npos);

  SECTION("a character of UTF-8 is not split") {
    for (std::size_t before = 88; before < 94; ++before) {
      CAPTURE(before);
      const auto with_cloud = std::string(before, 'k') + "\xf0\x9f\x8c\xa9" + key;  // 4 bytes
      const std::string cut{bench.breakers.at(with_cloud).name()};
      const auto kept = before < 90 || before == 93 ? 93 : before;
      CHECK(cut.size() == 128);
      CHECK(cut.substr(0, 96) == with_cloud.substr(0, kept) + std::string(96 - kept, '.'));
    }
  }
}

TEST_CASE("the name of a long key is no way to its breaker", "[registry][S3]") {
  bench bench{10};
  const auto victim = bench.breakers.at(long_key("victim"));
  const std::string name{victim.name()};
  CHECK_FALSE(bench.breakers.find(name));
  CHECK_FALSE(bench.breakers.at(name) == victim);
  CHECK(trip(bench.breakers.at(name)) == 2);
  CHECK(victim.observed_state() == circuit_state::closed);
}

TEST_CASE("registries digest long keys differently, so that nobody can aim at one", "[registry][S3]") {
  bench one{10};
  bench other{10};
  CHECK_FALSE(one.breakers.at(long_key("a")).name() == other.breakers.at(long_key("a")).name());
  CHECK(one.breakers.at(long_key("a")).name() == one.breakers.at(long_key("a")).name());
}

TEST_CASE("the rule for a prefix holds for long keys too", "[registry][S3]") {
  const tested_registry::options_type rules{
      .detector = {1},
      .prefixes = {{.match = std::string(90, 'k'), .detector = {3}}, {.match = "kk", .detector = {2}}}};
  tested_registry breakers{rules, manual_clock{}};
  CHECK(trip(breakers.at(long_key("a"))) == 3);
  CHECK(trip(breakers.at("kk" + std::string(300, 'x'))) == 2);
  CHECK(trip(breakers.at(std::string(300, 'x'))) == 1);
}
