#pragma once

namespace likewise {

// The gap g = 1 - s of unit-norm items decides their angle t = 2 asin(sqrt(g / 2)), about sqrt(2
// g): an error e of s, the sum of the singular values of X'Y, is one of e / t of t. Promised is a
// relative error of 1e-6 or an absolute one of 1e-9 (float32: 1e-3 or 3e-5), whichever is larger,
// so e may be max(1e-6 t^2, 1e-9 t) (float32: max(1e-3 t^2, 3e-5 t)). Products and reflections
// leave noise of some units of rounding u in X'Y, which up to d directions without signal add up to
// c sqrt(d) u. Seen for d up to 1000, all kinds of spectra and all instruction sets: e up to
// 2.3e-15 in double, 7.6e-7 in float.

// In double e may be 4.5e-14 here. Below, s runs out of digits, and gaps come from the rotation Q,
// as |X Q - Y|^2 / 2: errors of Q enter squared.
constexpr double kFromRotationBelow = 1e-9;

// In float e may be 8e-7 here. Pairs below are computed again in double, whose s serves all of
// them: 1e-15 of s is 5e-8 of an angle at worst, at congruence.
constexpr double kAgainInDoubleBelow = 4e-4;

}  // namespace likewise
