#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"
#include "regression/cuda/lasso.h"
#include "regression/cuda/ridge.h"

namespace likewise::bindings {
namespace {

// Order of the rows by folds, number of folds, penalties, whether these are relative, intercept.
using RidgeTuple = std::tuple<std::vector<int32_t>, int64_t, std::vector<double>, bool, bool>;

cuda::RidgeOptions options_of(const RidgeTuple& options) {
  const auto& [order, folds, alphas, relative, intercept] = options;
  return {order, folds, alphas, relative, intercept};
}

cuda::Matrix<double> side(const DeviceArray& array, const cuda::Context& context) {
  return {contiguous<double>(array, context), array.sizes().back()};
}

void pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& score,
           const DeviceArray& correlation, const DeviceArray& alpha,
           const DeviceArray& mean_correlation, const DeviceArray& determination,
           const DeviceArray& constant_units, const DeviceArray& choices, const RidgeTuple& options,
           Run& run) {
  const CallContext context(run);
  cuda::ridge_pairs(context, side(x, context), side(y, context), score.size(), options_of(options),
                    {score.filled<double>(), correlation.filled<double>(), alpha.filled<double>(),
                     mean_correlation.filled<double>(), determination.filled<double>(),
                     constant_units.filled<int64_t>(), choices.filled<int64_t>()});
}

void scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b, bool symmetric,
            const DeviceArray& out, const DeviceArray& constant_units, const DeviceArray& choices,
            const RidgeTuple& options, Run& run) {
  const CallContext context(run);
  cuda::ridge_scores(context, matrices<double>(a, context), matrices<double>(b, context), symmetric,
                     options_of(options), out.filled<double>(), constant_units.filled<int64_t>(),
                     choices.filled<int64_t>());
}

void errors(const DeviceArray& x, const DeviceArray& y, const DeviceArray& out,
            const DeviceArray& alphas, const DeviceArray& constant_units, const RidgeTuple& options,
            Run& run) {
  const CallContext context(run);
  cuda::ridge_errors(context, side(x, context), side(y, context), constant_units.size(),
                     options_of(options), out.filled<double>(), alphas.filled<double>(),
                     constant_units.filled<int64_t>());
}

// Order of the rows by folds, number of folds, penalties, tolerance.
using LassoTuple = std::tuple<std::vector<int32_t>, int64_t, std::vector<double>, double>;

void lasso(const DeviceArray& x, const DeviceArray& y, const DeviceArray& score,
           const DeviceArray& alphas, const DeviceArray& correlation, const DeviceArray& loss,
           const DeviceArray& used, const DeviceArray& coefficients, const DeviceArray& objective,
           const DeviceArray& gap, const DeviceArray& constant_units, const DeviceArray& missed,
           const LassoTuple& options, Run& run) {
  const CallContext context(run);
  const auto& [order, folds, penalties, tolerance] = options;
  cuda::lasso_paths(context, side(x, context), side(y, context), constant_units.size() / 2,
                    x.sizes()[x.ndim() - 2], {order, folds, penalties, tolerance},
                    {score.filled<double>(), alphas.filled<double>(), correlation.filled<double>(),
                     loss.filled<double>(), used.filled<double>(), coefficients.filled<double>(),
                     objective.filled<double>(), gap.filled<double>(),
                     constant_units.filled<int64_t>(), missed.filled<int64_t>()});
}

}  // namespace

void register_regression(py::module_& m) {
  m.def("lasso_paths", &lasso);
  m.def("ridge_pairs", &pairs);
  m.def("ridge_scores", &scores);
  m.def("ridge_errors", &errors);
}

}  // namespace likewise::bindings
