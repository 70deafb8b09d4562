// SPDX-License-Identifier: BSL-1.0
// A fallback gives what the call returns.
// must say: the fallback must give what the call returns
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/pipeline.hpp"

#include <string>

std::string load() {
#ifdef MISTAKE
  const brownout::pipeline guarded{brownout::fallback{0}};
#else
  const brownout::pipeline guarded{brownout::fallback{"none"}};
#endif
  return guarded.call([] { return std::string{"page"}; });
}
