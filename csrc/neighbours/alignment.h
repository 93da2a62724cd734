#pragma once

namespace likewise {

// Of the terms of an alignment (Song et al. 2012, equation 5): what they leave below this share of
// them is rounding, on CPUs and on devices.
constexpr double kAlignmentRounding = 0x1p-46;

}  // namespace likewise
