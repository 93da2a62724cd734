#include "rsa/rsa.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bindings/arrays.h"
#include "core/dtype.h"
#include "core/parallel.h"

namespace likewise::bindings {
namespace {

Dissimilarity dissimilarity_of(const std::string& name) {
  if (name == "correlation") return Dissimilarity::correlation;
  if (name == "cosine") return Dissimilarity::cosine;
  if (name == "euclidean") return Dissimilarity::euclidean;
  if (name == "sqeuclidean") return Dissimilarity::sqeuclidean;
  throw InternalError("unknown dissimilarity " + name);
}

// Fills out (count, n (n - 1) / 2) for x (..., n, d); returns the samples without direction.
int64_t rdms(const py::array& x, const std::string& name, py::array out, int threads) {
  const ArrayRef view = input(x), to = output(out);
  require_same_dtype(view, to, "rdm");
  const Dissimilarity dissimilarity = dissimilarity_of(name);
  return dispatch_float(view.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> batch(view);
    const int64_t count = batch.count();
    std::vector<int64_t> without(static_cast<size_t>(count));
    const py::gil_scoped_release release;
    parallel_for(count, count >= threads ? threads : 1, [&](int64_t k, int) {
      T* one = static_cast<T*>(to.data) + k * condensed_size(batch[k].rows);
      without[k] = rdm(batch[k], dissimilarity, threads, one);
    });
    int64_t total = 0;
    for (const int64_t samples : without) total += samples;
    return total;
  });
}

// Fills ranks (count, size) for x (count, size).
void ranks(const py::array& x, bool unit_norm, py::array out, int threads) {
  const ArrayRef view = input(x), to = output(out);
  dispatch_float(view.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t size = view.shape[1];
    const py::gil_scoped_release release;
    std::vector<SortWorkspace> workspaces(size_t(std::max(threads, 1)));
    parallel_for(view.shape[0], threads, [&](int64_t k, int worker) {
      scaled_ranks(static_cast<const T*>(view.data) + k * size, size, unit_norm, workspaces[worker],
                   static_cast<double*>(to.data) + k * size);
    });
  });
}

// Fills counts (a x b x 3): concordant minus discordant pairs, pairs tied in a, in b. `paired`:
// (a x 3), of a[i] with b[i].
void kendall(const py::array& a, const py::array& b, bool paired, py::array out, int threads) {
  const ArrayRef va = input(a), vb = input(b), to = output(out);
  require_same_dtype(va, vb, "kendall");
  dispatch_float(va.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t size = va.shape[1], rows = va.shape[0], cols = vb.shape[0];
    const py::gil_scoped_release release;
    std::vector<SortWorkspace> workspaces(size_t(std::max(threads, 1)));
    parallel_for(paired ? rows : rows * cols, threads, [&](int64_t task, int worker) {
      const int64_t i = paired ? task : task / cols, j = paired ? task : task % cols;
      const KendallCounts counts =
          kendall_counts(static_cast<const T*>(va.data) + i * size,
                         static_cast<const T*>(vb.data) + j * size, size, workspaces[worker]);
      double* values = static_cast<double*>(to.data) + 3 * task;
      values[0] = counts.concordant_minus_discordant;
      values[1] = counts.ties_x;
      values[2] = counts.ties_y;
    });
  });
}

}  // namespace

void register_rsa(py::module_& m) {
  m.def("rdm", &rdms);
  m.def("scaled_ranks", &ranks);
  m.def("kendall", &kendall);
}

}  // namespace likewise::bindings
