#include "rsa/rsa.h"

#include "bindings/measures.h"
#include "core/parallel.h"
#include "rsa/scores.h"

namespace likewise::bindings {
namespace {

// See _engine.pyi; out may be in double for any x.
void rdms(const py::array& x, py::array out, py::array without, Dissimilarity dissimilarity,
          bool in_units, int threads) {
  const ArrayRef view = input(x), to = output(out);
  int64_t* const counts = integer_output<int64_t>(without);
  const py::gil_scoped_release release;
  dispatch_float(view.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> batch(view);
    const int64_t count = batch.count();
    const auto fill = [&](auto* all) {
      parallel_for(count, count >= threads ? threads : 1, [&](int64_t k, int) {
        counts[k] = rdm(batch[k], dissimilarity, in_units ? Unit::item : Unit::data, threads,
                        all + k * condensed_size(batch[k].rows));
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

// One condensed RDM, or several in rows, as rows.
ArrayRef in_rows(const py::array& rdms) {
  ArrayRef view = input(rdms);
  if (view.ndim == 2) return view;
  view.ndim = 2;
  view.shape = {1, view.shape[0]};
  view.strides = {0, view.strides[0]};
  return view;
}

void scores_of_rdms(const py::array& p, const py::array& q, py::array scores, py::array flat,
                    RdmComparison comparison, int threads) {
  const ArrayRef left = in_rows(p), right = in_rows(q);
  double* const out = double_output(scores);
  int64_t* const to_flat = integer_output<int64_t>(flat);
  const py::gil_scoped_release release;
  compare_rdms(left, right, comparison, threads, out, to_flat);
}

// Fills out (k, m), in double, with what a comparison sees of condensed RDMs (k, m).
void what_is_compared(const py::array& x, py::array out, RdmComparison comparison, int threads) {
  const ArrayRef given = in_rows(x);
  double* const to = double_output(out);
  const py::gil_scoped_release release;
  compared_rdms(given, comparison, threads, to);
}

}  // namespace

void register_rsa(py::module_& m) {
  m.def("rdm", &rdms);
  m.def("rsa_scores", of_lists(&rsa_scores));
  m.def("rsa_pairs", of_pairs(&rsa_pairs));
  m.def("rsa_gradients", of_gradients(&rsa_gradients));
  m.def("rsa_reordered", of_orders(&rsa_reordered));
  m.def("compare_rdms", &scores_of_rdms);
  m.def("compared_rdms", &what_is_compared);
}

}  // namespace likewise::bindings
