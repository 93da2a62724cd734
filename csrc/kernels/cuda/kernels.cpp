#include "kernels/cuda/kernels.h"

#include <algorithm>

#include "arrays/cuda/gather.h"
#include "core/cuda/centred.h"
#include "core/cuda/scratch.h"
#include "core/instantiate.h"
#include "kernels/cuda/gram.h"
#include "kernels/cuda/gram_options.h"
#include "kernels/cuda/median.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/products.h"
#include "linalg/cuda/reordered.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 32768;  // of one launch

// Centred items, one behind the other, and what their kernel matrices need.
template <class T>
class Items {
 public:
  Items(const Context& context, int64_t count, int64_t rows, int64_t elements,
        const GramOptions& options)
      : context_(context),
        scratch_(context),
        options_(options),
        rows_(rows),
        data_(context.temporary<T>(size_t(elements))),
        facts_(context.temporary<GramItem>(size_t(count))),
        norms_(context.temporary<double>(size_t(count * rows))),
        sums_(context.temporary<double>(size_t(count * rows))),
        squares_(context.temporary<double>(size_t(count * rows))),
        sizes_(context.temporary<double>(size_t(count * rows))) {}

  // The next `count` representations (rows x cols), one behind the other.
  void add(const T* x, int64_t count, int64_t cols, int64_t* constant_units) {
    const Context& context = scratch_.next();
    const int64_t first = int64_t(cols_.size()), size = rows_ * cols;
    const Centred<T> to{data_ + end_, context.temporary<double>(size_t(count)),
                        context.temporary<double>(size_t(count * cols)), constant_units,
                        context.temporary<double>(size_t(count * cols))};
    centre<T>(x, count, rows_, cols, true, to, context.stream);
    row_norms<T>(to.out, count * rows_, cols, norms_ + first * rows_, context.stream);
    double* const middle = context.temporary<double>(2);
    for (int64_t k = 0; k < count; ++k) {
      const T* const data = to.out + k * size;
      if (options_.median) {
        middle_distances<T>(median_scratch_.next(), x + k * size, to.unit + k, data, rows_, cols,
                            norms_ + (first + k) * rows_, middle, nullptr);
      }
      const GramFacts facts{x + k * size,
                            to.unit + k,
                            norms_ + (first + k) * rows_,
                            options_.median ? middle : nullptr,
                            rows_,
                            cols};
      describe_item(facts, options_, facts_ + first + k, context.stream);
      cols_.push_back(cols);
      begins_.push_back(end_);
      end_ += size;
    }
  }

  int64_t count() const { return int64_t(cols_.size()); }
  const GramItem* facts() const { return facts_; }
  const double* sums() const { return sums_; }
  const double* squares() const { return squares_; }
  // Of projected matrices, else null.
  const double* sizes() const { return projected_ ? sizes_ : nullptr; }

  // Rows [first, first + rows) of the kernel matrices of items [begin, begin + items); all rows:
  // projected.
  void kernel_rows(int64_t begin, int64_t items, int64_t first, int64_t rows, T* values) {
    for (int64_t k = 0, run = 0; k < items; k += run) {
      run = 1;
      while (k + run < items && cols_[begin + k + run] == cols_[begin + k]) ++run;
      inner_products(begin + k, run, first, rows, values + k * rows * rows_);
    }
    for (int64_t k = 0; k < items; k += kMostItems) {
      const int64_t from = begin + k;
      apply_kernel<T>({values + k * rows * rows_, facts_ + from, norms_ + from * rows_,
                       sums_ + from * rows_, squares_ + from * rows_,
                       std::min(kMostItems, items - k), rows * rows_, rows_, first, rows},
                      options_, context_.stream);
    }
    if (rows < rows_) return;  // a matrix whole is projected at once
    projected_ = true;
    for (int64_t k = 0; k < items; k += kMostItems) {
      const int64_t from = (begin + k) * rows_;
      project_grams<T>({values + k * rows * rows_, nullptr, nullptr, sums_ + from, squares_ + from,
                        std::min(kMostItems, items - k), rows * rows_, rows_, 0, rows},
                       options_, sizes_ + from, context_.stream);
    }
  }

 private:
  // Of `count` equally wide items in one call. 200 items of 2048 x 512 are 13 calls of 200 products
  // (163 x 2048 x 512, 68 GFLOP each) that fill the device, where 2600 calls each filled a quarter:
  // 18 ms at 50 TFLOP/s and no fewer than 35. Derived, not measured.
  void inner_products(int64_t item, int64_t count, int64_t first, int64_t rows, T* out) const {
    const T* const data = data_ + begins_[item];
    const int64_t cols = cols_[item], size = rows_ * cols;
    gemm<T>(blas_context(context_.stream), BlasOp::none, BlasOp::transpose, rows, rows_, cols, T(1),
            {data + first * cols, cols, size}, {data, cols, size}, {out, rows_, rows * rows_},
            count);
  }

  const Context& context_;
  Scratch scratch_;
  Scratch median_scratch_{context_};
  const GramOptions options_;
  int64_t rows_, end_ = 0;
  std::vector<int64_t> cols_, begins_;
  T* data_;
  GramItem* facts_;
  double *norms_, *sums_, *squares_, *sizes_;
  bool projected_ = false;
};

// Copies of *item behind it, by doubling: `count` with itself.
void repeat(GramItem* item, int64_t count, cudaStream_t stream) {
  for (int64_t there = 1; there < count; there *= 2) {
    check(cudaMemcpyAsync(item + there, item, size_t(std::min(there, count - there)) * sizeof *item,
                          cudaMemcpyDeviceToDevice, stream),
          "copy");
  }
}

}  // namespace

template <class T>
void kernel_scores(const Context& context, const std::vector<Matrix<T>>& a,
                   const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric,
                   const KernelOptions& options, const KernelFindings& out) {
  const GramOptions gram = gram_options(options);
  const int64_t count_a = int64_t(a.size()), count_b = symmetric ? count_a : int64_t(b.size());
  const int64_t count = symmetric ? count_a : count_a + count_b;
  if (count_a * count_b == 0) return;
  int64_t elements = 0;
  for (const auto* list : {&a, &b}) {
    for (const Matrix<T>& item : *list) elements += rows * item.cols;
  }
  Items<T> items(context, count, rows, elements, gram);
  for (const auto* list : {&a, &b}) {
    for (const Matrix<T>& item : *list) {
      items.add(item.data, 1, item.cols, out.constant_units + items.count());
    }
  }
  const int64_t fitting = kWorkBytes / (count * rows * int64_t(sizeof(T)));
  const int64_t block = std::clamp<int64_t>(fitting, 1, rows), size = count_a * count_b;
  T* const values = context.temporary<T>(size_t(count * block * rows));
  T* const parts = context.temporary<T>(size_t(product_parts<T>(count_a, count_b, block * rows)));
  double* const total = context.temporary<double>(size_t(size));
  check(cudaMemsetAsync(total, 0, size_t(size) * sizeof(double), context.stream), "memset");
  for (int64_t first = 0; first < rows; first += block) {
    const int64_t height = std::min(block, rows - first), length = height * rows;
    items.kernel_rows(0, count, first, height, values);
    const T* const other = symmetric ? values : values + count_a * length;
    add_all_products<T>(context, values, count_a, other, count_b, length, parts, total);
  }
  const int64_t at = symmetric ? 0 : count_a;
  score_grams({items.facts(), items.facts() + at, items.sums(), items.sums() + at * rows,
               items.squares(), items.squares() + at * rows, total, count_a, count_b, rows, false,
               symmetric, items.sizes(), items.sizes() ? items.sizes() + at * rows : nullptr,
               kernel_rounding<T>(), largest_number<T>(), out.scores, out.status, out.status + at},
              gram, context.stream);
}

template <class T>
void kernel_pairs(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t count,
                  int64_t rows, const KernelOptions& options, const KernelFindings& out) {
  if (count == 0) return;
  const GramOptions gram = gram_options(options);
  Items<T> items(context, 2 * count, rows, count * rows * (x.cols + y.cols), gram);
  items.add(x.data, count, x.cols, out.constant_units);
  items.add(y.data, count, y.cols, out.constant_units + count);
  double* const products = context.temporary<double>(size_t(count * rows));
  // As many pairs at a time as fit with all their rows, or one in blocks of rows.
  const int64_t fitting = std::max<int64_t>(1, kWorkBytes / (2 * rows * int64_t(sizeof(T))));
  const int64_t block = std::min(rows, fitting);
  const int64_t pairs = std::clamp<int64_t>(fitting / block, 1, std::min(count, kMostItems));
  T* const left = context.temporary<T>(size_t(pairs * block * rows));
  T* const right = context.temporary<T>(size_t(pairs * block * rows));
  for (int64_t k = 0; k < count; k += pairs) {
    const int64_t some = std::min(pairs, count - k);
    for (int64_t first = 0; first < rows; first += block) {
      const int64_t height = std::min(block, rows - first);
      items.kernel_rows(k, some, first, height, left);
      items.kernel_rows(count + k, some, first, height, right);
      row_products<T>(left, right, some, height * rows, rows, first, height, products + k * rows,
                      context.stream);
    }
  }
  for (int64_t k = 0; k < count; k += kMostItems) {
    const int64_t some = std::min(kMostItems, count - k), y_at = count + k;
    score_grams({items.facts() + k, items.facts() + y_at, items.sums() + k * rows,
                 items.sums() + y_at * rows, items.squares() + k * rows,
                 items.squares() + y_at * rows, products + k * rows, some, some, rows, true, false,
                 items.sizes() ? items.sizes() + k * rows : nullptr,
                 items.sizes() ? items.sizes() + y_at * rows : nullptr, kernel_rounding<T>(),
                 largest_number<T>(), out.scores + k, out.status + k, out.status + y_at},
                gram, context.stream);
  }
}

template <class T>
void kernel_reordered(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t rows,
                      const int32_t* orders, int64_t count, const KernelOptions& options,
                      double* scores) {
  if (count == 0) return;
  const GramOptions gram = gram_options(options);
  int64_t* const constant_units = context.temporary<int64_t>(2);
  Items<T> items(context, 2, rows, rows * (x.cols + y.cols), gram);
  items.add(x.data, 1, x.cols, constant_units);
  items.add(y.data, 1, y.cols, constant_units + 1);
  T* const values = context.temporary<T>(size_t(2 * rows * rows));
  items.kernel_rows(0, 2, 0, rows, values);
  // Row sums and sums of squares of y's kernel matrix, and of its products, in each order.
  const int64_t fitting = kWorkBytes / (3 * rows * int64_t(sizeof(double)));
  const int64_t block = std::clamp<int64_t>(fitting, 1, std::min(count, kMostItems));
  double* const sums = context.temporary<double>(size_t(block * rows));
  double* const squares = context.temporary<double>(size_t(block * rows));
  double* const sizes = context.temporary<double>(size_t(block * rows));
  double* const row_products = context.temporary<double>(size_t(block * rows));
  double* const products = context.temporary<double>(size_t(block));
  GramItem* const facts = context.temporary<GramItem>(size_t(block));
  int64_t* const status = context.temporary<int64_t>(size_t(1 + block));
  check(cudaMemcpyAsync(facts, items.facts() + 1, sizeof *facts, cudaMemcpyDeviceToDevice,
                        context.stream),
        "copy");
  repeat(facts, block, context.stream);
  for (int64_t first = 0; first < count; first += block) {
    const int64_t some = std::min(block, count - first);
    const int32_t* const here = orders + first * rows;
    gather_rows<double>({items.sums() + rows, 1, 1}, rows, here, some * rows, sums, context.stream);
    gather_rows<double>({items.squares() + rows, 1, 1}, rows, here, some * rows, squares,
                        context.stream);
    gather_rows<double>({items.sizes() + rows, 1, 1}, rows, here, some * rows, sizes,
                        context.stream);
    reordered_products<T>(values, values + rows * rows, rows, here, some, row_products, products,
                          context.stream);
    score_grams({items.facts(), facts, items.sums(), sums, items.squares(), squares, products, 1,
                 some, rows, false, false, items.sizes(), sizes, kernel_rounding<T>(),
                 largest_number<T>(), scores + first, status, status + 1},
                gram, context.stream);
  }
}

LIKEWISE_INSTANTIATE(kernel_scores);
LIKEWISE_INSTANTIATE(kernel_reordered);
LIKEWISE_INSTANTIATE(kernel_pairs);

}  // namespace likewise::cuda
