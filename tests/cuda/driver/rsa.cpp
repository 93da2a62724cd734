#include "rsa/cuda/rsa.h"

#include "both.h"
#include "kernels/cuda/kernels.h"
#include "rsa/cuda/gradient.h"
#include "rsa/cuda/rdms.h"
#include "rsa/rsa.h"
#include "rsa/scores.h"

namespace likewise::cuda::driver {
namespace {

constexpr Dissimilarity kDissimilarities[] = {Dissimilarity::correlation, Dissimilarity::cosine,
                                              Dissimilarity::euclidean, Dissimilarity::sqeuclidean};
constexpr RdmComparison kComparisons[] = {RdmComparison::cosine,     RdmComparison::corr,
                                          RdmComparison::spearman,   RdmComparison::rho_a,
                                          RdmComparison::cosine_cov, RdmComparison::corr_cov};

std::vector<int32_t> orders_of(int64_t rows, int count) {
  std::vector<int32_t> out;
  for (int k = 0; k < count; ++k) {
    std::vector<int32_t> order(static_cast<size_t>(rows));
    std::iota(order.begin(), order.end(), 0);
    if (k > 0) std::shuffle(order.begin(), order.end(), generator);
    out.insert(out.end(), order.begin(), order.end());
  }
  return out;
}

// Two items, each entry to its own precision. In the second one two samples have no direction, one
// has little, one is nearly that before it, one is another one again, and a unit is constant. All
// samples are `offset` from 0. Distances in double: of very different sizes.
template <class T>
void entries_of(int64_t rows, int64_t cols, Dissimilarity dissimilarity, double offset) {
  const int64_t size = rows * cols, pairs = condensed_size(rows);
  std::vector<T> x = normal<T>(size_t(2 * size));
  T* const second = x.data() + size;
  for (int64_t j = 0; j < cols; ++j) {
    second[3 * cols + j] = T(dissimilarity == Dissimilarity::correlation ? 3 : -offset);
    second[2 * cols + j] = second[3 * cols + j];
    second[cols + j] = second[3 * cols + j] + T(j == 1);
    second[5 * cols + j] = second[4 * cols + j] + T(j % 3) * T(1e-3);
    second[6 * cols + j] = second[4 * cols + j];
  }
  for (int64_t i = 0; i < rows; ++i) second[i * cols + 2] = 1;
  const bool extreme = sizeof(T) == 8 && is_distance(dissimilarity) && offset == 0;
  for (int64_t k = 0; k < 2 * size; ++k) {
    x[size_t(k)] = (x[size_t(k)] + T(offset)) * T(!extreme ? 1024 : k < size ? 1e30 : 1e-140);
  }
  std::vector<T> ones(size_t(2 * pairs), T(1));
  std::vector<T> expected(ones.size());
  std::vector<int64_t> without(2);
  for (const int item : {0, 1}) {
    const MatrixRef<const T> samples{x.data() + item * size, rows, cols, cols, 1};
    without[size_t(item)] =
        likewise::rdm(samples, dissimilarity, Unit::data, 1, expected.data() + item * pairs);
  }
  const OnDevice<T> data(x), out(expected.size());
  const OnDevice<int64_t> found_without(2);
  const OnDevice<RdmItem> items(2);
  Call call;
  rdms<T>(call.context(), data.get(), 2, rows, cols, dissimilarity, false, out.get(),
          found_without.get(), items.get());
  std::vector<T> found = out.values();
  for (size_t k = 0; k < found.size(); ++k) {
    found[k] = expected[k] == 0 ? found[k] + 1 : found[k] / expected[k];
  }
  agree(found, ones, sizeof(T) == 4 ? 3e-7 : 1e-11, "entries");
  agree(found_without.values(), without, 0, "samples without direction");
  const auto facts = items.values();
  expect(facts[0].constant_units == 0 && facts[1].constant_units == 1, "constant units");
  expect(!facts[0].constant && !facts[1].constant, "items that vary");
}

void entries() {
  for (const Dissimilarity dissimilarity : kDissimilarities) {
    entries_of<double>(9, 40, dissimilarity, 0);
    entries_of<float>(9, 40, dissimilarity, 4096);
  }
  entries_of<double>(8, 300, Dissimilarity::sqeuclidean, 4096);
  entries_of<float>(270, 3, Dissimilarity::cosine, 0);
}

template <class T>
void scores_of(int64_t rows, const RsaOptions& options) {
  const double tolerance = sizeof(T) == 4 ? 1e-6 : 1e-11;
  const auto findings = [](double* found, const Counts& counts) {
    return RsaFindings{found, {counts.row(2), counts.row(0), counts.row(1)}};
  };
  compare_grids<T>(
      planted<T>(rows), planted<T>(rows, 2), options, 3, tolerance,
      [&](double* found, const Counts& counts, const auto&... lists) {
        rsa_scores<T>(lists..., options, findings(found, counts));
      },
      likewise::rsa_scores);
  Stack<T> x = stack<T>(4, rows, 3), y = related(x, 5);
  compare_pairs(
      x, y, options, 3, tolerance,
      [&](double* found, const Counts& counts, const Context& context, const auto&...) {
        rsa_pairs<T>(context, x.batch(), y.batch(), rows, {1, {4}, {1}, {1}}, options,
                     findings(found, counts));
      },
      likewise::rsa_pairs);
}

// Lists of RDMs: of chains of ties; of large numbers; all equal, and all but one; with a NaN.
template <class T>
void lists_of_rdms(int64_t rows, RdmComparison comparison) {
  const int64_t size = condensed_size(rows);
  std::vector<T> p = normal<T>(size_t(5 * size)), q = normal<T>(size_t(2 * size));
  for (int64_t k = 0; k < size; ++k) {
    T* const at = p.data() + k;
    at[0] = T(std::round(8 * double(at[0])));
    if (sizeof(T) == 8 && k % 5 == 2) at[0] *= T(1 + 1e-16 * double(k % 50));
    at[size] *= T(sizeof(T) == 8 ? 1e200 : 1e30);
    at[2 * size] = T(0.1);
    at[3 * size] = T(0.1 * (1 + (k == size / 2 ? 1e-3 : 0)));
    q[size_t(k)] = T(1 + 7e-13 * double(k * 7 % size));
    q[size_t(size + k)] += at[0];
  }
  p[size_t(4 * size + 7)] = std::numeric_limits<T>::quiet_NaN();
  std::vector<double> scores(10);
  std::vector<int64_t> flat(7);
  likewise::compare_rdms(array_of(p, {5, size}), array_of(q, {2, size}), comparison, 1,
                         scores.data(), flat.data());
  const OnDevice<T> there_p(p), there_q(q);
  const OnDevice<double> found(10);
  const OnDevice<int64_t> found_flat(7);
  Call call;
  compare_rdms<T>(call.context(), there_p.get(), 5, there_q.get(), 2, rows, comparison, found.get(),
                  found_flat.get());
  agree(found.values(), scores, 1e-12, "scores of RDMs");
  agree(found_flat.values(), flat, 0, "flat RDMs");
}

void ranks() {
  for (const auto comparison : {RdmComparison::spearman, RdmComparison::rho_a}) {
    lists_of_rdms<double>(20, comparison);
    lists_of_rdms<float>(9, comparison);
    if (!thread_sanitizer()) scores_of<double>(9, {Dissimilarity::euclidean, comparison});
  }
  lists_of_rdms<double>(93, RdmComparison::spearman);  // 4278 entries: more than a tile
}

void vectors() {
  for (const RdmComparison comparison : kComparisons) {
    lists_of_rdms<double>(30, comparison);
    scores_of<double>(thread_sanitizer() ? 8 : 12, {Dissimilarity::sqeuclidean, comparison});
  }
  lists_of_rdms<float>(93, RdmComparison::corr);  // more than a part
  if (thread_sanitizer()) return;
  lists_of_rdms<double>(93, RdmComparison::corr_cov);
  scores_of<float>(93, {Dissimilarity::cosine, RdmComparison::cosine});
}

template <class T>
void gradients_of(int64_t rows, int64_t cols, const RsaOptions& options) {
  std::vector<T> samples = stack<T>(3, rows, cols).host;
  std::fill_n(samples.begin() + cols, cols, T(0));  // one without direction, and two equal ones
  std::copy_n(samples.begin() + 2 * cols, cols, samples.begin() + 3 * cols);
  Stack<T> x{samples, 3, rows, cols}, y = related(x, 3);
  compare_gradients<T>(x, y, options, sizeof(T) == 4 ? 1e-6 : 1e-10, rsa_gradients<T>,
                       likewise::rsa_gradients);
}

void gradients() {
  gradients_of<double>(6, 4, {Dissimilarity::correlation, RdmComparison::cosine});
  gradients_of<float>(6, 4, {Dissimilarity::euclidean, RdmComparison::corr});
  gradients_of<double>(6, 4, {Dissimilarity::sqeuclidean, RdmComparison::cosine_cov});
  gradients_of<double>(6, 4, {Dissimilarity::euclidean, RdmComparison::corr_cov});
  gradients_of<double>(6, 40, {Dissimilarity::cosine, RdmComparison::corr_cov});
  gradients_of<double>(34, 2, {Dissimilarity::sqeuclidean, RdmComparison::corr});
}

// Scores of samples in several orders, of kernel matrices and of RDMs.
template <class T>
void reordered(int64_t rows, int count, RdmComparison comparison) {
  Items<T> items(rows);
  for (const int cols : {2, 3}) items.add(normal<T>(size_t(rows * cols)));
  const std::vector<int32_t> orders = orders_of(rows, count);
  const OnDevice<int32_t> there(orders);
  const OnDevice<int64_t> unused(6);
  const RsaOptions options{Dissimilarity::sqeuclidean, comparison};
  const size_t size = size_t(count);
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;
  compare(
      size, 0, 0, tolerance,
      [&](const Context& context, double* found, const Counts&) {
        int64_t* const facts = unused.get();
        rsa_reordered<T>(context, items.there[0], items.there[1], rows, there.get(), count, options,
                         {found, {facts, facts + 2, facts + 4}});
      },
      [&](double* found, const Counts&) {
        likewise::rsa_reordered(items.here[0], items.here[1], orders.data(), count, options, 1,
                                found);
      });
  compare(
      size, 0, 0, tolerance,
      [&](const Context& context, double* found, const Counts&) {
        kernel_reordered<T>(context, items.there[0], items.there[1], rows, there.get(), count, {},
                            found);
      },
      [&](double* found, const Counts&) {
        expect(likewise::kernel_reordered(items.here[0], items.here[1], orders.data(), count, {}, 1,
                                          found),
               "few samples");
      });
}

const Topic rdm_topic("rdm", entries);
const Topic ranks_topic("ranks", ranks);
const Topic vectors_topic("vectors", vectors);
const Topic gradient_topic("rdm_gradient", gradients);
const Topic reordered_topic("reordered", [] {
  for (const auto comparison :
       {RdmComparison::cosine, RdmComparison::corr, RdmComparison::spearman}) {
    reordered<float>(5, 3, comparison);
    reordered<double>(66, 2, comparison);
  }
});

}  // namespace
}  // namespace likewise::cuda::driver
