#include "cca/cca.h"

#include <pybind11/stl.h>

#include "bindings/options.h"
#include "bindings/shapes.h"
#include "core/dtype.h"

namespace likewise::bindings {
namespace {

void canonical_scores(const std::vector<py::array>& a, const std::vector<py::array>& b,
                      py::array scores, py::array counts, const CanonicalOptions& options,
                      int threads) {
  dispatch_float(input(a[0]).dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items_a = matrices<T>(a), items_b = matrices<T>(b);
    const ShapeCounts found = shape_counts(counts);
    double* const out = double_output(scores);
    const py::gil_scoped_release release;
    cca_scores<T>(items_a, items_b, options, threads, out, found);
  });
}

// One of the functions of pairs.
template <auto function>
bool canonical_pairs(const py::array& x, const py::array& y, py::array out, py::array counts,
                     const CanonicalOptions& options, int threads) {
  const ArrayRef vx = input(x), vy = input(y);
  const ShapeCounts found = shape_counts(counts);
  double* const to = double_output(out);
  const py::gil_scoped_release release;
  function(vx, vy, options, threads, to, found);
  return found.any();
}

void canonical_reordered(const py::array& x, const py::array& y, const Orders& orders,
                         py::array scores, const CanonicalOptions& options, int threads) {
  const ArrayRef vx = input(x), vy = input(y);
  double* const out = double_output(scores);
  dispatch_float(vx.dtype, [&](auto zero) {
    using T = decltype(zero);
    const py::gil_scoped_release release;
    cca_reordered<T>(matrix<T>(vx), matrix<T>(vy), orders.data(), orders.shape(0), options, threads,
                     out);
  });
}

}  // namespace

void register_cca(py::module_& m) {
  m.def("cca_scores", &canonical_scores);
  m.def("cca_pairs", &canonical_pairs<cca_pairs>);
  m.def("canonical_correlations", &canonical_pairs<canonical_correlations>);
  m.def("cca_reordered", &canonical_reordered);
}

}  // namespace likewise::bindings
