#include "units/cuda/units.h"

#include "bindings/cuda/units.h"

namespace likewise::bindings {
namespace {

void correlations(const DeviceArray& x, const DeviceArray& y, const DeviceArray& out,
                  const DeviceArray& constant_units, Run& run) {
  const CallContext context(run);
  cuda::unit_correlations(context, unit_shapes(x, y), contiguous<double>(x, context),
                          contiguous<double>(y, context), out.filled<double>(),
                          constant_units.filled<int64_t>());
}

void graph(const DeviceArray& x, const DeviceArray& y, bool inside, const DeviceArray& weights,
           const DeviceArray& constant_units, Run& run) {
  const CallContext context(run);
  cuda::unit_graph(context, x.sizes()[0], x.sizes()[1], y.sizes()[1], x.elements<double>(),
                   y.elements<double>(), inside, weights.filled<double>(),
                   constant_units.filled<int64_t>());
}

void partners(const DeviceArray& similarity, double threshold, const DeviceArray& greedy,
              const DeviceArray& one_to_one, const DeviceArray& greedy_similarity,
              const DeviceArray& one_to_one_similarity, const DeviceArray& counts, Run& run) {
  const CallContext context(run);
  const int64_t rows = similarity.sizes()[0], cols = similarity.sizes()[1];
  const cuda::Partners out{greedy.filled<int64_t>(), one_to_one.filled<int64_t>(),
                           greedy_similarity.filled<double>(),
                           one_to_one_similarity.filled<double>(), counts.filled<int64_t>()};
  dispatch_float(similarity, [&](auto zero) {
    using T = decltype(zero);
    cuda::unit_partners<T>(context, similarity.elements<T>(),
                           shorter_side_first<T>(similarity, rows > cols, context), rows, cols,
                           threshold, out);
  });
}

void statistics(const DeviceArray& x, const DeviceArray& mean, const DeviceArray& deviation,
                const DeviceArray& active, const DeviceArray& spectrum, const DeviceArray& spread,
                Run& run) {
  const CallContext context(run);
  const std::vector<int64_t>& shape = x.sizes();
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::unit_statistics<T>(context, x.elements<T>(), spread.size(), shape[shape.size() - 2],
                             shape.back(),
                             {mean.filled<T>(), deviation.filled<T>(), active.filled<T>(),
                              spectrum.filled<T>(), spread.filled<T>()});
  });
}

}  // namespace

void register_units(py::module_& m) {
  m.def("unit_correlations", &correlations);
  m.def("unit_graph", &graph);
  m.def("unit_partners", &partners);
  m.def("unit_statistics", &statistics);
}

}  // namespace likewise::bindings
