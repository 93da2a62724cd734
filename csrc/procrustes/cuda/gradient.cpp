#include "procrustes/cuda/gradient.h"

#include <algorithm>

#include "core/cuda/centred.h"
#include "core/cuda/elements.h"
#include "core/cuda/scratch.h"
#include "core/instantiate.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/svd.h"
#include "procrustes/cuda/directions.h"
#include "procrustes/cuda/gap_score.h"
#include "procrustes/cuda/procrustes_gradient.h"

namespace likewise::cuda {
namespace {

template <class T>
DeviceRef plain(const T* data, int64_t size) {
  return {data, sizeof(T) == 4 ? ElementType::float32 : ElementType::float64, 1, {size}, {1}};
}

double* doubles(const Context& context, int64_t n) { return context.temporary<double>(size_t(n)); }

// c (m x n) = op(a) op(b), of one pair.
void multiply(const Context& context, BlasOp op_a, BlasOp op_b, int64_t m, int64_t n, int64_t k,
              const double* a, const double* b, double* c) {
  const int64_t ld_a = op_a == BlasOp::none ? k : m, ld_b = op_b == BlasOp::none ? n : k;
  gemm<double>(blas_context(context.stream), op_a, op_b, m, n, k, 1, {a, ld_a, 0}, {b, ld_b, 0},
               {c, n, m * n}, 1);
}

// One representation (rows x cols) of unit norm, and what is compared of it: z (rows x rank), which
// is W f(S) of its decomposition W S V' where there is one.
class Side {
 public:
  template <class T>
  Side(const Context& context, const T* x, int64_t rows, int64_t cols,
       const ProcrustesOptions& options)
      : context_(context),
        alpha_(options.alpha),
        rows_(rows),
        cols_(cols),
        data_(doubles(context, rows * cols)),
        norm_(doubles(context, 1)) {
    double* const samples = doubles(context, rows * cols);
    copy_elements<double>(plain(x, rows * cols), samples, context.stream);
    const Centred<double> centred{data_, doubles(context, 1), doubles(context, cols),
                                  context.temporary<int64_t>(1), doubles(context, cols)};
    centre<double>(samples, 1, rows, cols, options.center, centred, context.stream);
    ItemDirections found{};
    int64_t* const ranks = context.temporary<int64_t>(2);
    if (alpha_ < 1) {
      found = existing_directions(context, samples, centred, 1, rows, cols, options.center,
                                  {ranks, ranks + 1});
    }
    normalise<double>(centred, 1, rows, cols, norm_, context.stream);
    z_ = data_;
    z_norm_ = norm_;
    rank_ = cols;
    if (alpha_ < 1) {
      take(found);
      reshape(ranks);
    } else if (cols > rows) {
      decompose_data();
      reshape(nullptr);
    }
  }

  int64_t rank() const { return rank_; }
  const double* z() const { return z_; }
  const double* norm() const { return norm_; }
  const double* z_norm() const { return z_norm_; }

  // out = gradient by the representation, `rotated` (rows x rank) being the other one's z.
  template <class T>
  void pull_back(const double* rotated, const ShapeSlopes* slopes, T* out) const {
    const int64_t size = rows_ * cols_;
    double* gradient = doubles(context_, rows_ * rank_);
    combine_items(rotated, z_, slopes, rows_ * rank_, gradient, context_.stream);
    if (left_) {
      if (alpha_ < 1) undo_reshaping(gradient);
      double* const of_data = doubles(context_, size);
      multiply(context_, BlasOp::none, BlasOp::none, rows_, cols_, rank_, gradient, right_,
               of_data);
      if (column_norms_) {
        scale_columns(of_data, column_norms_, true, 1, rows_, cols_, context_.stream);
      }
      gradient = of_data;
    }
    add_data(data_, slopes, size, gradient, context_.stream);
    copy_elements<T>(plain(gradient, size), out, context_.stream);
  }

 private:
  // Of columns scaled to unit norm, which no score of alpha = 0 sees, or along the principal axes
  // of the data.
  void take(const ItemDirections& found) {
    rank_ = found.width;
    left_ = found.left;
    right_ = found.right;
    values_ = found.values;
    column_norms_ = alpha_ == 0 ? found.norms : nullptr;
    if (alpha_ == 0) return;
    const PrincipalAxes axes = principal_axes(context_, found, data_, 1, rows_, cols_);
    left_ = doubles(context_, rank_ * rows_);
    multiply(context_, BlasOp::none, BlasOp::none, rank_, rows_, rank_, axes.axes, found.left,
             left_);
    right_ = axes.right;
    values_ = axes.values;
  }

  void decompose_data() {
    const JacobiSvd<double> svd = decompose<double>(context_, data_, 1, rows_, cols_);
    const bool tall = rows_ >= cols_;
    left_ = tall ? svd.columns : svd.right;  // rank x rows
    right_ = tall ? svd.right : svd.columns;
    values_ = svd.values;
    rank_ = svd.n;
  }

  void reshape(const int64_t* existing) {
    double* const scaled = doubles(context_, rank_);
    z_norm_ = doubles(context_, 1);
    reshape_spectrum({values_, scaled, z_norm_, norm_, existing, rank_, rows_, cols_, alpha_},
                     context_.stream);
    const int64_t size = rank_ * rows_;
    double* const turned = doubles(context_, size);
    copy_elements<double>(plain(left_, size), turned, context_.stream);
    scale_rows<double>(turned, scaled, 1, rank_, rows_, context_.stream);
    z_ = doubles(context_, size);
    const DeviceRef transposed{turned, ElementType::float64, 2, {rows_, rank_}, {1, rows_}};
    copy_elements<double>(transposed, z_, context_.stream);
  }

  void undo_reshaping(double* gradient) const {
    double* const within = doubles(context_, rank_ * rank_);
    double* const turned = doubles(context_, rank_ * rank_);
    double* const by_left = doubles(context_, rows_ * rank_);
    multiply(context_, BlasOp::none, BlasOp::none, rank_, rank_, rows_, left_, gradient, within);
    turn_within(within, values_, rank_, turned, context_.stream);
    multiply(context_, BlasOp::transpose, BlasOp::none, rows_, rank_, rank_, left_, turned,
             by_left);
    unshape(by_left, values_, rows_, rank_, alpha_, gradient, context_.stream);
  }

  const Context& context_;
  double alpha_;
  int64_t rows_, cols_, rank_;
  double *data_, *norm_, *z_, *z_norm_;
  double *left_ = nullptr, *right_ = nullptr, *values_ = nullptr;
  double* column_norms_ = nullptr;
};

// y and x rotated to each other, ds/dx and ds/dy before norms are taken, and how similar they are.
struct Alignment {
  double *of_x, *of_y, *similarity, *squared_distance;

  Alignment(const Context& context, const Side& x, const Side& y, int64_t rows)
      : of_x(doubles(context, rows * x.rank())),
        of_y(doubles(context, rows * y.rank())),
        similarity(doubles(context, 1)),
        squared_distance(doubles(context, 1)) {
    const int64_t p = x.rank(), q = y.rank();
    double* const product = doubles(context, p * q);
    multiply(context, BlasOp::transpose, BlasOp::none, p, q, rows, x.z(), y.z(), product);
    const JacobiSvd<double> svd = decompose<double>(context, product, 1, p, q);
    const bool tall = p >= q;
    const double* const left = tall ? svd.columns : svd.right;
    double* const right = tall ? svd.right : svd.columns;
    // The narrower item, rotated into the space of the wider one, keeps its norm.
    multiply(context, BlasOp::transpose, BlasOp::none, p, q, svd.n, left, right, product);
    rotate(context, x, y, rows, product);
    const bool forward = p <= q;
    squared_distances<double>(forward ? of_y : of_x, forward ? y.z() : x.z(), 0, 1,
                              rows * std::max(p, q), squared_distance, context.stream);
    double* const kept = doubles(context, svd.n);
    find_directions({svd.values, svd.n, p, q, kept, similarity}, context.stream);
    scale_rows<double>(right, kept, 1, svd.n, q, context.stream);
    multiply(context, BlasOp::transpose, BlasOp::none, p, q, svd.n, left, right, product);
    rotate(context, x, y, rows, product);
  }

 private:
  void rotate(const Context& context, const Side& x, const Side& y, int64_t rows,
              const double* factor) {
    const int64_t p = x.rank(), q = y.rank();
    multiply(context, BlasOp::none, BlasOp::transpose, rows, p, q, y.z(), factor, of_x);
    multiply(context, BlasOp::none, BlasOp::none, rows, q, p, x.z(), factor, of_y);
  }
};

}  // namespace

template <class T>
void procrustes_gradients(const Context& context, const Matrix<T>& x, const Matrix<T>& y,
                          int64_t count, int64_t rows, const ProcrustesOptions& options, T* grad_x,
                          T* grad_y) {
  const int64_t size_x = rows * x.cols, size_y = rows * y.cols;
  Scratch scratch(context);
  for (int64_t k = 0; k < count; ++k) {
    const Context& inner = scratch.next();
    const Side a(inner, x.data + k * size_x, rows, x.cols, options);
    const Side b(inner, y.data + k * size_y, rows, y.cols, options);
    const Alignment alignment(inner, a, b, rows);
    ShapeSlopes* const slopes = inner.temporary<ShapeSlopes>(2);
    relate_shapes({alignment.similarity, alignment.squared_distance, a.norm(), b.norm(), a.z_norm(),
                   b.z_norm(), slopes},
                  gap_score(options), inner.stream);
    if (grad_x) a.pull_back(alignment.of_x, slopes, grad_x + k * size_x);
    if (grad_y) b.pull_back(alignment.of_y, slopes + 1, grad_y + k * size_y);
  }
}

LIKEWISE_INSTANTIATE(procrustes_gradients);

}  // namespace likewise::cuda
