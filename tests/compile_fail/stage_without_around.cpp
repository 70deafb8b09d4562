// SPDX-License-Identifier: BSL-1.0
// An argument of a pipeline is a breaker or a stage.
// must say: an argument of a pipeline is neither a breaker nor a stage
// must say: guard_stage
// must say: breaker_like
#include "brownout/guard/pipeline.hpp"

struct logged {
#ifndef MISTAKE
  template <class R, class Next>
  brownout::result<R> around(const brownout::call_context& context, const Next& next) const {
    return next(context);
  }
#endif
};

const brownout::pipeline guarded{logged{}};
