#include "neighbours/cuda/neighbours.h"

#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"
#include "bindings/options.h"

namespace likewise::bindings {
namespace {

void neighbour_scores(const Items& a, const Items& b, const DeviceArray& scores,
                      const DeviceArray& counts, const NeighbourMeasure& options, Run& run) {
  const Counts given(counts);
  with_lists(a, b, run, [&](const auto&... lists) {
    cuda::neighbour_scores(lists..., options.score, options,
                           {scores.filled<double>(), given.row(1), given.row(0)});
  });
}

void neighbour_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                     const DeviceArray& counts, const NeighbourMeasure& options, Run& run) {
  with_distinct_items(
      x, y, scores, Counts(counts), 2, run, [&](const Counts& found, const auto&... items) {
        cuda::neighbour_pairs(items..., options.score, options,
                              {scores.filled<double>(), found.row(1), found.row(0)});
      });
}

}  // namespace

void register_neighbours(py::module_& m) {
  m.def("neighbour_scores", &neighbour_scores);
  m.def("neighbour_pairs", &neighbour_pairs);
}

}  // namespace likewise::bindings
