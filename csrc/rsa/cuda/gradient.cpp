#include "rsa/cuda/gradient.h"

#include "core/cuda/elements.h"
#include "core/cuda/scratch.h"
#include "core/instantiate.h"
#include "linalg/cuda/gemm.h"
#include "rsa/cuda/prepared.h"
#include "rsa/cuda/rdm_gradient.h"
#include "rsa/cuda/rdms.h"
#include "rsa/cuda/vectors.h"

namespace likewise::cuda {
namespace {

const PairAxes kOnePair{1, {1}, {1}, {1}};

template <class T>
DeviceRef plain(const T* data, int64_t size) {
  return {data, sizeof(T) == 4 ? ElementType::float32 : ElementType::float64, 1, {size}, {1}};
}

// One representation (rows x cols) in double, and what the comparison sees of its RDM.
class Side {
 public:
  Side(const Context& context, int64_t rows, int64_t cols, const RsaOptions& options)
      : context_(context),
        options_(options),
        rows_(rows),
        cols_(cols),
        centred_(options.comparison == RdmComparison::corr ||
                 options.comparison == RdmComparison::corr_cov),
        moments_(options.comparison == RdmComparison::cosine_cov ||
                 options.comparison == RdmComparison::corr_cov),
        samples_(doubles(rows * cols)),
        item_(context.temporary<RdmItem>(1)) {}

  template <class T>
  void read(const T* x) {
    copy_elements<double>(plain(x, rows_ * cols_), samples_, context_.stream);
    const int64_t entries = condensed_size(rows_);
    rdm_ = doubles(entries);
    int64_t* const findings = context_.temporary<int64_t>(3);
    rdms<double>(context_, samples_, 1, rows_, cols_, options_.dissimilarity, true, rdm_, findings,
                 item_);
    vector_ = {rdm_, entries, nullptr, nullptr};
    double* const partial = doubles(vector_parts(rows_ * rows_));
    if (centred_) {
      double* const shift = doubles(1);
      find_flat(rdm_, 1, entries, kTieTolerance<double>, item_, context_.stream);
      vector_means(vector_, 1, partial, shift, context_.stream);
      vector_.shifts = shift;
    }
    if (moments_) {
      double* const moments = doubles(rows_ * (rows_ + 1) / 2);
      second_moments(vector_, 1, rows_, doubles(rows_), moments, context_.stream);
      vector_ = {moments, rows_ * (rows_ + 1) / 2, nullptr, nullptr};
    }
    double* const factor = doubles(1);
    pair_products<double>(vector_, vector_, kOnePair, 0, 1, partial, context_.stream);
    conclude({partial, vector_parts(vector_.size), vector_.size, item_, factor, findings,
              findings + 1, findings + 2},
             1, Squares::sums, context_.stream);
    vector_.factors = factor;
  }

  const Vectors<double>& vector() const { return vector_; }

  // out = gradient by the representation.
  template <class T>
  void pull_back(const Vectors<double>& other, const double* score, T* out) const {
    double* const weights = doubles(rows_ * rows_);
    double* const sums = doubles(rows_);
    weigh_entries({vector_, other, score, rows_, moments_, weights, sums}, context_.stream);
    weigh_samples({weights, sums, centred_, rdm_, item_, rows_}, options_.dissimilarity,
                  context_.stream);
    const int64_t size = rows_ * cols_;
    const bool distances = is_distance(options_.dissimilarity);
    Points points{doubles(size), doubles(rows_), item_, nullptr, nullptr};
    if (!distances) {
      SampleFacts* const facts = context_.temporary<SampleFacts>(size_t(rows_));
      double* const centre = doubles(cols_);
      describe_samples<double>(samples_, 1, rows_, cols_,
                               options_.dissimilarity == Dissimilarity::correlation, facts, nullptr,
                               context_.stream);
      mean_directions<double>(samples_, facts, 1, rows_, cols_, centre, context_.stream);
      points.facts = facts;
      points.centres = centre;
    }
    place_points<double>(samples_, 1, rows_, cols_, options_.dissimilarity, points,
                         context_.stream);
    double* const gradient = doubles(size);
    gemm<double>(blas_context(context_.stream), BlasOp::none, BlasOp::none, rows_, cols_, rows_, 1,
                 {weights, rows_, 0}, {points.out, cols_, 0}, {gradient, cols_, size}, 1);
    if (!distances) {
      project_rows(samples_, points.facts, rows_, cols_, gradient, context_.stream);
    }
    copy_elements<T>(plain(gradient, size), out, context_.stream);
  }

 private:
  double* doubles(int64_t n) const { return context_.temporary<double>(size_t(n)); }

  const Context& context_;
  const RsaOptions options_;
  int64_t rows_, cols_;
  bool centred_, moments_;
  double *samples_, *rdm_ = nullptr;
  RdmItem* item_;
  Vectors<double> vector_{};
};

}  // namespace

template <class T>
void rsa_gradients(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t count,
                   int64_t rows, const RsaOptions& options, T* grad_x, T* grad_y) {
  const int64_t size_x = rows * x.cols, size_y = rows * y.cols;
  Scratch scratch(context);
  for (int64_t k = 0; k < count; ++k) {
    const Context& inner = scratch.next();
    Side a(inner, rows, x.cols, options), b(inner, rows, y.cols, options);
    a.read(x.data + k * size_x);
    b.read(y.data + k * size_y);
    const int64_t parts = vector_parts(a.vector().size);
    double* const partial = inner.temporary<double>(size_t(parts));
    double* const score = inner.temporary<double>(1);
    pair_products<double>(a.vector(), b.vector(), kOnePair, 0, 1, partial, inner.stream);
    pair_scores(partial, parts, a.vector().factors, b.vector().factors, kOnePair, 0, 1, score,
                inner.stream);
    if (grad_x) a.pull_back(b.vector(), score, grad_x + k * size_x);
    if (grad_y) b.pull_back(a.vector(), score, grad_y + k * size_y);
  }
}

LIKEWISE_INSTANTIATE(rsa_gradients);

}  // namespace likewise::cuda
