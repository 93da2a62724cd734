#include "bindings/arrays.h"
#include "linalg/batch.h"

namespace likewise::bindings {

void register_linalg(py::module_& m) {
  m.def(
      "svdvals",
      [](const py::array& a, py::array s, int threads) {
        const ArrayRef va = input(a), vs = output(s);
        const py::gil_scoped_release release;
        svdvals_batch(va, vs, threads);
      },
      "Fills s (..., min(m, n)).");
  m.def(
      "nuclear_norm",
      [](const py::array& a, py::array out, int threads) {
        const ArrayRef va = input(a), vo = output(out);
        const py::gil_scoped_release release;
        nuclear_norm_batch(va, vo, threads);
      },
      "Fills out (...), float64.");
  m.def(
      "polar",
      [](const py::array& a, py::array u, py::array p, int threads) {
        const ArrayRef va = input(a), vu = output(u), vp = output(p);
        const py::gil_scoped_release release;
        polar_batch(va, vu, vp, threads);
      },
      "Fills u (..., m, n) and p (..., n, n).");
  m.def(
      "orthogonal_procrustes",
      [](const py::array& a, const py::array& b, py::array r, py::array scale, int threads) {
        const ArrayRef va = input(a), vb = input(b), vr = output(r), vs = output(scale);
        const py::gil_scoped_release release;
        orthogonal_procrustes_batch(va, vb, vr, vs, threads);
      },
      "Fills r (..., d, d) and scale (...).");
}

}  // namespace likewise::bindings
