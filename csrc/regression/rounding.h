#pragma once

// What counts as rounding in ridge regression, on CPUs and on devices.

namespace likewise {

// A prediction is constant in a fold if its squares about its mean there are at most this share of
// what they are sums of: the squares along each direction.
constexpr double kFlatPrediction = 8 * 0x1p-52;

// A direction without variance in the training set has moments of rounding's size, 2^-52 of the
// whole: a penalty of this share of the largest eigenvalue keeps its coefficients below 2^-18.
constexpr double kWeakPenalty = 0x1p-34;

}  // namespace likewise
