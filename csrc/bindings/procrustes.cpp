#include "procrustes/procrustes.h"

#include <pybind11/stl.h>

#include <algorithm>

#include "bindings/arrays.h"
#include "core/dtype.h"
#include "core/parallel.h"

namespace likewise::bindings {
namespace {

ProcrustesOptions options_of(bool center, bool scale, double alpha, const std::string& score) {
  ProcrustesOptions options;
  options.center = center;
  options.scale = scale;
  options.alpha = alpha;
  options.score = score == "angular"     ? ProcrustesScore::angular
                  : score == "euclidean" ? ProcrustesScore::euclidean
                                         : ProcrustesScore::similarity;
  return options;
}

// A prepared item as Python keeps it: the array owns the engine's vector.
template <class T>
py::tuple to_python(PreparedShape<T>&& shape, int64_t rows) {
  auto* owned = new std::vector<T>(std::move(shape.data));
  const py::capsule owner(owned, [](void* p) { delete static_cast<std::vector<T>*>(p); });
  const py::array_t<T> data({rows, shape.cols}, owned->data(), owner);
  return py::make_tuple(data, shape.norm, shape.constant_units);
}

template <class T>
py::list prepare(const std::vector<ArrayRef>& views, const ProcrustesOptions& options,
                 int threads) {
  std::vector<PreparedShape<T>> prepared(views.size());
  {
    const py::gil_scoped_release release;
    std::vector<ShapePreparation<T>> preparations(std::max(threads, 1));
    parallel_for(int64_t(views.size()), threads, [&](int64_t i, int worker) {
      preparations[worker].run(MatrixBatch<const T>(views[i])[0], options, prepared[i]);
    });
  }
  py::list out;
  for (size_t i = 0; i < prepared.size(); ++i) {
    if (!prepared[i].converged) {
      throw ConvergenceError("the singular value decomposition did not converge for item " +
                             std::to_string(i));
    }
    out.append(to_python(std::move(prepared[i]), views[i].shape[0]));
  }
  return out;
}

template <class T>
ShapeList<T> list_of(const std::vector<ArrayRef>& views, const std::vector<double>& norms) {
  ShapeList<T> list;
  for (const ArrayRef& view : views) {
    list.items.push_back({static_cast<const T*>(view.data), view.shape[1]});
  }
  list.norms = norms;
  return list;
}

}  // namespace

void register_procrustes(py::module_& m) {
  m.def(
      "procrustes",
      [](const py::array& x, const py::array& y, py::array out, bool center, bool scale,
         double alpha, const std::string& score, int threads) {
        const ArrayRef vx = input(x), vy = input(y), scores = output(out);
        const ProcrustesOptions options = options_of(center, scale, alpha, score);
        ProcrustesCounts counts;
        {
          const py::gil_scoped_release release;
          counts = procrustes_batch(vx, vy, options, threads, static_cast<double*>(scores.data));
        }
        return py::make_tuple(counts.constant_units, counts.constant_items, counts.finite);
      },
      "Fills out (float64, contiguous) for all items; returns (constant units, constant items, "
      "finite).");

  m.def(
      "procrustes_prepare",
      [](const std::vector<py::array>& items, bool center, bool scale, double alpha,
         const std::string& score, int threads) {
        const std::vector<ArrayRef> views = inputs(items);
        const ProcrustesOptions options = options_of(center, scale, alpha, score);
        if (views.empty()) return py::list();
        return dispatch_float(views[0].dtype, [&](auto zero) {
          return prepare<decltype(zero)>(views, options, threads);
        });
      },
      "Returns one (data, norm, constant units) per item.");

  m.def(
      "procrustes_compare",
      [](const std::vector<py::array>& a, const std::vector<double>& norms_a,
         const std::vector<py::array>& b, const std::vector<double>& norms_b, bool symmetric,
         py::array out, bool center, bool scale, double alpha, const std::string& score,
         int threads) {
        const std::vector<ArrayRef> va = inputs(a), vb = inputs(b);
        const ArrayRef scores = output(out);
        const ProcrustesOptions options = options_of(center, scale, alpha, score);
        if (va.empty() || (!symmetric && vb.empty())) return;
        const py::gil_scoped_release release;
        dispatch_float(va[0].dtype, [&](auto zero) {
          using T = decltype(zero);
          procrustes_scores<T>(list_of<T>(va, norms_a), list_of<T>(vb, norms_b), va[0].shape[0],
                               symmetric, options, threads, static_cast<double*>(scores.data));
        });
      },
      "Fills out (len(a), len(b)) or, symmetric, (len(a), len(a)).");
}

}  // namespace likewise::bindings
