#pragma once

#include <cstdint>

// When coordinate descent for the lasso stops and what it looks at, on CPUs and on devices.

namespace likewise {

constexpr double kFirstChange = 1e-3;  // of a weight, relative: below, a round of sweeps ends
constexpr double kLastChange = 1e-15;
constexpr int64_t kMostSweeps = 10000;  // per penalty
constexpr double kSlack = 1e-9;         // of a penalty, that a unit outside the set may exceed it
constexpr int64_t kFirstUnits = 10;     // that may enter an empty or small set at once

}  // namespace likewise
