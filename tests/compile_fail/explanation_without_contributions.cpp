// SPDX-License-Identifier: BSL-1.0
// A change of the level is explained from what a supervisor notes: a controller's alone has no signals.
// must say: explainable_transition
// must say: constraint
#include "brownout/observe/explanation.hpp"
#include "brownout/system/snapshot.hpp"

#include <cstddef>
#include <string>
#include <string_view>

enum class level { normal, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "emergency";
}

#ifdef MISTAKE
using change = brownout::level_transition<level>;
#else
using change = brownout::explained_transition<level>;
#endif

std::string line(const change& seen) {
  return brownout::explain(seen, [](std::size_t) { return "a dependency"; });
}
