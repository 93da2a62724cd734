#include "regression/cuda/choice.h"

#include "linalg/cuda/gemm.h"

namespace likewise::cuda {

Candidates weigh_penalties(const Context& context, const Candidates& candidates) {
  Candidates out = candidates;
  const int64_t rows = candidates.models * (candidates.alphas + 1);
  out.weights = context.temporary<double>(size_t(rows * candidates.size));
  out.freedom = context.temporary<double>(size_t(rows));
  out.largest = context.temporary<double>(size_t(candidates.models));
  fill_weights(out, context.stream);
  return out;
}

void choose_penalties(const Context& context, const Fit& fit, const Choice& choice) {
  const Candidates& c = fit.sources;
  const int64_t rows = c.alphas + 1, size = c.size * fit.targets, out = rows * fit.targets;
  double* const squares = context.temporary<double>(size_t(fit.batches() * size));
  double* const residuals = context.temporary<double>(size_t(fit.batches() * out));
  square_moments(fit, squares, context.stream);
  // Matrices of one model are multiplied in one call, or one of each.
  const bool shared = c.models == 1;
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::none, rows, fit.targets, c.size,
               1.0, {c.weights, c.size, shared ? 0 : rows * c.size}, {squares, fit.targets, size},
               {residuals, fit.targets, out}, fit.batches());
  pick_penalties(fit, residuals, choice, context.stream);
}

}  // namespace likewise::cuda
