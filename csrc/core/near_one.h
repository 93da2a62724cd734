#pragma once

#include <algorithm>
#include <cmath>

namespace likewise {

// The power of two, up to 2^most, that brings numbers of up to `size` to [1, 2): squares then
// neither overflow nor vanish, and nothing is rounded. 1 where there is none.
inline double near_one(double size, int most = 1000) {
  if (!(size > 0) || !std::isfinite(size)) return 1;
  return std::ldexp(1.0, std::clamp(-std::ilogb(size), -most, most));
}

}  // namespace likewise
