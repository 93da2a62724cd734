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

  void count(int64_t item, int64_t place, const Counts& counts) const {
    counts(kConstantUnits, place) = constant[item];
    counts(kFlat, place) = rdms.is_flat(item) ? 1 : 0;
    counts(kWithout, place) = rdms.is_usable(item) ? without[item] : 0;
  }
};

template <class T>
bool write_row(const MatrixRef<const T>& x, int64_t row, double* out) {
  for (int64_t k = 0; k < x.cols; ++k) out[k] = double(x(row, k));
  return true;
}

}  // namespace

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

void rsa_scores(const Arrays& a, const Arrays& b, const RsaOptions& options, int threads,
                double* scores, const Counts& counts) {
  dispatch_float(a[0].dtype, [&](auto zero) {
    const RdmsOf<decltype(zero)> items(matrices<decltype(zero)>(joined(a, b)), options, threads);
    for (int64_t k = 0; k < counts.items; ++k) items.count(k, k, counts);
    items.rdms.score_all(int64_t(a.size()), threads, scores);
  });
}

void rsa_pairs(const ArrayRef& x, const ArrayRef& y, const RsaOptions& options, int threads,
               double* scores, const Counts& counts) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const DistinctItems<T> left(x), right(y);
    std::vector<MatrixRef<const T>> all = left.items;
    all.insert(all.end(), right.items.begin(), right.items.end());
    const RdmsOf<T> items(all, options, threads);
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

void rsa_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t k,
                   const RsaOptions& options, int threads, double* scores) {
  dispatch_float(x.dtype, [&](auto zero) {
    const auto given = matrices<decltype(zero)>({x, y});
    const RdmsOf<decltype(zero)> items(given, options, threads);
    const int64_t n = given[0].rows;
    std::vector<double> condensed(size_t(condensed_size(n))), squares[2];
    for (int side = 0; side < 2; ++side) {
      items.rdms.expand(side, condensed.data());
      squares[side] = square_of(n, condensed.data());
    }
    reordered_products(squares[0].data(), squares[1].data(), n, orders, k, threads, scores);
  });
}

void compare_rdms(const ArrayRef& p, const ArrayRef& q, RdmComparison comparison, int threads,
                  double* scores, int64_t* flat) {
  dispatch_float(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto given = matrices<T>({p, q});
    const int64_t rows = given[0].rows, count = rows + given[1].rows;
    const ComparedRdms rdms(comparison, samples_of(given[0].cols), count, kTieTolerance<T>, threads,
                            [&](int64_t k, double* rdm) {
                              return k < rows ? write_row(given[0], k, rdm)
                                              : write_row(given[1], k - rows, rdm);
                            });
    for (int64_t k = 0; k < count; ++k) flat[k] = rdms.is_flat(k) ? 1 : 0;
    rdms.score_all(rows, threads, scores);
  });
}

void compared_rdms(const ArrayRef& rdms, RdmComparison comparison, int threads, double* out) {
  dispatch_float(rdms.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixRef<const T> given = matrices<T>({rdms})[0];
    const ComparedRdms compared(comparison, samples_of(given.cols), given.rows, kTieTolerance<T>,
                                threads,
                                [&](int64_t k, double* rdm) { return write_row(given, k, rdm); });
    for (int64_t k = 0; k < given.rows; ++k) compared.expand(k, out + k * given.cols);
  });
}

template int64_t constant_units<float>(const MatrixRef<const float>&);
template int64_t constant_units<double>(const MatrixRef<const double>&);

}  // namespace likewise
