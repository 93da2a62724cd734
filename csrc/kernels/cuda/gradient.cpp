#include "kernels/cuda/gradient.h"

#include "core/cuda/centred.h"
#include "core/cuda/scratch.h"
#include "core/instantiate.h"
#include "kernels/cuda/gram_gradient.h"
#include "kernels/cuda/gram_options.h"
#include "kernels/cuda/median.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/products.h"

namespace likewise::cuda {
namespace {

// One representation (rows x cols), centred, and its projected kernel matrix.
template <class T>
class Side {
 public:
  Side(const Context& context, const T* x, int64_t rows, int64_t cols, const GramOptions& options)
      : context_(context), options_(options), rows_(rows), cols_(cols) {
    centre_samples(x);
    multiply();
    evaluate_kernel<T>(gram_, options_, context_.stream);
    project_kernel(gram_, options_, context_.stream);
  }

  const GramSide& gram() const { return gram_; }

  // out = gradient by the representation.
  void pull_back(const GramSide& other, const GramSlopes* slopes, T* out) const {
    const GramPull pull{gram_,  other.kernel,   slopes,        middle_,
                        pairs_, doubles(rows_), doubles(rows_)};
    if (options_.function != GramFunction::linear) {
      sum_weights(pull, options_, context_.stream);
    }
    T* const weights = context_.temporary<T>(size_t(rows_ * rows_));
    write_weights<T>(pull, options_, weights, context_.stream);
    gemm<T>(blas_context(context_.stream), BlasOp::none, BlasOp::none, rows_, cols_, rows_, T(1),
            {weights, rows_, 0}, {samples_, cols_, 0}, {out, cols_, rows_ * cols_}, 1);
  }

 private:
  double* doubles(int64_t n) const { return context_.temporary<double>(size_t(n)); }

  void centre_samples(const T* x) {
    samples_ = context_.temporary<T>(size_t(rows_ * cols_));
    const Centred<T> to{samples_, doubles(1), doubles(cols_), context_.temporary<int64_t>(1),
                        doubles(cols_)};
    centre<T>(x, 1, rows_, cols_, true, to, context_.stream);
    double* const norms = doubles(rows_);
    row_norms<T>(samples_, rows_, cols_, norms, context_.stream);
    if (options_.median) {
      middle_ = doubles(2);
      pairs_ = context_.temporary<unsigned long long>(2);
      middle_distances<T>(context_, x, to.unit, samples_, rows_, cols_, norms, middle_, pairs_);
    }
    GramItem* const item = context_.temporary<GramItem>(1);
    describe_item({x, to.unit, norms, middle_, rows_, cols_}, options_, item, context_.stream);
    gram_.rows = rows_;
    gram_.item = item;
    gram_.unit = to.unit;
    gram_.norms = norms;
  }

  void multiply() {
    const int64_t size = rows_ * rows_;
    double* const products = doubles(size);
    T* const parts = context_.temporary<T>(size_t(product_parts<T>(rows_, rows_, cols_)));
    check(cudaMemsetAsync(products, 0, size_t(size) * sizeof(double), context_.stream), "memset");
    add_all_products<T>(context_, samples_, rows_, samples_, rows_, cols_, parts, products);
    gram_.products = products;
    gram_.kernel = options_.function == GramFunction::linear ? products : doubles(size);
    gram_.sums = doubles(rows_);
    gram_.squares = doubles(rows_);
    gram_.projected = doubles(rows_);
  }

  const Context& context_;
  const GramOptions& options_;
  int64_t rows_, cols_;
  GramSide gram_{};
  T* samples_ = nullptr;
  double* middle_ = nullptr;
  unsigned long long* pairs_ = nullptr;
};

}  // namespace

template <class T>
void kernel_gradients(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t count,
                      int64_t rows, const KernelOptions& options, T* grad_x, T* grad_y) {
  const GramOptions gram = gram_options(options);
  const int64_t size_x = rows * x.cols, size_y = rows * y.cols;
  Scratch scratch(context);
  for (int64_t k = 0; k < count; ++k) {
    const Context& inner = scratch.next();
    const Side<T> a(inner, x.data + k * size_x, rows, x.cols, gram);
    const Side<T> b(inner, y.data + k * size_y, rows, y.cols, gram);
    double* const products = inner.temporary<double>(size_t(rows));
    GramSlopes* const slopes = inner.temporary<GramSlopes>(2);
    row_products<double>(a.gram().kernel, b.gram().kernel, 1, 0, rows, 0, rows, products,
                         inner.stream);
    relate_kernels(a.gram(), b.gram(), products, gram, kernel_rounding<T>(), slopes, inner.stream);
    if (grad_x) a.pull_back(b.gram(), slopes, grad_x + k * size_x);
    if (grad_y) b.pull_back(a.gram(), slopes + 1, grad_y + k * size_y);
  }
}

LIKEWISE_INSTANTIATE(kernel_gradients);

}  // namespace likewise::cuda
