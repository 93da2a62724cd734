#pragma once

// Where exp(-t) - 1, with t = |a - b|^2 / (2 sigma^2), is computed as something else.

namespace likewise {

constexpr double kFar = -0.99;  // below this, at the mean |a - b|^2: as exp(-t), digits of which 1
                                // would take
constexpr int kLinear = -50;    // t below 2^this: as -t, in units in which t is near 2^this

}  // namespace likewise
