#pragma once

#include <stdint.h>

#include "core/isa.h"

// Kernels for tall panels of 16 or 32 columns, compiled once per instruction set. Row-major, with
// the leading dimension a multiple of nothing in particular.

namespace likewise {

template <class T>
struct PanelFunctions {
  // Householder QR of a panel P (rows x width, rows >= width): (I - V T V')' P = R. P becomes V
  // (unit lower trapezoidal, with zeros above the diagonal); R and T are width x width, contiguous,
  // with zeros below the diagonal. What makes the reflections orthogonal is computed in double.
  void (*factor)(int64_t rows, int64_t width, T* p, int64_t ld, T* r, T* t);

  // OUT = X S, or OUT -= X S, with X and OUT rows x width and S width x width, contiguous.
  // OUT may be X.
  void (*multiply)(int64_t rows, int64_t width, const T* x, int64_t ldx, const T* s, T* out,
                   int64_t ldo, bool subtract);
};

LIKEWISE_KERNELS(PanelFunctions, panel_functions)

}  // namespace likewise
