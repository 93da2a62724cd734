#include "rsa/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/distinct.h"
#include "core/dtype.h"
#include "core/ties.h"
#include "linalg/batch.h"
#include "rsa/compared.h"
#include "rsa/rsa.h"

namespace likewise {
namespace {

// Items of representations and what is counted in them.
template <class T>
struct RdmsOf {
  std::vector<int64_t> constant, without;
  ComparedRdms rdms;

  RdmsOf(const std::vector<MatrixRef<const T>>& items, const RsaOptions& options, int threads)
      : constant(items.size(), 0),
        without(items.size(), 0),
        rdms(options.comparison, items[0].rows, int64_t(items.size()), kTieTolerance<double>,
             threads, [&](int64_t k, double* rdm) {
               constant[k] = constant_units(items[k]);
               without[k] =
                   likewise::rdm(items[k], options.dissimilarity, Unit::item, threads, rdm);
               return constant[k] < items[k].cols;
             }) {}

  void count(int64_t item, int64_t place, const RsaCounts& counts) const {
    counts.constant_units[place] = constant[item];
    counts.flat[place] = rdms.is_flat(item) ? 1 : 0;
    counts.without[place] = rdms.is_usable(item) ? without[item] : 0;
  }
};

template <class T>
std::vector<T> joined(const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

template <class T>
bool write_row(const MatrixRef<const T>& x, int64_t row, double* out) {
  for (int64_t k = 0; k < x.cols; ++k) out[k] = double(x(row, k));
  return true;
}

}  // namespace

bool RsaCounts::any() const {
  return std::any_of(constant_units, constant_units + 3 * items, [](int64_t n) { return n != 0; });
}

template <class T>
int64_t constant_units(const MatrixRef<const T>& x) {
  int64_t count = 0;
  std::vector<char> differs(size_t(x.cols), 0);
  for (int64_t i = 1; i < x.rows && count < x.cols; ++i) {
    for (int64_t j = 0; j < x.cols; ++j) {
      if (differs[j] || x(i, j) == x(0, j)) continue;
      differs[j] = 1;
      ++count;
    }
  }
  return x.cols - count;
}

template <class T>
void rsa_scores(const std::vector<MatrixRef<const T>>& a, const std::vector<MatrixRef<const T>>& b,
                const RsaOptions& options, int threads, double* scores, const RsaCounts& counts) {
  const RdmsOf<T> items(joined(a, b), options, threads);
  for (int64_t k = 0; k < counts.items; ++k) items.count(k, k, counts);
  items.rdms.score_all(int64_t(a.size()), threads, scores);
}

void rsa_pairs(const ArrayRef& x, const ArrayRef& y, const RsaOptions& options, int threads,
               double* scores, const RsaCounts& counts) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const DistinctItems<T> left(x), right(y);
    const RdmsOf<T> items(joined(left.items, right.items), options, threads);
    std::vector<int64_t> a, b;
    const int64_t pairs = left.places();
    for (int64_t k = 0; k < pairs; ++k) {
      a.push_back(left.at(k));
      b.push_back(int64_t(left.items.size()) + right.at(k));
      items.count(a.back(), k, counts);
      items.count(b.back(), pairs + k, counts);
    }
    items.rdms.score_pairs(a, b, threads, scores);
  });
}

template <class T>
void rsa_reordered(const MatrixRef<const T>& x, const MatrixRef<const T>& y, const int32_t* orders,
                   int64_t k, const RsaOptions& options, int threads, double* scores) {
  const RdmsOf<T> items({x, y}, options, threads);
  const int64_t n = x.rows;
  std::vector<double> condensed(size_t(condensed_size(n))), squares[2];
  for (int side = 0; side < 2; ++side) {
    items.rdms.expand(side, condensed.data());
    squares[side] = square_of(n, condensed.data());
  }
  reordered_products(squares[0].data(), squares[1].data(), n, orders, k, threads, scores);
}

template <class T>
void compare_rdms(const MatrixRef<const T>& p, const MatrixRef<const T>& q,
                  RdmComparison comparison, int threads, double* scores, int64_t* flat) {
  const ComparedRdms rdms(comparison, samples_of(p.cols), p.rows + q.rows, kTieTolerance<T>,
                          threads, [&](int64_t k, double* rdm) {
                            return k < p.rows ? write_row(p, k, rdm)
                                              : write_row(q, k - p.rows, rdm);
                          });
  for (int64_t k = 0; k < p.rows + q.rows; ++k) flat[k] = rdms.is_flat(k) ? 1 : 0;
  rdms.score_all(p.rows, threads, scores);
}

template <class T>
void compared_rdms(const MatrixRef<const T>& rdms, RdmComparison comparison, int threads,
                   double* out) {
  const ComparedRdms compared(comparison, samples_of(rdms.cols), rdms.rows, kTieTolerance<T>,
                              threads,
                              [&](int64_t k, double* rdm) { return write_row(rdms, k, rdm); });
  for (int64_t k = 0; k < rdms.rows; ++k) compared.expand(k, out + k * rdms.cols);
}

#define LIKEWISE_INSTANTIATE(T)                                                               \
  template int64_t constant_units<T>(const MatrixRef<const T>&);                              \
  template void rsa_scores<T>(const std::vector<MatrixRef<const T>>&,                         \
                              const std::vector<MatrixRef<const T>>&, const RsaOptions&, int, \
                              double*, const RsaCounts&);                                     \
  template void rsa_reordered<T>(const MatrixRef<const T>&, const MatrixRef<const T>&,        \
                                 const int32_t*, int64_t, const RsaOptions&, int, double*);   \
  template void compare_rdms<T>(const MatrixRef<const T>&, const MatrixRef<const T>&,         \
                                RdmComparison, int, double*, int64_t*);                       \
  template void compared_rdms<T>(const MatrixRef<const T>&, RdmComparison, int, double*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise
