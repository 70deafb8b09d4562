// SPDX-License-Identifier: BSL-1.0
#include "config/near_name.hpp"

#include "config/text.hpp"
#include "config/variables.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace staging {
namespace {

using words = std::vector<std::string>;
using pair = std::pair<std::string_view, std::string_view>;

/// Other words for those that our names are made of.
constexpr std::array<pair, 6> synonyms{{{"DB", "DATABASE"},
                                        {"PASS", "PASSWORD"},
                                        {"PASSWD", "PASSWORD"},
                                        {"PWD", "PASSWORD"},
                                        {"HOSTNAME", "HOST"},
                                        {"URI", "URL"}}};

/// Words at the end that do not change what is named.
constexpr std::array<std::string_view, 7> endings{"MS",           "S",   "SEC", "SECS", "SECONDS",
                                                  "MILLISECONDS", "NAME"};
constexpr std::string_view file_ending = "_FILE";

constexpr std::array<std::string_view, 8> own_prefixes{
    "DEGRADATION_", "HEALTH_LATENCY_", "SERVICE_WEIGHT", "OPENAI_CB_",
    "DB_CB_",       "REDIS_CB_",       "S3_CB_",         "DASHBOARD_RATELIMIT_"};

/// Names that other programs use for what this server calls otherwise, too far to be found by their letters.
constexpr std::array<pair, 1> other_names{{{"OPENAI_API_BASE", "OPENAI_BASE_URL"}}};

words words_of(std::string_view name) {
  words all;
  for (std::size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('_', begin), name.size());
    std::string word{name.substr(begin, end - begin)};
    for (auto& symbol : word) symbol = text::upper(symbol);
    const auto* const synonym = std::ranges::find(synonyms, word, &pair::first);
    all.emplace_back(synonym == synonyms.end() ? word : synonym->second);
    begin = end + 1;
  }
  if (all.size() > 2 && std::ranges::find(endings, all.back()) != endings.end()) all.pop_back();
  return all;
}

std::string joined(const words& all) {
  std::string text;
  for (const auto& word : all) text += word;
  return text;
}

/// How many letters must be added, dropped, replaced or swapped with the next one to turn one text into the
/// other.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> cost(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) {
    for (std::size_t j = 0; j <= to.size(); ++j) {
      auto& least = cost[i][j];
      if (i == 0 || j == 0) {
        least = i + j;
        continue;
      }
      const std::size_t replaced = from[i - 1] == to[j - 1] ? 0 : 1;
      least = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + replaced});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        least = std::min(least, cost[i - 2][j - 2] + 1);
    }
  }
  return cost[from.size()][to.size()];
}

bool lacks_one_word(const words& name, const words& own) {
  if (name.size() < 2 || name.size() + 1 != own.size() || name.front() != own.front()) return false;
  if (own.back() == "FILE") return false;  // DATABASE_FILE is no near miss of DATABASE_URL_FILE
  const auto differs = std::ranges::mismatch(name, own);
  return std::equal(differs.in1, name.end(), differs.in2 + 1);
}

bool is_near(words name, const words& own) {
  // The bucket's other variables begin with S3; those of the AWS tools are their own, as AWS_ENDPOINT_URL.
  if (name.front() == "S3" && own.front() == "AWS") name.front() = "AWS";
  const auto one = joined(name);
  const auto other = joined(own);
  if (one == other || lacks_one_word(name, own)) return true;
  constexpr std::size_t longest = 64;
  constexpr std::size_t short_prefix = 3;
  if (one.size() > longest || (own.front().size() <= short_prefix && name.front() != own.front()))
    return false;
  return distance(one, other) <= (std::min(one.size(), other.size()) < 12 ? 1 : 2);
}

std::vector<std::string> own_names() {
  std::vector<std::string> all;
  for (const auto& each : variables()) {
    all.emplace_back(each.name);
    if (each.secret) all.push_back(each.name_of_file());
  }
  return all;
}

}  // namespace

std::string meant_by(std::string_view name) {
  static const auto own = own_names();
  if (std::ranges::find(own, name) != own.end()) return {};
  const auto* const known = std::ranges::find(other_names, name, &pair::first);
  if (known != other_names.end()) return std::string{known->second};
  if (name.ends_with(file_ending)) {  // not of a secret
    const auto stem = name.substr(0, name.size() - file_ending.size());
    if (std::ranges::find(own, stem) != own.end()) return std::string{stem};
  }
  const auto spelt = words_of(name);
  const auto near =
      std::ranges::find_if(own, [&](std::string_view each) { return is_near(spelt, words_of(each)); });
  if (near != own.end()) return *near;
  if (std::ranges::none_of(own_prefixes, [&](auto prefix) { return name.starts_with(prefix); })) return {};
  return *std::ranges::min_element(own, {}, [&](std::string_view each) { return distance(name, each); });
}

}  // namespace staging
