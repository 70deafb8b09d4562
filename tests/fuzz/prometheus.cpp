// SPDX-License-Identifier: BSL-1.0

// A page for Prometheus: what goes into the writer comes out of a strict parser of the text format, version
// 0.0.4.

#include "target.hpp"
#include "utf8.hpp"

#include "brownout/observe/prometheus_text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace fuzz;
using brownout::metric_type;

using labels = std::map<std::string, std::string>;

struct sample {
  std::string name;
  labels with;
  std::string value;  // as it stands on the page, or as a number that reads as the same
};

struct family {
  std::string name;
  std::string help;
  std::string type;
  std::vector<sample> samples;
};

/// Reads a page. A page that is not exactly of the format fails.
class page_parser {
 public:
  explicit page_parser(const std::string& page) : rest_{page} {}

  std::vector<family> read() {
    std::vector<family> all;
    while (!rest_.empty()) all.push_back(read_family());
    return all;
  }

 private:
  void expect(std::string_view text) {
    require(rest_.starts_with(text), "the page has {}, expected {}", shown(rest_.substr(0, 40)), shown(text));
    rest_.remove_prefix(text.size());
  }
  std::string read_name(bool with_colons) {
    std::size_t size = 0;
    const auto fits = [&](char c) {
      const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
      return is_letter || (with_colons && c == ':') || (size > 0 && c >= '0' && c <= '9');
    };
    while (size < rest_.size() && fits(rest_[size])) ++size;
    require(size > 0, "no name in {}", shown(rest_.substr(0, 40)));
    std::string name{rest_.substr(0, size)};
    rest_.remove_prefix(size);
    return name;
  }
  /// Up to `end`, which is a quote or a line feed, and is taken too.
  std::string read_escaped(char end) {
    std::string text;
    for (;;) {
      require(!rest_.empty(), "a text has no end");
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == end) return text;
      require(c != '\n', "a line feed in a value of a label");
      if (c == '\\') {
        require(!rest_.empty(), "a backslash at the end of the page");
        c = rest_.front();
        rest_.remove_prefix(1);
        require(c == '\\' || c == 'n' || (c == '"' && end == '"'), "a backslash before {}", shown({&c, 1}));
        if (c == 'n') c = '\n';
      }
      text += c;
    }
  }
  family read_family() {
    family one;
    expect("# HELP ");
    one.name = read_name(true);
    require(names_.insert(one.name).second, "the family {} is there twice", one.name);
    expect(" ");
    one.help = read_escaped('\n');
    expect("# TYPE ");
    expect(one.name);
    expect(" ");
    one.type = read_name(false);
    expect("\n");
    while (!rest_.empty() && rest_.front() != '#') one.samples.push_back(read_sample());
    return one;
  }
  sample read_sample() {
    sample one{read_name(true), {}, {}};
    if (rest_.starts_with('{')) {
      do {
        rest_.remove_prefix(1);  // the brace or the comma
        const auto name = read_name(false);
        expect("=\"");
        require(one.with.emplace(name, read_escaped('"')).second, "the label {} is there twice", name);
      } while (rest_.starts_with(','));
      expect("}");
    }
    expect(" ");
    const auto end = rest_.find('\n');
    require(end != std::string_view::npos, "the last line has no end");
    one.value = rest_.substr(0, end);
    require(!one.value.empty() && one.value.find(' ') == std::string::npos, "a value {}", shown(one.value));
    rest_.remove_prefix(end + 1);
    return one;
  }

  std::string_view rest_;
  std::set<std::string> names_;
};

/// The types of the format, as metric_type numbers them.
constexpr std::array<std::string_view, 5> types{"counter", "gauge", "histogram", "summary", "untyped"};

/// Whether a value on the page reads as this number.
bool reads_as(const std::string& text, double number) {
  if (text == "NaN") return std::isnan(number);
  if (text == "+Inf" || text == "-Inf")
    return number == std::copysign(HUGE_VAL, text.front() == '+' ? 1 : -1);
  const bool is_decimal = text.find_first_not_of("0123456789+-.e") == std::string::npos;
  char* end = nullptr;
  const double read = std::strtod(text.c_str(), &end);
  return is_decimal && *end == '\0' &&
         std::bit_cast<std::uint64_t>(read) == std::bit_cast<std::uint64_t>(number);
}

/// What the page must hold. Sums are numbers, everything else is a text.
struct expected_sample {
  std::string name;
  labels with;
  std::string text;
  std::optional<double> number{};
};
struct expected_family {
  std::string name;
  std::string help;
  metric_type type = metric_type::gauge;
  std::vector<expected_sample> samples{};
};

class page_pair {
 public:
  explicit page_pair(choices& from) : from_{from}, constant_{any_labels(2, {})}, page_{as_list(constant_)} {}

  void run() {
    for (int step = 0; step < 40 && from_.left(); ++step) {
      if (families_.empty() || from_.one_in(3)) {
        begin_family();
      } else {
        add_sample();
      }
    }
    compare();
  }

 private:
  /// Names from few letters, so that some are the same.
  std::string any_name(bool with_colons) {
    static constexpr std::string_view first = "ab_Z:";
    static constexpr std::string_view later = "ab_Z019:";
    const auto letter = [&](std::string_view of) {
      return of[from_.below(static_cast<std::uint32_t>(of.size()) - (with_colons ? 0 : 1))];
    };
    std::string name{letter(first)};
    for (auto more = from_.below(3); more > 0; --more) name += letter(later);
    return name;
  }
  labels any_labels(std::uint32_t most, const labels& beside) {
    labels made;
    for (auto count = from_.below(most + 1); count > 0; --count) {
      const auto name = any_name(false);
      if (!beside.contains(name)) made.emplace(name, any_text());
    }
    return made;
  }
  static std::vector<brownout::metric_label> as_list(const labels& all) {
    std::vector<brownout::metric_label> list;
    for (const auto& [name, value] : all) list.push_back({name, value});
    return list;
  }
  /// Any bytes, some of them on either side of what UTF-8 allows.
  std::string any_text() {
    static constexpr std::array<std::string_view, 12> pieces{
        "\xed\x9f\xbf", "\xed\xa0\x80",     "\xee\x80\x80",     "\xe0\x9f\xbf",
        "\xe0\xa0\x80", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf0\x8f\xbf\xbf",
        "\xc2\x9f",     "\xc2\xa0",         "\xc1\xbf",         "\\\"\n\r\x7f"};
    auto text = from_.text(24);
    if (from_.one_in(3)) text += from_.one_of(pieces);
    return text;
  }
  double any_number() {
    if (from_.one_in(2)) return from_.between(-4, 4) / 4.0;
    return std::bit_cast<double>(from_.any<std::uint64_t>());
  }

  void begin_family() {
    const auto name = any_name(true);
    const auto help = any_text();
    const auto found =
        std::find_if(families_.begin(), families_.end(), [&](auto& one) { return one.name == name; });
    const auto type = static_cast<metric_type>(from_.below(5));
    current_ = static_cast<std::size_t>(found - families_.begin());
    if (found == families_.end()) families_.push_back({name, replaced(help), type});
    from_.note("family {}, {}, help {}", name, to_string(families_[current_].type), shown(help));
    page_.family(name, families_[current_].type, help);
  }

  void add_sample() {
    const auto own = any_labels(3, constant_);
    auto all = constant_;
    all.insert(own.begin(), own.end());
    for (auto& [name, value] : all) value = replaced(value);
    for (const auto& [name, value] : own) from_.note("  label {}={}", name, shown(value));
    const auto with = as_list(own);
    auto& into = families_[current_];
    const auto expect = [&](const char* suffix, std::string text, std::optional<double> number = {}) {
      into.samples.push_back({into.name + suffix, all, std::move(text), number});
    };
    if (into.type == metric_type::histogram) return add_histogram(with, all);
    if (into.type == metric_type::summary) {
      const auto sum = any_number();
      const auto count = from_.any<std::uint64_t>();
      from_.note("summary, sum {}, count {}", sum, count);
      page_.summary(with, sum, count);
      expect("_sum", {}, sum);
      return expect("_count", std::to_string(count));
    }
    switch (from_.below(4)) {
      case 0: {
        const auto value = from_.any<std::int64_t>();
        page_.sample(with, value);
        return expect("", std::to_string(value));
      }
      case 1: {
        const auto value = from_.any<std::uint64_t>();
        page_.sample(with, value);
        return expect("", std::to_string(value));
      }
      case 2: {
        const bool value = from_.one_in(2);
        page_.sample(with, value);
        return expect("", value ? "1" : "0");
      }
      default: {
        const auto value = any_number();
        from_.note("sample {}", value);
        page_.sample(with, value);
        return expect("", {}, value);
      }
    }
  }

  void add_histogram(const std::vector<brownout::metric_label>& with, const labels& all) {
    auto& into = families_[current_];
    std::vector<double> bounds;
    for (auto count = from_.below(4); count > 0; --count) {
      const auto bound = any_number();
      if (std::isfinite(bound) && (bounds.empty() || bound > bounds.back())) bounds.push_back(bound);
    }
    brownout::histogram seen{bounds};
    std::vector<double> observed;
    double sum = 0;
    for (auto count = from_.below(6); count > 0; --count) {
      const auto value = any_number();
      seen.observe(value);
      if (!std::isfinite(value)) continue;
      observed.push_back(value);
      sum += value;
    }
    from_.note("histogram of {} bounds and {} values", bounds.size(), observed.size());
    const bool is_filled_in = !from_.one_in(8);
    page_.sample(with, is_filled_in ? seen.read() : brownout::histogram::snapshot{});
    if (!is_filled_in) {
      bounds.clear();
      observed.clear();
      sum = 0;
    }
    bounds.push_back(HUGE_VAL);
    for (const auto bound : bounds) {
      auto bucket = all;
      bucket["le"] = {};  // compared as a number
      const auto below =
          std::count_if(observed.begin(), observed.end(), [&](double one) { return one <= bound; });
      into.samples.push_back({into.name + "_bucket", bucket, std::to_string(below), bound});
    }
    into.samples.push_back({into.name + "_sum", all, {}, sum});
    into.samples.push_back({into.name + "_count", all, std::to_string(observed.size())});
  }

  void compare() const {
    const auto page = page_.text();
    from_.note("the page:\n{}", page);
    const auto seen = page_parser{page}.read();
    std::vector<expected_family> expected;
    for (const auto& one : families_) {
      if (!one.samples.empty()) expected.push_back(one);
    }
    require_same(seen.size(), expected.size(), "the number of families");
    for (std::size_t i = 0; i < seen.size(); ++i) {
      require_same(seen[i].name, expected[i].name, "the name of a family");
      require(seen[i].help == expected[i].help, "the help of a family is {}, expected {}",
              shown(seen[i].help), shown(expected[i].help));
      require_same(seen[i].type, types.at(static_cast<std::size_t>(expected[i].type)),
                   "the type of a family");
      require_same(seen[i].samples.size(), expected[i].samples.size(), "the number of samples");
      for (std::size_t j = 0; j < seen[i].samples.size(); ++j)
        compare(seen[i].samples[j], expected[i].samples[j]);
    }
  }
  static void compare(sample seen, const expected_sample& expected) {
    require_same(seen.name, expected.name, "the name of a sample");
    if (expected.text.empty()) {
      require(reads_as(seen.value, *expected.number), "a value of {}: {}, expected {}", seen.name, seen.value,
              *expected.number);
    } else {
      require_same(seen.value, expected.text, "the value of a sample");
      if (expected.number) {
        const auto bound = std::exchange(seen.with["le"], {});
        require(reads_as(bound, *expected.number), "a bound of {}: {}, expected {}", seen.name, bound,
                *expected.number);
      }
    }
    require_same(seen.with.size(), expected.with.size(), "the number of labels");
    for (const auto& [name, value] : expected.with) {
      require(seen.with.contains(name), "no label {}", name);
      require(seen.with.at(name) == value, "the label {} is {}, expected {}", name, shown(seen.with.at(name)),
              shown(value));
    }
  }

  choices& from_;
  labels constant_;
  brownout::prometheus_text page_;
  std::vector<expected_family> families_;
  std::size_t current_ = 0;
};

}  // namespace

void fuzz::one_input(choices& from) {
  page_pair{from}.run();
}
