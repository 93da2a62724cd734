#pragma once

#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "core/parallel.h"
#include "procrustes/procrustes.h"

// Prepared shapes, for the topics that compare them.

namespace likewise::bindings {

inline ShapeCounts shape_counts(py::array& counts) {
  const Counts given = counts_of(counts);
  return {given.row(0), given.row(1), given.items};
}

// Calls body(shape, data) for every item in turn; `data` is an array that owns the shape's numbers.
template <class T, class Body>
void prepare_views(const std::vector<ArrayRef>& views, const ShapeOptions& options, int threads,
                   const Body& body) {
  std::vector<PreparedShape<T>> prepared(views.size());
  {
    const py::gil_scoped_release release;
    std::vector<ShapePreparation<T>> preparations(size_t(std::max(threads, 1)));
    parallel_for(int64_t(views.size()), threads, [&](int64_t i, int worker) {
      preparations[worker].run(MatrixBatch<const T>(views[i])[0], options, prepared[i]);
    });
  }
  for (size_t i = 0; i < prepared.size(); ++i) {
    PreparedShape<T>& shape = prepared[i];
    if (!shape.converged) {
      throw ConvergenceError("the singular value decomposition did not converge for item " +
                             std::to_string(i));
    }
    auto* owned = new std::vector<T>(std::move(shape.data));
    const py::capsule owner(owned, [](void* p) { delete static_cast<std::vector<T>*>(p); });
    body(shape, py::array_t<T>({views[i].shape[0], shape.cols}, owned->data(), owner));
  }
}

template <class T>
std::vector<Item<T>> items_of(const std::vector<ArrayRef>& views) {
  std::vector<Item<T>> items;
  for (const ArrayRef& view : views) {
    items.push_back({static_cast<const T*>(view.data), view.shape[1]});
  }
  return items;
}

}  // namespace likewise::bindings
