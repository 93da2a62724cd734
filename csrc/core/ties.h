#pragma once

namespace likewise {

// How far two numbers computed of data of this type may be apart and tie, as a share of their size
// (of 1, for correlations): what rounding leaves uncertain.
template <class T>
constexpr double kTieTolerance = sizeof(T) == 4 ? 1e-6 : 1e-12;

}  // namespace likewise
