#include "rsa/compared.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/near_one.h"
#include "core/parallel.h"
#include "linalg/cross.h"
#include "rsa/ranks.h"
#include "rsa/rsa.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kVectorsPerItem = 8;  // rows of whole cache lines are written

// Sum of term(k) over blocks, in lanes that do not wait for each other.
template <class Term>
double sum_over(int64_t count, const Term& term) {
  constexpr int64_t kBlock = 4096, kLanes = 8;
  double total = 0;
  for (int64_t first = 0; first < count; first += kBlock) {
    const int64_t last = std::min(first + kBlock, count);
    double lanes[kLanes] = {};
    int64_t k = first;
    for (; k + kLanes <= last; k += kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(k + lane);
    }
    for (; k < last; ++k) lanes[0] += term(k);
    for (const double lane : lanes) total += lane;
  }
  return total;
}

// In place, -1/2 C D C of the distances D: inner products of centred samples, the diagonal behind.
void to_second_moments(int64_t n, double* vector) {
  std::vector<double> means(size_t(n), 0.0);
  const double* entry = vector;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j, ++entry) {
      means[i] += *entry;
      means[j] += *entry;
    }
  }
  for (double& mean : means) mean /= double(n);
  const double mean = sum_over(n, [&](int64_t i) { return means[i]; }) / double(n);
  double* out = vector;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j, ++out) *out = (means[i] + means[j] - mean - *out) / 2;
  }
  for (int64_t i = 0; i < n; ++i, ++out) *out = (means[i] - mean / 2) / std::numbers::sqrt2;
}

// Vectors side by side, several to an item.
template <class S>
std::vector<Item<double>> side_by_side(const S* data, int64_t size, int64_t count) {
  std::vector<Item<double>> items;
  for (int64_t first = 0; first < count; first += kVectorsPerItem) {
    const S* const from = data + first * size;
    const int64_t cols = std::min(kVectorsPerItem, count - first);
    items.push_back({nullptr, cols, [=](int64_t row, int64_t rows, double* out, int64_t ld) {
                       for (int64_t k = 0; k < rows; ++k) {
                         for (int64_t c = 0; c < cols; ++c)
                           out[k * ld + c] = from[c * size + row + k];
                       }
                     }});
  }
  return items;
}

}  // namespace

bool is_ranked(RdmComparison comparison) {
  return comparison == RdmComparison::spearman || comparison == RdmComparison::rho_a ||
         comparison == RdmComparison::tau_a || comparison == RdmComparison::tau_b;
}

bool is_centred(RdmComparison comparison) {
  return comparison == RdmComparison::corr || comparison == RdmComparison::corr_cov;
}

bool has_moments(RdmComparison comparison) {
  return comparison == RdmComparison::cosine_cov || comparison == RdmComparison::corr_cov;
}

int64_t compared_size(RdmComparison comparison, int64_t samples) {
  return condensed_size(samples) + (has_moments(comparison) ? samples : 0);
}

Compared standardise(RdmComparison comparison, int64_t samples, double tolerance, double* vector) {
  const int64_t entries = condensed_size(samples), size = compared_size(comparison, samples);
  double low = vector[0], high = vector[0], zero = 0;
  for (int64_t k = 0; k < entries; ++k) {
    low = std::min(low, vector[k]);
    high = std::max(high, vector[k]);
    zero += vector[k] * 0;
  }
  const double largest = std::max(-low, high);
  if (zero != 0) return {false, false, kNaN};
  if (is_centred(comparison) ? high - low <= tolerance * largest : largest == 0) {
    return {true, true, kNaN};
  }
  double scale = 1;
  if (!(largest > 1e-100 && largest < 1e100)) {  // squares must neither overflow nor vanish
    scale = near_one(largest);
    for (int64_t k = 0; k < entries; ++k) vector[k] *= scale;
  }
  if (is_centred(comparison)) {
    const double mean = sum_over(entries, [&](int64_t k) { return vector[k]; }) / double(entries);
    for (int64_t k = 0; k < entries; ++k) vector[k] -= mean;
  }
  if (has_moments(comparison)) to_second_moments(samples, vector);
  const double norm = std::sqrt(sum_over(size, [&](int64_t k) { return vector[k] * vector[k]; }));
  for (int64_t k = 0; k < size; ++k) vector[k] /= norm;
  return {true, false, norm / scale};
}

ComparedRdms::ComparedRdms(RdmComparison comparison, int64_t samples, int64_t count,
                           double tolerance, int threads,
                           const std::function<bool(int64_t k, double* rdm)>& write)
    : comparison_(comparison),
      count_(count),
      entries_(condensed_size(samples)),
      size_(compared_size(comparison, samples)),
      factors_(size_t(count), 1.0),
      usable_(size_t(count), 0),
      flat_(size_t(count), 0) {
  const int workers = int(std::clamp<int64_t>(threads, 1, std::max<int64_t>(count, 1)));
  if (!is_ranked(comparison)) {
    values_ = std::make_unique_for_overwrite<double[]>(size_t(count * size_));
    parallel_for(count, workers, [&](int64_t k, int) {
      double* const vector = values_.get() + k * size_;
      const bool scored = write(k, vector);
      const Compared found = standardise(comparison, samples, tolerance, vector);
      usable_[k] = scored && found.finite;
      flat_[k] = usable_[k] && found.flat;
      if (usable_[k] && !flat_[k]) return;
      factors_[k] = kNaN;
      std::fill_n(vector, size_, 0.0);
    });
    return;
  }
  ranks_ = std::make_unique_for_overwrite<int32_t[]>(size_t(count * size_));
  std::vector<Ranker> rankers(static_cast<size_t>(workers), Ranker(tolerance));
  std::vector<std::vector<double>> rdms(static_cast<size_t>(workers));
  parallel_for(count, workers, [&](int64_t k, int worker) {
    rdms[worker].resize(size_t(entries_));
    double* const rdm = rdms[worker].data();
    usable_[k] = write(k, rdm);
    keep_ranks(k, rankers[worker](rdm, entries_, ranks_.get() + k * size_));
  });
}

// `ties` as the ranker gives them. The squares of ranks of Spearman's rho are those of tied ones,
// of its mean over all ways to break ties of others.
void ComparedRdms::keep_ranks(int64_t k, double ties) {
  if (std::isnan(ties)) usable_[k] = 0;
  const double m = double(entries_), all = m * m * m - m;
  const bool differs =
      comparison_ == RdmComparison::spearman || comparison_ == RdmComparison::tau_b;
  flat_[k] = usable_[k] && differs && ties >= all;
  const double squares = (comparison_ == RdmComparison::spearman ? all - ties : all) / 3;
  if (!usable_[k] || flat_[k]) {
    factors_[k] = kNaN;
  } else if (!counts_pairs()) {
    factors_[k] = 1 / std::sqrt(squares);
  }
}

void ComparedRdms::score_all(int64_t rows, int threads, double* scores) const {
  const bool symmetric = rows == count_;
  const int64_t width = symmetric ? rows : count_ - rows;
  if (!counts_pairs()) {
    return ranks_ ? multiply_all(ranks_.get(), rows, threads, scores)
                  : multiply_all(values_.get(), rows, threads, scores);
  }
  parallel_for(rows * width, threads, [&](int64_t task, int) {
    const int64_t i = task / width, j = task % width;
    if (symmetric && j < i) return;
    scores[task] = tau(i, symmetric ? j : rows + j);
    if (symmetric) scores[j * width + i] = scores[task];
  });
}

template <class S>
void ComparedRdms::multiply_all(const S* data, int64_t rows, int threads, double* scores) const {
  const bool symmetric = rows == count_;
  const int64_t first = symmetric ? 0 : rows, width = count_ - first;
  for_each_product<double>(
      side_by_side(data, size_, rows), side_by_side(data + first * size_, size_, width), size_,
      symmetric ? Pairing::symmetric_with_self : Pairing::cross, threads,
      [&](int64_t block_i, int64_t block_j, const double* sums, int64_t ld, int) {
        const int64_t begin_i = block_i * kVectorsPerItem, begin_j = block_j * kVectorsPerItem;
        for (int64_t i = begin_i; i < std::min(begin_i + kVectorsPerItem, rows); ++i) {
          for (int64_t j = begin_j; j < std::min(begin_j + kVectorsPerItem, width); ++j) {
            const double score =
                sums[(i - begin_i) * ld + j - begin_j] * factors_[i] * factors_[first + j];
            scores[i * width + j] = score;
            if (symmetric && block_i != block_j) scores[j * width + i] = score;
          }
        }
      });
}

void ComparedRdms::score_pairs(const std::vector<int64_t>& a, const std::vector<int64_t>& b,
                               int threads, double* scores) const {
  parallel_for(int64_t(a.size()), threads, [&](int64_t k, int) {
    scores[k] = counts_pairs() ? tau(a[k], b[k]) : product(a[k], b[k]);
    poll_interrupt();
  });
}

double ComparedRdms::product(int64_t i, int64_t j) const {
  const auto multiply = [&](const auto* data) {
    const auto *x = data + i * size_, *y = data + j * size_;
    return sum_over(size_, [&](int64_t k) { return double(x[k]) * double(y[k]); });
  };
  return (ranks_ ? multiply(ranks_.get()) : multiply(values_.get())) * factors_[i] * factors_[j];
}

double ComparedRdms::tau(int64_t i, int64_t j) const {
  if (std::isnan(factors_[i]) || std::isnan(factors_[j])) return kNaN;
  const int32_t* const ranks = ranks_.get();
  const KendallCounts found = kendall_counts(ranks + i * size_, ranks + j * size_, size_);
  const double pairs = double(size_) * double(size_ - 1) / 2;
  if (comparison_ == RdmComparison::tau_a) return found.concordant_minus_discordant / pairs;
  const double untied = std::sqrt((pairs - found.ties_x) * (pairs - found.ties_y));
  return untied > 0 ? found.concordant_minus_discordant / untied : kNaN;
}

void ComparedRdms::expand(int64_t k, double* out) const {
  for (int64_t e = 0; e < size_; ++e) {
    out[e] = (ranks_ ? double(ranks_[k * size_ + e]) : values_[k * size_ + e]) * factors_[k];
  }
}

}  // namespace likewise
