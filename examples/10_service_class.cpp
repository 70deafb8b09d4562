// SPDX-License-Identifier: BSL-1.0
//
// Members of a class.
//
// A service keeps its dependencies and their supervisor as members, in this order: the dependencies outlive
// the supervisor. The clock is an `any_clock`, so that a test can move the time without making the class a
// template.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

enum class level { normal, degraded };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "degraded";
}
enum class upstream { database, payments };
enum class feature { browse, checkout };

constexpr auto features = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::browse, .last = level::degraded, .needs = brownout::needs(upstream::database)},
    {.feature = feature::checkout,
     .last = level::normal,
     .needs = brownout::needs(upstream::database, upstream::payments)},
});

class shop {
 public:
  explicit shop(brownout::any_clock clock = {}) : clock_{clock} {}

  std::string browse() {
    return answer(feature::browse, [&] { return database_.call([&] { return query("SELECT ..."); }); });
  }
  std::string pay(std::string_view merchant) {
    return answer(feature::checkout,
                  [&] { return merchants_.at(merchant).call([&] { return charge(merchant); }); });
  }

  /// Decides what is due. A service has `brownout::supervision<decltype(health_)> threads_{health_};` as its
  /// last member instead, which does this on threads of its own.
  void step() {
    for (const auto& order : health_.step(clock_.now()).probes) {
      health_.report(order, health_.probe_of(order.dependency)({order.deadline, {}}), clock_.now());
    }
  }

  // Played: what is up.
  bool database = true, games = true, books = true;

 private:
  std::string answer(feature wanted, const auto& request) {
    if (!health_.features().available(wanted)) {
      const auto wait = std::chrono::ceil<std::chrono::seconds>(health_.retry_after(wanted, clock_.now()));
      return "503, Retry-After: " + std::to_string(wait.count());
    }
    try {
      return request();
    } catch (const std::exception& error) {  // failed, or rejected by the circuit
      return std::string{"502, "} + error.what();
    }
  }

  std::string query(std::string_view /*statement*/) const {
    if (!database) throw std::runtime_error{"connection refused"};
    return "200, 42 rows";
  }
  std::string charge(std::string_view merchant) const {
    if (!(merchant == "games" ? games : books)) throw std::runtime_error{"connection refused"};
    return "200, paid";
  }
  brownout::probe_result ping() const {
    if (database) return {brownout::outcome::success, ""};
    return {brownout::outcome::failure, "connection refused"};
  }

  brownout::any_clock clock_;
  brownout::dependency<brownout::consecutive_failures, brownout::any_clock> database_{
      {3},
      {.name = "database",
       .weight = 0.6,
       .breaker = {.open_for = 10s},
       .probe = [this](const auto& /*context*/) { return ping(); }},
      clock_};
  // One circuit for each merchant. To the features they are one dependency. Their open period has a fixed
  // length, because a checkout that is off makes no calls that could end it earlier.
  brownout::registry<brownout::consecutive_failures, brownout::any_clock> merchants_{
      {.detector = {2}, .breaker = {.open_for = 10s}}, clock_};
  brownout::registry_dependency<brownout::consecutive_failures, brownout::any_clock> payments_{
      merchants_, {.name = "payments", .weight = 0.4}};
  brownout::supervisor_for<features, brownout::any_clock> health_{
      features,
      {.levels = {.ladder = {{level::normal, 70}, {level::degraded, 0}}}, .seed = 1},
      {{upstream::database, database_}, {upstream::payments, payments_}},
      clock_};
};

int main() {
  brownout::manual_clock clock;  // a program of yours leaves it out
  shop service{clock};
  const auto let_pass = [&](std::chrono::seconds time) {
    for (auto left = time; left > 0s; left -= 1s) {
      service.step();
      clock.advance(1s);
    }
  };
  const auto show = [&] {
    std::cout << "  browse: " << service.browse() << '\n';
    for (const auto* merchant : {"games", "books"}) {
      std::cout << "  " << merchant << ": " << service.pay(merchant) << '\n';
    }
  };

  let_pass(2s);
  show();

  std::cout << "One merchant is down. Its circuit opens, and the others go on:\n";
  service.games = false;
  for (int i = 0; i < 3; ++i) show();

  std::cout << "All merchants are down, and a few seconds later there is no checkout:\n";
  service.books = false;
  for (int i = 0; i < 2; ++i) show();
  let_pass(5s);
  show();

  std::cout << "They are back:\n";
  service.games = service.books = true;
  let_pass(15s);
  show();
}

// Output:
//   browse: 200, 42 rows
//   games: 200, paid
//   books: 200, paid
// One merchant is down. Its circuit opens, and the others go on:
//   browse: 200, 42 rows
//   games: 502, connection refused
//   books: 200, paid
//   browse: 200, 42 rows
//   games: 502, connection refused
//   books: 200, paid
//   browse: 200, 42 rows
//   games: 502, brownout: call to games rejected: circuit open, retry in 10s
//   books: 200, paid
// All merchants are down, and a few seconds later there is no checkout:
//   browse: 200, 42 rows
//   games: 502, brownout: call to games rejected: circuit open, retry in 10s
//   books: 502, connection refused
//   browse: 200, 42 rows
//   games: 502, brownout: call to games rejected: circuit open, retry in 10s
//   books: 502, connection refused
//   browse: 200, 42 rows
//   games: 503, Retry-After: 47
//   books: 503, Retry-After: 53
// They are back:
//   browse: 200, 42 rows
//   games: 200, paid
//   books: 200, paid
