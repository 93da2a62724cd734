#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"
#include "bindings/options.h"
#include "regression/cuda/lasso.h"
#include "regression/cuda/ridge.h"

namespace likewise::bindings {
namespace {

void ridge_scores(const Items& a, const Items& b, const DeviceArray& scores,
                  const DeviceArray& counts, const DeviceArray& choices,
                  const RidgeOptions& options, Run& run) {
  const CallContext context(run);
  cuda::ridge_scores(context, matrices<double>(a, context), matrices<double>(b, context), b.empty(),
                     options, scores.filled<double>(), counts.filled<int64_t>(),
                     choices.filled<int64_t>());
}

void ridge_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                 const DeviceArray& counts, const DeviceArray& choices,
                 const DeviceArray& correlation, const DeviceArray& alpha,
                 const DeviceArray& mean_correlation, const DeviceArray& determination,
                 const RidgeOptions& options, Run& run) {
  const CallContext context(run);
  cuda::ridge_pairs(context, matrix<double>(x, context), matrix<double>(y, context), scores.size(),
                    options,
                    {scores.filled<double>(), correlation.filled<double>(), alpha.filled<double>(),
                     mean_correlation.filled<double>(), determination.filled<double>(),
                     counts.filled<int64_t>(), choices.filled<int64_t>()});
}

void ridge_errors(const DeviceArray& x, const DeviceArray& y, const DeviceArray& errors,
                  const DeviceArray& alphas, const DeviceArray& counts, const RidgeOptions& options,
                  Run& run) {
  const CallContext context(run);
  cuda::ridge_errors(context, matrix<double>(x, context), matrix<double>(y, context), counts.size(),
                     options, errors.filled<double>(), alphas.filled<double>(),
                     counts.filled<int64_t>());
}

void lasso_paths(const DeviceArray& x, const DeviceArray& y, const DeviceArray& score,
                 const DeviceArray& alphas, const DeviceArray& correlation, const DeviceArray& loss,
                 const DeviceArray& used, const DeviceArray& coefficients,
                 const DeviceArray& objective, const DeviceArray& gap, const DeviceArray& counts,
                 const DeviceArray& missed, const LassoPathsOptions& options, Run& run) {
  const CallContext context(run);
  cuda::lasso_paths(context, matrix<double>(x, context), matrix<double>(y, context),
                    counts.size() / 2, rows_of(x), options,
                    {score.filled<double>(), alphas.filled<double>(), correlation.filled<double>(),
                     loss.filled<double>(), used.filled<double>(), coefficients.filled<double>(),
                     objective.filled<double>(), gap.filled<double>(), counts.filled<int64_t>(),
                     missed.filled<int64_t>()});
}

}  // namespace

void register_regression(py::module_& m) {
  m.def("lasso_paths", &lasso_paths);
  m.def("ridge_scores", &ridge_scores);
  m.def("ridge_pairs", &ridge_pairs);
  m.def("ridge_errors", &ridge_errors);
}

}  // namespace likewise::bindings
