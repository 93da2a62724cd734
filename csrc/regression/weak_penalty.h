#pragma once

namespace likewise {

// A direction without variance in the training set has moments of rounding's size, 2^-52 of the
// whole: a penalty of this share of the largest eigenvalue keeps its coefficients below 2^-18.
constexpr double kWeakPenalty = 0x1p-34;

}  // namespace likewise
