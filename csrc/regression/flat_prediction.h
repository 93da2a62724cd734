#pragma once

namespace likewise {

// A prediction is constant in a fold if its squares about its mean there are at most this share of
// what they are sums of: the squares along each direction.
constexpr double kFlatPrediction = 8 * 0x1p-52;

}  // namespace likewise
