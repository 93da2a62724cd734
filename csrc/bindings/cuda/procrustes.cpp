#include "procrustes/cuda/procrustes.h"

#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "bindings/cuda/arrays.h"
#include "bindings/cuda/moments.h"
#include "bindings/shape_options.h"
#include "procrustes/cuda/gradient.h"
#include "procrustes/cuda/moments.h"

namespace likewise::bindings {
namespace {

cuda::ShapeFindings findings(const DeviceArray& scores, const DeviceArray& constant_units,
                             const DeviceArray& dropped, const DeviceArray& close) {
  return {scores.filled<double>(), constant_units.filled<int64_t>(), dropped.filled<int64_t>(),
          close.filled<int64_t>()};
}

void procrustes_scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                       bool symmetric, const DeviceArray& scores, const DeviceArray& constant_units,
                       const DeviceArray& dropped, const DeviceArray& close, bool center,
                       bool scale, double alpha, const std::string& score, Run& run) {
  if (a.empty()) return;
  const CallContext context(run);
  const ProcrustesOptions options = shape_options(center, scale, alpha, score);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::procrustes_scores<T>(context, matrices<T>(a, context), matrices<T>(b, context),
                               a[0].sizes()[0], symmetric, options,
                               findings(scores, constant_units, dropped, close));
  });
}

void procrustes_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                      const DeviceArray& constant_units, const DeviceArray& dropped,
                      const DeviceArray& close, bool center, bool scale, double alpha,
                      const std::string& score, Run& run) {
  const CallContext context(run);
  const ProcrustesOptions options = shape_options(center, scale, alpha, score);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::procrustes_pairs<T>(context, {contiguous<T>(x, context), x.sizes().back()},
                              {contiguous<T>(y, context), y.sizes().back()}, scores.size(),
                              x.sizes()[x.sizes().size() - 2], options,
                              findings(scores, constant_units, dropped, close));
  });
}

// Fills grad_x and grad_y (shapes of x and y), or those that are wanted.
void procrustes_gradients(const DeviceArray& x, const DeviceArray& y,
                          const std::optional<DeviceArray>& grad_x,
                          const std::optional<DeviceArray>& grad_y, bool center, bool scale,
                          double alpha, const std::string& score, Run& run) {
  const CallContext context(run);
  const std::vector<int64_t>& shape = x.sizes();
  const int64_t rows = shape[shape.size() - 2], cols = shape.back();
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::procrustes_gradients<T>(
        context, {contiguous<T>(x, context), cols}, {contiguous<T>(y, context), y.sizes().back()},
        x.size() / (rows * cols), rows, shape_options(center, scale, alpha, score),
        grad_x ? grad_x->filled<T>() : nullptr, grad_y ? grad_y->filled<T>() : nullptr);
  });
}

void procrustes_scores_of_moments(const GivenSums& sums, const DeviceArray& scores,
                                  const DeviceArray& constant_units, const DeviceArray& samples,
                                  const DeviceArray& dropped, bool center, bool scale, double alpha,
                                  const std::string& score, Run& run) {
  const CallContext context(run);
  cuda::procrustes_scores_of_moments(
      context, sums_of(sums), shape_options(center, scale, alpha, score), scores.filled<double>(),
      sums_findings(constant_units, samples), dropped.filled<int64_t>());
}

}  // namespace

void register_procrustes(py::module_& m) {
  m.def("procrustes_scores", &procrustes_scores);
  m.def("procrustes_pairs", &procrustes_pairs);
  m.def("procrustes_gradients", &procrustes_gradients);
  m.def("procrustes_scores_of_moments", &procrustes_scores_of_moments);
}

}  // namespace likewise::bindings
