#include "core/simd.h"
#include "regression/cpu/lasso_kernels.h"

namespace likewise::LIKEWISE_ISA {
namespace {

using S = Simd<double>;

void subtract(int64_t count, double factor, const double* x, double* y) {
  int64_t j = 0;
  for (; j + S::lanes <= count; j += S::lanes) {
    S::store(y + j, S::load(y + j) - S::load(x + j) * factor);
  }
  for (; j < count; ++j) y[j] -= x[j] * factor;
}

LassoSweep sweep(int64_t count, const double* gram, int64_t ld, const double* inverse_diagonal,
                 double penalty, double* weights, double* residual) {
  LassoSweep out = {0, 0};
  for (int64_t i = 0; i < count; ++i) {
    const double* row = gram + i * ld;
    const double old = weights[i];
    const double target = residual[i] + row[i] * old;
    const double shrunk = target > penalty    ? target - penalty
                          : target < -penalty ? target + penalty
                                              : 0;
    const double now = shrunk * inverse_diagonal[i];
    if (now != old) {
      const double change = now - old;
      weights[i] = now;
      subtract(count, change, row, residual);
      const double size = __builtin_fabs(change);
      out.largest_change = size > out.largest_change ? size : out.largest_change;
    }
    const double size = __builtin_fabs(now);
    out.largest_weight = size > out.largest_weight ? size : out.largest_weight;
  }
  return out;
}

// Four rows at a time: the residual is read and written once for all of them.
void update(int64_t units, const double* gram, int64_t ld, int64_t count, const int32_t* index,
            const double* change, double* residual) {
  int64_t k = 0;
  for (; k + 4 <= count; k += 4) {
    const double* row[4];
    for (int64_t r = 0; r < 4; ++r) row[r] = gram + index[k + r] * ld;
    const double* c = change + k;
    int64_t j = 0;
    for (; j + S::lanes <= units; j += S::lanes) {
      S::store(residual + j, S::load(residual + j) - S::load(row[0] + j) * c[0] -
                                 S::load(row[1] + j) * c[1] - S::load(row[2] + j) * c[2] -
                                 S::load(row[3] + j) * c[3]);
    }
    for (; j < units; ++j) {
      residual[j] -= row[0][j] * c[0] + row[1][j] * c[1] + row[2][j] * c[2] + row[3][j] * c[3];
    }
  }
  for (; k < count; ++k) subtract(units, change[k], gram + index[k] * ld, residual);
}

}  // namespace

const LassoKernels lasso_kernels = {&sweep, &update};

}  // namespace likewise::LIKEWISE_ISA
