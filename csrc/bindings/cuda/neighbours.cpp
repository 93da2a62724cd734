#include "neighbours/cuda/neighbours.h"

#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"
#include "bindings/neighbour_score.h"

namespace likewise::bindings {
namespace {

cuda::NeighbourFindings findings(const DeviceArray& scores, const DeviceArray& status,
                                 const DeviceArray& constant_units) {
  return {scores.filled<double>(), status.filled<int64_t>(), constant_units.filled<int64_t>()};
}

void neighbour_scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                      bool symmetric, const DeviceArray& scores, const DeviceArray& status,
                      const DeviceArray& constant_units, const std::string& score, int64_t k,
                      bool euclidean, bool center, Run& run) {
  if (a.empty()) return;
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::neighbour_scores<T>(context, matrices<T>(a, context), matrices<T>(b, context),
                              a[0].sizes()[0], symmetric, neighbour_score(score),
                              {k, euclidean, center}, findings(scores, status, constant_units));
  });
}

void neighbour_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                     const DeviceArray& status, const DeviceArray& constant_units,
                     const std::string& score, int64_t k, bool euclidean, bool center, Run& run) {
  const CallContext context(run);
  cuda::PairAxes pairs{};
  pairs.ndim = x.ndim() - 2;
  std::copy_n(x.sizes().begin(), pairs.ndim, pairs.shape);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    const auto left = distinct_items<T>(x, context, pairs.step_a);
    const auto right = distinct_items<T>(y, context, pairs.step_b);
    cuda::neighbour_pairs<T>(context, left, right, x.sizes()[x.ndim() - 2], pairs,
                             neighbour_score(score), {k, euclidean, center},
                             findings(scores, status, constant_units));
  });
}

}  // namespace

void register_neighbours(py::module_& m) {
  m.def("neighbour_scores", &neighbour_scores);
  m.def("neighbour_pairs", &neighbour_pairs);
}

}  // namespace likewise::bindings
