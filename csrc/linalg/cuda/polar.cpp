#include "linalg/cuda/polar.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/instantiate.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/polar_kernels.h"
#include "linalg/cuda/svd.h"

namespace likewise::cuda {
namespace {

struct Polynomial {  // a x + b x^3 + c x^5
  double a, b, c;
};
constexpr Polynomial kLifting{3.7432344, -8.7418436, 5.7768196};  // multiplies what is small by a
constexpr Polynomial kClosing[] = {
    {3.5769964, -7.6930986, 4.9359771},
    {2.5501915, -2.99457, 1.4194662},
    {1.8789798, -1.2570816, 0.37807959},
    {1.5, -0.5, 0},
    {1.5, -0.5, 0},
    {1.5, -0.5, 0},
};
template <class T>
constexpr int kLiftingSteps = std::is_same_v<T, float> ? 9 : 27;
template <class T>  // as far as rounding leaves factors alone
constexpr int kFactorSteps = std::is_same_v<T, float> ? 9 : 18;

// Polynomials of a batch of matrices, in turns between two buffers.
template <class T>
class Iteration {
 public:
  Iteration(const Context& context, int64_t count, int64_t rows, int64_t cols)
      : context_(context),
        blas_(blas_context(context.stream)),
        rows_(rows),
        cols_(cols),
        side_(std::min(rows, cols)),
        x_(context.temporary<T>(size_t(count * rows * cols))),
        next_(context.temporary<T>(size_t(count * rows * cols))),
        gram_(context.temporary<T>(size_t(count * side_ * side_))),
        factor_(context.temporary<T>(size_t(count * side_ * side_))) {}

  // The matrix X to work on, and after all steps the result.
  T* x() const { return x_; }

  // X'X, or XX' where that is smaller.
  const T* gram(int64_t count) {
    const bool tall = rows_ >= cols_;
    const BlasOp left = tall ? BlasOp::transpose : BlasOp::none;
    const BlasOp right = tall ? BlasOp::none : BlasOp::transpose;
    const Matrices<const T> x{x_, cols_, rows_ * cols_};
    gemm<T>(blas_, left, right, side_, side_, std::max(rows_, cols_), T(1), x, x,
            {gram_, side_, side_ * side_}, count);
    return gram_;
  }

  // X (a + b X'X + c (X'X)^2), or with XX' from the left where that is smaller.
  void apply(const Polynomial& p, int64_t count) {
    const bool tall = rows_ >= cols_;
    const int64_t size = rows_ * cols_, square = side_ * side_;
    const Matrices<const T> x{x_, cols_, size}, gram{this->gram(count), side_, square};
    const Matrices<const T> factor{factor_, side_, square};
    gemm<T>(blas_, BlasOp::none, BlasOp::none, side_, side_, side_, T(p.c), gram, gram,
            {factor_, side_, square}, count);
    add_polynomial<T>(factor_, gram_, count, side_, T(p.a), T(p.b), context_.stream);
    gemm<T>(blas_, BlasOp::none, BlasOp::none, rows_, cols_, side_, T(1), tall ? x : factor,
            tall ? factor : x, {next_, cols_, size}, count);
    std::swap(x_, next_);
  }

 private:
  const Context& context_;
  BlasContext* blas_;
  int64_t rows_, cols_, side_;
  T *x_, *next_, *gram_, *factor_;
};

bool by_values() {
  static const char* const chosen = std::getenv("LIKEWISE_NUCLEAR_NORMS");
  return chosen && std::string_view(chosen) == "values";
}

// Nuclear norms; `visit(first, items, iteration)` sees the factors of every part.
template <class T, class Visit>
void iterate(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols,
             int lifting, double* out, Visit&& visit) {
  const int64_t size = rows * cols, side = std::min(rows, cols);
  const int64_t bytes = int64_t(sizeof(T)) * (3 * size + 2 * side * side);
  const int64_t chunk = std::min(count, std::max<int64_t>(1, kWorkBytes / bytes));
  T* const scaled = context.temporary<T>(size_t(chunk * size));
  double* const norms = context.temporary<double>(size_t(chunk));
  Iteration<T> iteration(context, chunk, rows, cols);
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t items = std::min(chunk, count - first);
    divide_by_norm<T>(a + first * size, items, size, scaled, norms, context.stream);
    check(cudaMemcpyAsync(iteration.x(), scaled, size_t(items * size) * sizeof(T),
                          cudaMemcpyDeviceToDevice, context.stream),
          "copy");
    for (int step = 0; step < lifting; ++step) iteration.apply(kLifting, items);
    for (const Polynomial& closing : kClosing) iteration.apply(closing, items);
    inner_products<T>(iteration.x(), scaled, norms, items, size, out + first, context.stream);
    visit(first, items, iteration);
  }
}

}  // namespace

template <class T>
void nuclear_norms(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols,
                   double* out, const PolarVisitor<T>& visit) {
  if (std::is_same_v<T, float> && !visit && by_values()) {
    const int64_t side = std::min(rows, cols);
    T* const values = context.temporary<T>(size_t(count * side));
    svdvals<T>(context, a, count, rows, cols, values);
    return sum_values<T, double>(values, count, side, out, context.stream);
  }
  iterate(context, a, count, rows, cols, kLiftingSteps<T>, out,
          [&](int64_t first, int64_t items, Iteration<T>& iteration) {
            if (visit) visit(first, items, iteration.x());
          });
}

template <class T>
void polar_factors(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols,
                   T* factors, double* norms, int* deficient) {
  const int64_t size = rows * cols;
  iterate(context, a, count, rows, cols, kFactorSteps<T>, norms,
          [&](int64_t first, int64_t items, Iteration<T>& iteration) {
            check(cudaMemcpyAsync(factors + first * size, iteration.x(),
                                  size_t(items * size) * sizeof(T), cudaMemcpyDeviceToDevice,
                                  context.stream),
                  "copy");
            flag_other_than_unit<T>(iteration.gram(items), items, std::min(rows, cols),
                                    deficient + first, context.stream);
          });
}

LIKEWISE_INSTANTIATE(nuclear_norms);
LIKEWISE_INSTANTIATE(polar_factors);

}  // namespace likewise::cuda
