#include "cca/cca.h"

#include "bindings/shapes.h"
#include "core/dtype.h"

namespace likewise::bindings {
namespace {

py::list prepared_items(const std::vector<py::array>& items, double regularization, double variance,
                        bool loadings, int threads) {
  const std::vector<ArrayRef> views = inputs(items);
  ShapeOptions options;
  options.alpha = 0;
  options.regularization = regularization;
  options.variance = variance;
  options.loadings = loadings;
  py::list out;
  if (views.empty()) return out;
  dispatch_float(views[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    prepare_shapes<T>(
        views, options, threads, [&](const PreparedShape<T>& shape, const py::array& data) {
          const int64_t units = int64_t(shape.loadings.size()) / std::max<int64_t>(shape.cols, 1);
          out.append(py::make_tuple(
              data, shape.reshaped_norm, shape.constant_units, shape.dropped_directions,
              py::array_t<double>({loadings ? shape.cols : 0, units}, shape.loadings.data())));
        });
  });
  return out;
}

template <class T>
VariateList<T> variates(const std::vector<ArrayRef>& views, const std::vector<double>& norms,
                        const std::vector<py::array>& loadings) {
  VariateList<T> list{items_of<T>(views), norms, {}};
  for (const ArrayRef& view : inputs(loadings)) {
    list.loadings.push_back(MatrixBatch<const double>(view)[0]);
  }
  return list;
}

void compare(const std::vector<py::array>& a, const std::vector<double>& norms_a,
             const std::vector<py::array>& loadings_a, const std::vector<py::array>& b,
             const std::vector<double>& norms_b, bool symmetric, bool weighted, py::array out,
             int threads) {
  const std::vector<ArrayRef> va = inputs(a), vb = inputs(b);
  const ArrayRef scores = output(out);
  if (va.empty() || (!symmetric && vb.empty())) return;
  dispatch_float(va[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const VariateList<T> list_a = variates<T>(va, norms_a, loadings_a);
    const VariateList<T> list_b = variates<T>(vb, norms_b, {});
    const py::gil_scoped_release release;
    cca_scores(list_a, list_b, va[0].shape[0], symmetric, weighted, threads,
               static_cast<double*>(scores.data));
  });
}

void correlations(const std::vector<py::array>& a, const std::vector<double>& norms_a,
                  const std::vector<py::array>& b, const std::vector<double>& norms_b,
                  py::array out, int threads) {
  const std::vector<ArrayRef> va = inputs(a), vb = inputs(b);
  const ArrayRef values = output(out);
  if (va.empty()) return;
  dispatch_float(va[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const VariateList<T> list_a = variates<T>(va, norms_a, {});
    const VariateList<T> list_b = variates<T>(vb, norms_b, {});
    const py::gil_scoped_release release;
    canonical_correlations(list_a, list_b, va[0].shape[0], values.shape[1], threads,
                           static_cast<double*>(values.data));
  });
}

}  // namespace

void register_cca(py::module_& m) {
  m.def("cca_prepare", &prepared_items,
        "Returns one (data, norm, constant units, dropped directions, loadings) per item.");
  m.def("cca_compare", &compare);
  m.def("canonical_correlations", &correlations);
}

}  // namespace likewise::bindings
