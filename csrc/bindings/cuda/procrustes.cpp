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

void procrustes_scores(const Items& a, const Items& b, const DeviceArray& scores,
                       const DeviceArray& counts, const ProcrustesOptions& options, Run& run) {
  with_lists(a, b, run, [&](const auto&... lists) {
    cuda::procrustes_scores(lists..., options, findings(scores, counts));
  });
}

void procrustes_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                      const DeviceArray& counts, const ProcrustesOptions& options, Run& run) {
  if (scores.size() == 0) return;
  const CallContext context(run);
  const auto compare = [&](auto zero) {
    using T = decltype(zero);
    cuda::procrustes_pairs<T>(context, matrix<T>(x, context), matrix<T>(y, context), scores.size(),
                              rows_of(x), options, findings(scores, counts));
  };
  options.alpha < 1 ? compare(double{}) : dispatch_float(x, compare);
}

void procrustes_gradients(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                          const DeviceArray& counts, const MaybeArray& grad_x,
                          const MaybeArray& grad_y, const ProcrustesOptions& options, Run& run) {
  procrustes_pairs(x, y, scores, counts, options, run);
  with_pairs(x, y, run,
             [&]<class T>(const auto& context, const cuda::Matrix<T>& a, const auto&... rest) {
               cuda::procrustes_gradients<T>(context, a, rest..., options, filled<T>(grad_x),
                                             filled<T>(grad_y));
             });
}

}  // namespace

void register_procrustes(py::module_& m) {
  m.def("procrustes_scores", &procrustes_scores);
  m.def("procrustes_pairs", &procrustes_pairs);
  m.def("procrustes_gradients", &procrustes_gradients);
}

}  // namespace likewise::bindings
