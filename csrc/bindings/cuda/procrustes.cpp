#include "procrustes/cuda/procrustes.h"

#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "bindings/cuda/arrays.h"
#include "bindings/options.h"
#include "procrustes/cuda/gradient.h"

namespace likewise::bindings {
namespace {

cuda::ShapeFindings findings(const DeviceArray& scores, const DeviceArray& counts) {
  const Counts given(counts);
  return {scores.filled<double>(), given.row(0), given.row(1), given.row(2)};
}

void procrustes_scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                       const DeviceArray& scores, const DeviceArray& counts,
                       const ProcrustesOptions& options, Run& run) {
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::procrustes_scores<T>(context, matrices<T>(a, context), matrices<T>(b, context),
                               a[0].sizes()[0], b.empty(), options, findings(scores, counts));
  });
}

void procrustes_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                      const DeviceArray& counts, const ProcrustesOptions& options, Run& run) {
  if (scores.size() == 0) return;
  const CallContext context(run);
  const auto compare = [&](auto zero) {
    using T = decltype(zero);
    cuda::procrustes_pairs<T>(context, {contiguous<T>(x, context), x.sizes().back()},
                              {contiguous<T>(y, context), y.sizes().back()}, scores.size(),
                              x.sizes()[x.sizes().size() - 2], options, findings(scores, counts));
  };
  options.alpha < 1 ? compare(double{}) : dispatch_float(x, compare);
}

void procrustes_gradients(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                          const DeviceArray& counts, const std::optional<DeviceArray>& grad_x,
                          const std::optional<DeviceArray>& grad_y,
                          const ProcrustesOptions& options, Run& run) {
  procrustes_pairs(x, y, scores, counts, options, run);
  const CallContext context(run);
  const std::vector<int64_t>& shape = x.sizes();
  const int64_t rows = shape[shape.size() - 2], cols = shape.back();
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::procrustes_gradients<T>(context, {contiguous<T>(x, context), cols},
                                  {contiguous<T>(y, context), y.sizes().back()}, scores.size(),
                                  rows, options, grad_x ? grad_x->filled<T>() : nullptr,
                                  grad_y ? grad_y->filled<T>() : nullptr);
  });
}

}  // namespace

void register_procrustes(py::module_& m) {
  m.def("procrustes_scores", &procrustes_scores);
  m.def("procrustes_pairs", &procrustes_pairs);
  m.def("procrustes_gradients", &procrustes_gradients);
}

}  // namespace likewise::bindings
