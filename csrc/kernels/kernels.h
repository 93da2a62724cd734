#pragma once

#include <cstdint>

#include "core/counts.h"
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

// What is counted in items besides constant units: their KernelStatus.
constexpr int64_t kKernelStatus = 1;

// scores (a.size() x b.size()) of all pairs; an empty `b` stands for `a`. Scores of items with a
// status other than kKernelOverflow are NaN. All items have the same number of rows, at least 4 for
// unbiased. No n x n matrix is stored: the working memory stays below one twentieth of two stacks
// of them. Float items whose own HSIC is lost in its terms are copied in double.
void kernel_scores(const Arrays& a, const Arrays& b, const KernelOptions& options, int threads,
                   double* scores, const Counts& counts);

// scores[k] of x[k] with y[k] for all items of two batches with equal batch axes.
void kernel_pairs(const ArrayRef& x, const ArrayRef& y, const KernelOptions& options, int threads,
                  double* scores, const Counts& counts);

// The same with gradients by every entry of x and of y, contiguous and of their dtype; null: not
// wanted. Of a median bandwidth too: by the two samples, or two pairs of them, in the middle. NaN
// where the score is NaN. Some n x n matrices in double per item and thread are the working memory.
void kernel_gradients(const ArrayRef& x, const ArrayRef& y, const KernelOptions& options,
                      int threads, double* scores, const Counts& counts, void* grad_x,
                      void* grad_y);

// More samples than these are not reordered as kernel matrices: those would take 1 GiB.
constexpr int64_t kMostReordered = 8192;

// Scores of x with y, its samples in each of `count` orders (count x rows), in double: each side is
// prepared once, and an order of the samples is one of the rows and columns of its kernel matrix.
// False for what would take kernel matrices of too many samples.
[[nodiscard]] bool kernel_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders,
                                    int64_t count, const KernelOptions& options, int threads,
                                    double* scores);

}  // namespace likewise
