#include "procrustes/procrustes.h"

#include <pybind11/stl.h>

#include <optional>

#include "bindings/shape_options.h"
#include "bindings/shapes.h"
#include "core/dtype.h"
#include "procrustes/gradient.h"

namespace likewise::bindings {
namespace {

py::tuple tuple_of(const ProcrustesCounts& counts) {
  return py::make_tuple(counts.constant_units, counts.dropped_directions, counts.constant_items,
                        counts.finite);
}

}  // namespace

void register_procrustes(py::module_& m) {
  m.def(
      "procrustes",
      [](const py::array& x, const py::array& y, py::array out, bool center, bool scale,
         double alpha, const std::string& score, int threads) {
        const ArrayRef vx = input(x), vy = input(y), scores = output(out);
        const ProcrustesOptions options = shape_options(center, scale, alpha, score);
        ProcrustesCounts counts;
        {
          const py::gil_scoped_release release;
          counts = procrustes_batch(vx, vy, options, threads, static_cast<double*>(scores.data));
        }
        return tuple_of(counts);
      },
      "Fills out (float64, contiguous) for all items; returns (constant units, dropped directions, "
      "constant items, finite).");

  m.def(
      "procrustes_gradients",
      [](const py::array& x, const py::array& y, py::array out, std::optional<py::array> grad_x,
         std::optional<py::array> grad_y, bool center, bool scale, double alpha,
         const std::string& score, int threads) {
        const ArrayRef vx = input(x), vy = input(y), scores = output(out);
        std::optional<ArrayRef> gx, gy;
        if (grad_x) gx = output(*grad_x);
        if (grad_y) gy = output(*grad_y);
        const ProcrustesOptions options = shape_options(center, scale, alpha, score);
        ProcrustesCounts counts;
        {
          const py::gil_scoped_release release;
          counts = procrustes_gradients(vx, vy, options, threads, static_cast<double*>(scores.data),
                                        gx ? &*gx : nullptr, gy ? &*gy : nullptr);
        }
        return tuple_of(counts);
      },
      "The same, and grad_x and grad_y (contiguous, shapes of x and y), or those that are wanted.");

  m.def(
      "procrustes_prepare",
      [](const std::vector<py::array>& items, bool center, bool scale, double alpha,
         const std::string& score, int threads) {
        const std::vector<ArrayRef> views = inputs(items);
        const ProcrustesOptions options = shape_options(center, scale, alpha, score);
        if (views.empty()) return py::list();
        py::list out;
        dispatch_float(views[0].dtype, [&](auto zero) {
          using T = decltype(zero);
          prepare_shapes<T>(views, options, threads,
                            [&](const PreparedShape<T>& shape, const py::array& data) {
                              out.append(py::make_tuple(data, shape.norm, shape.constant_units,
                                                        shape.dropped_directions));
                            });
        });
        return out;
      },
      "Returns one (data, norm, constant units, dropped directions) per item.");

  m.def(
      "procrustes_compare",
      [](const std::vector<py::array>& a, const std::vector<double>& norms_a,
         const std::vector<py::array>& b, const std::vector<double>& norms_b, bool symmetric,
         py::array out, bool center, bool scale, double alpha, const std::string& score,
         int threads) {
        const std::vector<ArrayRef> va = inputs(a), vb = inputs(b);
        const ArrayRef scores = output(out);
        const ProcrustesOptions options = shape_options(center, scale, alpha, score);
        if (va.empty() || (!symmetric && vb.empty())) return;
        const py::gil_scoped_release release;
        dispatch_float(va[0].dtype, [&](auto zero) {
          using T = decltype(zero);
          procrustes_scores<T>({items_of<T>(va), norms_a}, {items_of<T>(vb), norms_b},
                               va[0].shape[0], symmetric, options, threads,
                               static_cast<double*>(scores.data));
        });
      },
      "Fills out (len(a), len(b)) or, symmetric, (len(a), len(a)).");
}

}  // namespace likewise::bindings
