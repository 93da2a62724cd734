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

// The items that a batch consists of, one behind the other, and how far along them every axis goes.
struct Unrepeated {
  cuda::DeviceRef items;
  int64_t count = 1;
  bool repeats = false;
};

Unrepeated without_repeats(const DeviceArray& batch, int64_t* steps) {
  Unrepeated out{batch.view()};
  for (int d = batch.ndim() - 3; d >= 0; --d) {
    const bool repeats = out.items.strides[d] == 0;
    if (repeats) out.items.shape[d] = 1;
    steps[d] = repeats ? 0 : out.count;
    out.count *= out.items.shape[d];
    out.repeats |= repeats;
  }
  return out;
}

template <class T>
const T* contiguous_items(const DeviceArray& batch, const Unrepeated& items,
                          const cuda::Context& context) {
  if (!items.repeats) return contiguous<T>(batch, context);
  const size_t size = size_t(items.count * batch.sizes()[batch.ndim() - 2] * batch.sizes().back());
  T* const copy = context.temporary<T>(size);
  cuda::check(cuda::copy_elements<T>(items.items, copy, context.stream), "copy");
  return copy;
}

void neighbour_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                     const DeviceArray& status, const DeviceArray& constant_units,
                     const std::string& score, int64_t k, bool euclidean, bool center, Run& run) {
  const CallContext context(run);
  cuda::PairAxes pairs{};
  pairs.ndim = x.ndim() - 2;
  std::copy_n(x.sizes().begin(), pairs.ndim, pairs.shape);
  const Unrepeated items_x = without_repeats(x, pairs.step_a);
  const Unrepeated items_y = without_repeats(y, pairs.step_b);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::neighbour_pairs<T>(context, {contiguous_items<T>(x, items_x, context), x.sizes().back()},
                             items_x.count,
                             {contiguous_items<T>(y, items_y, context), y.sizes().back()},
                             items_y.count, x.sizes()[x.ndim() - 2], pairs, neighbour_score(score),
                             {k, euclidean, center}, findings(scores, status, constant_units));
  });
}

}  // namespace

void register_neighbours(py::module_& m) {
  m.def("neighbour_scores", &neighbour_scores);
  m.def("neighbour_pairs", &neighbour_pairs);
}

}  // namespace likewise::bindings
