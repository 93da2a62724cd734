#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"

// Hilbert-Schmidt independence criterion (HSIC) and centred kernel alignment (CKA) of
// representations: rows are samples, K_pq = k(x_p, x_q) for the rows of X - mean(X).

namespace likewise {

enum class KernelFunction { linear, rbf, polynomial };
enum class HsicEstimator { biased, unbiased };

struct KernelOptions {
  KernelFunction function = KernelFunction::linear;
  HsicEstimator estimator = HsicEstimator::biased;
  bool normalize = true;   // CKA: HSIC(x, y) / sqrt(HSIC(x, x) HSIC(y, y))
  double bandwidth = 0.5;  // rbf: sigma of exp(-|a - b|^2 / (2 sigma^2)),
  bool median = true;      // or its ratio to the median distance of two samples
  int64_t degree = 3;      // polynomial: (gamma a'b + coef0)^degree
  double coef0 = 1;
  double gamma = 0;  // 0 stands for 1 / cols
};

// Why a score is NaN or infinite.
enum KernelStatus : int32_t {
  kKernelOk = 0,
  kKernelConstant = 1,     // all samples are equal
  kKernelNoBandwidth = 2,  // the median distance is zero
  kKernelNotPositive = 3,  // CKA: the unbiased HSIC of the representation with itself is not > 0
  kKernelOverflow = 4,     // HSIC: one of its scores is beyond the numbers of T
};

// A representation and what is needed of it once. Entries of (x - mean) * scale are within [-2, 2]:
// everything is computed on these, so that no scale of the data overflows or underflows.
template <class T>
struct KernelItem {
  MatrixRef<const T> x;
  const T* mean = nullptr;        // 2 x cols: the mean of each column and what its rounding left
  const double* norms = nullptr;  // rows: squared norms of the scaled and centred samples
  double scale = 1;               // a power of two
  double sigma = 0;               // rbf: bandwidth of the scaled samples
};

struct KernelFacts {
  double scale = 1;
  double sigma = 0;
  int64_t constant_units = 0;
};

// Fills mean (2 x cols) and norms (rows) of every x and returns the rest of what makes a
// KernelItem.
template <class T>
std::vector<KernelFacts> prepare_kernel_items(const std::vector<MatrixRef<const T>>& x,
                                              const std::vector<T*>& mean,
                                              const std::vector<double*>& norms,
                                              const KernelOptions& options, int threads);

// scores (a.size() x b.size()) of all pairs; `b` is ignored with `symmetric`, which compares a with
// itself. Status of every item into status_a and status_b (symmetric: status_a alone); scores of
// items with a status other than kKernelOverflow are NaN. All items have the same number of rows,
// at least 4 for unbiased. No n x n matrix is stored: the working memory stays below one twentieth
// of two stacks of them. Float items whose own HSIC is lost in its terms are copied in double.
template <class T>
void kernel_scores(const std::vector<KernelItem<T>>& a, const std::vector<KernelItem<T>>& b,
                   bool symmetric, const KernelOptions& options, int threads, double* scores,
                   int32_t* status_a, int32_t* status_b);

// scores[p] of x[p] with y[p], status (count x 2) and the number of constant units (count x 2).
template <class T>
void kernel_scores_paired(const std::vector<MatrixRef<const T>>& x,
                          const std::vector<MatrixRef<const T>>& y, const KernelOptions& options,
                          int threads, double* scores, int32_t* status, int64_t* constant_units);

// exp(x) for x <= 0 as the rbf kernel computes it: within 1 unit in the last place, 0 where exp(x)
// would be subnormal, NaN for NaN. For tests.
void kernel_exp(const ArrayRef& x, const ArrayRef& out);

}  // namespace likewise
