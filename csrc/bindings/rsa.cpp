#include "rsa/rsa.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/dissimilarities.h"
#include "core/dtype.h"
#include "core/parallel.h"
#include "rsa/gradient.h"
#include "rsa/ranks.h"

namespace likewise::bindings {
namespace {

// Fills out (count, n (n - 1) / 2), of the dtype of x or in double, for x (..., n, d); returns the
// samples without direction. `in_units`: see Unit.
int64_t rdms(const py::array& x, const std::string& name, py::array out, bool in_units,
             int threads) {
  const ArrayRef view = input(x), to = output(out);
  const Dissimilarity dissimilarity = dissimilarity_of(name);
  const Unit unit = in_units ? Unit::item : Unit::data;
  return dispatch_float(view.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> batch(view);
    const int64_t count = batch.count();
    std::vector<int64_t> without(static_cast<size_t>(count));
    const auto fill = [&](auto* all) {
      const py::gil_scoped_release release;
      parallel_for(count, count >= threads ? threads : 1, [&](int64_t k, int) {
        auto* const one = all + k * condensed_size(batch[k].rows);
        without[k] = rdm(batch[k], dissimilarity, unit, threads, one);
      });
    };
    if (to.dtype == DType::float64) {
      fill(static_cast<double*>(to.data));
    } else {
      require_same_dtype(view, to, "rdm");
      fill(static_cast<T*>(to.data));
    }
    int64_t total = 0;
    for (const int64_t samples : without) total += samples;
    return total;
  });
}

// Ranks of the RDM of every item (n x d), ranks (count, n (n - 1) / 2) and ties (count) as Ranker
// gives them; `without` (count): samples without direction.
void ranked_rdms(const std::vector<py::array>& items, const std::string& name, double tolerance,
                 py::array ranks, py::array ties, py::array without, int threads) {
  const std::vector<ArrayRef> views = inputs(items);
  int32_t* const to = integer_output<int32_t>(ranks);
  double* const to_ties = double_output(ties);
  int64_t* const to_without = integer_output<int64_t>(without);
  const Dissimilarity dissimilarity = dissimilarity_of(name);
  if (views.empty()) return;
  dispatch_float(views[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t count = int64_t(views.size()), size = condensed_size(views[0].shape[0]);
    const int workers = int(std::min<int64_t>(count, std::max(threads, 1)));
    std::vector<Ranker> rankers(static_cast<size_t>(workers), Ranker(tolerance));
    std::vector<std::vector<double>> rdms(static_cast<size_t>(workers));
    const py::gil_scoped_release release;
    parallel_for(count, workers, [&](int64_t k, int worker) {
      rdms[worker].resize(size_t(size));
      double* const one = rdms[worker].data();
      to_without[k] = rdm(matrix<T>(views[k]), dissimilarity, Unit::item, threads, one);
      to_ties[k] = rankers[worker](one, size, to + k * size);
    });
  });
}

// The same for RDMs x (count, size) of doubles.
void ranks(const py::array& x, double tolerance, py::array out, py::array ties, int threads) {
  const double* const from = double_input(x);
  int32_t* const to = integer_output<int32_t>(out);
  double* const to_ties = double_output(ties);
  const int64_t count = x.shape(0), size = x.shape(1);
  const py::gil_scoped_release release;
  std::vector<Ranker> rankers(size_t(std::max(threads, 1)), Ranker(tolerance));
  parallel_for(count, threads, [&](int64_t k, int worker) {
    to_ties[k] = rankers[worker](from + k * size, size, to + k * size);
  });
}

using RankArray = py::array_t<int32_t, py::array::c_style>;

std::vector<const int32_t*> rank_lists(const std::vector<RankArray>& arrays) {
  std::vector<const int32_t*> out;
  for (const RankArray& array : arrays) out.push_back(array.data());
  return out;
}

// Fills products (a x b) with the sums of products of ranks, b = a where symmetric; `paired`: (a),
// of a[i] with b[i].
void products(const std::vector<RankArray>& a, const std::vector<RankArray>& b, bool symmetric,
              bool paired, py::array out, int threads) {
  double* const sums = double_output(out);
  if (a.empty() || (!symmetric && b.empty())) return;
  const int64_t cols = int64_t(symmetric ? a.size() : b.size());
  const std::vector<const int32_t*> left = rank_lists(a), right = rank_lists(b);
  const Pairing pairing = symmetric ? Pairing::symmetric_with_self
                          : paired  ? Pairing::paired
                                    : Pairing::cross;
  const int64_t size = a[0].size();
  const py::gil_scoped_release release;
  rank_products(left, right, size, pairing, threads, [&](int64_t i, int64_t j, double sum) {
    sums[paired ? i : i * cols + j] = sum;
    if (symmetric) sums[j * cols + i] = sum;
  });
}

// Fills counts (a x b x 3): concordant minus discordant pairs, pairs tied in a, in b. `paired`:
// (a x 3), of a[i] with b[i].
void kendall(const std::vector<RankArray>& a, const std::vector<RankArray>& b, bool paired,
             py::array out, int threads) {
  double* const counts = double_output(out);
  if (a.empty() || b.empty()) return;
  const std::vector<const int32_t*> left = rank_lists(a), right = rank_lists(b);
  const int64_t rows = int64_t(a.size()), cols = int64_t(b.size()), size = a[0].size();
  const py::gil_scoped_release release;
  parallel_for(paired ? rows : rows * cols, threads, [&](int64_t task, int) {
    const int64_t i = paired ? task : task / cols, j = paired ? task : task % cols;
    const KendallCounts found = kendall_counts(left[i], right[j], size);
    counts[3 * task] = found.concordant_minus_discordant;
    counts[3 * task + 1] = found.ties_x;
    counts[3 * task + 2] = found.ties_y;
  });
}

// Fills out (n x d) with the gradient of the dissimilarities of x in units (see Unit), weighted.
void gradient(const py::array& x, const std::string& name, const py::array& weights, py::array out,
              int threads) {
  const ArrayRef view = input(x);
  const Dissimilarity dissimilarity = dissimilarity_of(name);
  const double* by_dissimilarities = double_input(weights);
  dispatch_float(view.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* to = float_output<T>(out);
    const py::gil_scoped_release release;
    rdm_gradient(matrix<T>(view), dissimilarity, by_dissimilarities, threads, to);
  });
}

}  // namespace

void register_rsa(py::module_& m) {
  m.def("rdm_gradient", &gradient);
  m.def("rdm", &rdms);
  m.def("ranked_rdms", &ranked_rdms);
  m.def("ranks", &ranks);
  m.def("rank_products", &products);
  m.def("kendall", &kendall);
}

}  // namespace likewise::bindings
