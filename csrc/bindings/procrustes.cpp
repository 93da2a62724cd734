#include "procrustes/procrustes.h"

#include <pybind11/stl.h>

#include <optional>

#include "bindings/arrays.h"
#include "bindings/options.h"
#include "bindings/shapes.h"
#include "core/dtype.h"
#include "procrustes/gradient.h"

namespace likewise::bindings {
namespace {

void procrustes_scores(const std::vector<py::array>& a, const std::vector<py::array>& b,
                       py::array scores, py::array counts, const ProcrustesOptions& options,
                       int threads) {
  dispatch_float(input(a[0]).dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items_a = matrices<T>(a), items_b = matrices<T>(b);
    const ShapeCounts found = shape_counts(counts);
    double* const out = double_output(scores);
    const py::gil_scoped_release release;
    const auto left = prepare_shapes<T>(items_a, options, threads);
    const auto right = prepare_shapes<T>(items_b, options, threads);
    found.set_all(0, items_a, left);
    found.set_all(int64_t(a.size()), items_b, right);
    likewise::procrustes_scores<T>(list_of(left), list_of(right), items_a[0].rows, b.empty(),
                                   options, threads, out);
  });
}

bool procrustes_pairs(const py::array& x, const py::array& y, py::array scores, py::array counts,
                      const ProcrustesOptions& options, int threads) {
  const ArrayRef vx = input(x), vy = input(y);
  const ShapeCounts found = shape_counts(counts);
  double* const out = double_output(scores);
  const py::gil_scoped_release release;
  likewise::procrustes_pairs(vx, vy, options, threads, out, found);
  return found.any();
}

bool procrustes_gradients(const py::array& x, const py::array& y, py::array scores,
                          py::array counts, std::optional<py::array> grad_x,
                          std::optional<py::array> grad_y, const ProcrustesOptions& options,
                          int threads) {
  const ArrayRef vx = input(x), vy = input(y);
  std::optional<ArrayRef> gx, gy;
  if (grad_x) gx = output(*grad_x);
  if (grad_y) gy = output(*grad_y);
  const ShapeCounts found = shape_counts(counts);
  double* const out = double_output(scores);
  const py::gil_scoped_release release;
  likewise::procrustes_gradients(vx, vy, options, threads, out, found, gx ? &*gx : nullptr,
                                 gy ? &*gy : nullptr);
  return found.any();
}

void procrustes_reordered(const py::array& x, const py::array& y, const Orders& orders,
                          py::array scores, const ProcrustesOptions& options, int threads) {
  dispatch_float(input(x).dtype, [&](auto zero) {
    using T = decltype(zero);
    const std::vector<MatrixRef<const T>> items = matrices<T>({x, y});
    double* const out = double_output(scores);
    const py::gil_scoped_release release;
    const auto shapes = prepare_shapes<T>(items, options, threads);
    likewise::procrustes_reordered<T>(shapes[0], shapes[1], items[0].rows, orders.data(),
                                      orders.shape(0), options, threads, out);
  });
}

}  // namespace

void register_procrustes(py::module_& m) {
  m.def("procrustes_scores", &procrustes_scores);
  m.def("procrustes_pairs", &procrustes_pairs);
  m.def("procrustes_gradients", &procrustes_gradients);
  m.def("procrustes_reordered", &procrustes_reordered);
}

}  // namespace likewise::bindings
