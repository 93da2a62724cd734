#include "rsa/rsa.h"

#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/options.h"
#include "core/dtype.h"
#include "core/parallel.h"
#include "rsa/gradient.h"
#include "rsa/scores.h"

namespace likewise::bindings {
namespace {

RsaCounts rsa_counts(py::array& counts) {
  const Counts given = counts_of(counts);
  return {given.row(0), given.row(1), given.row(2), given.items};
}

// One condensed RDM or several in rows.
template <class T>
MatrixRef<const T> rdms_of(const py::array& array) {
  const ArrayRef view = input(array);
  if (view.ndim == 2) return matrix<T>(view);
  return {static_cast<const T*>(view.data), 1, view.shape[0], 0, view.strides[0]};
}

// See _engine.pyi; out may be in double for any x.
void rdms(const py::array& x, py::array out, py::array without, Dissimilarity dissimilarity,
          bool in_units, int threads) {
  const ArrayRef view = input(x), to = output(out);
  int64_t* const counts = integer_output<int64_t>(without);
  const Unit unit = in_units ? Unit::item : Unit::data;
  dispatch_float(view.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> batch(view);
    const int64_t count = batch.count();
    const auto fill = [&](auto* all) {
      const py::gil_scoped_release release;
      parallel_for(count, count >= threads ? threads : 1, [&](int64_t k, int) {
        auto* const one = all + k * condensed_size(batch[k].rows);
        counts[k] = rdm(batch[k], dissimilarity, unit, threads, one);
      });
    };
    if (to.dtype == DType::float64) {
      fill(static_cast<double*>(to.data));
    } else {
      require_same_dtype(view, to, "rdm");
      fill(static_cast<T*>(to.data));
    }
  });
}

void scores_of_items(const std::vector<py::array>& a, const std::vector<py::array>& b,
                     py::array scores, py::array counts, const RsaOptions& options, int threads) {
  dispatch_float(input(a[0]).dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items_a = matrices<T>(a), items_b = matrices<T>(b);
    const RsaCounts found = rsa_counts(counts);
    double* const out = double_output(scores);
    const py::gil_scoped_release release;
    likewise::rsa_scores<T>(items_a, items_b, options, threads, out, found);
  });
}

bool scores_of_pairs(const py::array& x, const py::array& y, py::array scores, py::array counts,
                     const RsaOptions& options, int threads) {
  const ArrayRef vx = input(x), vy = input(y);
  const RsaCounts found = rsa_counts(counts);
  double* const out = double_output(scores);
  const py::gil_scoped_release release;
  likewise::rsa_pairs(vx, vy, options, threads, out, found);
  return found.any();
}

bool gradients_of_pairs(const py::array& x, const py::array& y, py::array scores, py::array counts,
                        std::optional<py::array> grad_x, std::optional<py::array> grad_y,
                        const RsaOptions& options, int threads) {
  const ArrayRef vx = input(x), vy = input(y);
  const RsaCounts found = rsa_counts(counts);
  double* const out = double_output(scores);
  dispatch_float(vx.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* const gx = grad_x ? float_output<T>(*grad_x) : nullptr;
    T* const gy = grad_y ? float_output<T>(*grad_y) : nullptr;
    const py::gil_scoped_release release;
    likewise::rsa_gradients<T>(MatrixBatch<const T>(vx), MatrixBatch<const T>(vy), options, threads,
                               out, found, gx, gy);
  });
  return found.any();
}

void scores_of_orders(const py::array& x, const py::array& y, const Orders& orders,
                      py::array scores, const RsaOptions& options, int threads) {
  const ArrayRef vx = input(x), vy = input(y);
  double* const out = double_output(scores);
  dispatch_float(vx.dtype, [&](auto zero) {
    using T = decltype(zero);
    const py::gil_scoped_release release;
    likewise::rsa_reordered<T>(matrix<T>(vx), matrix<T>(vy), orders.data(), orders.shape(0),
                               options, threads, out);
  });
}

void scores_of_rdms(const py::array& p, const py::array& q, py::array scores, py::array flat,
                    RdmComparison comparison, int threads) {
  double* const out = double_output(scores);
  int64_t* const to_flat = integer_output<int64_t>(flat);
  dispatch_float(input(p).dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixRef<const T> left = rdms_of<T>(p), right = rdms_of<T>(q);
    const py::gil_scoped_release release;
    likewise::compare_rdms<T>(left, right, comparison, threads, out, to_flat);
  });
}

// Fills out (k, m), in double, with what a comparison sees of condensed RDMs (k, m).
void what_is_compared(const py::array& x, py::array out, RdmComparison comparison, int threads) {
  double* const to = double_output(out);
  dispatch_float(input(x).dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixRef<const T> given = rdms_of<T>(x);
    const py::gil_scoped_release release;
    likewise::compared_rdms<T>(given, comparison, threads, to);
  });
}

}  // namespace

void register_rsa(py::module_& m) {
  m.def("rdm", &rdms);
  m.def("rsa_scores", &scores_of_items);
  m.def("rsa_pairs", &scores_of_pairs);
  m.def("rsa_gradients", &gradients_of_pairs);
  m.def("rsa_reordered", &scores_of_orders);
  m.def("compare_rdms", &scores_of_rdms);
  m.def("compared_rdms", &what_is_compared);
}

}  // namespace likewise::bindings
