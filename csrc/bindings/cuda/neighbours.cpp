#include "neighbours/cuda/neighbours.h"

#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"
#include "bindings/options.h"

namespace likewise::bindings {
namespace {

void neighbour_scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                      const DeviceArray& scores, const DeviceArray& counts,
                      const NeighbourMeasure& options, Run& run) {
  const CallContext context(run);
  const Counts given(counts);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::neighbour_scores<T>(context, matrices<T>(a, context), matrices<T>(b, context),
                              a[0].sizes()[0], b.empty(), options.score, options,
                              {scores.filled<double>(), given.row(1), given.row(0)});
  });
}

void neighbour_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                     const DeviceArray& counts, const NeighbourMeasure& options, Run& run) {
  const CallContext context(run);
  cuda::PairAxes pairs{};
  pairs.ndim = x.ndim() - 2;
  std::copy_n(x.sizes().begin(), pairs.ndim, pairs.shape);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    const auto left = distinct_items<T>(x, context, pairs.step_a);
    const auto right = distinct_items<T>(y, context, pairs.step_b);
    const int64_t items = left.count + right.count;
    int64_t* const found = context.temporary<int64_t>(size_t(2 * items));
    cuda::neighbour_pairs<T>(context, left, right, x.sizes()[x.ndim() - 2], pairs, options.score,
                             options, {scores.filled<double>(), found + items, found});
    const Counts given(counts);
    for (int64_t kind = 0; kind < 2; ++kind) {
      spread(found + kind * items, x, scores, given.row(kind), context);
      spread(found + kind * items + left.count, y, scores, given.row(kind) + scores.size(),
             context);
    }
  });
}

}  // namespace

void register_neighbours(py::module_& m) {
  m.def("neighbour_scores", &neighbour_scores);
  m.def("neighbour_pairs", &neighbour_pairs);
}

}  // namespace likewise::bindings
