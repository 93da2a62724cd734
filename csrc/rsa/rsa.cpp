#include "rsa/rsa.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/copy.h"
#include "core/parallel.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr int64_t kRowsPerTask = 64;
constexpr int64_t kVectorsPerItem = 8;

// Rows ready for products: of unit norm (correlation: centred before), or (distances) measured from
// the first sample, which keeps whole numbers whole and equal distances equal, in units of a power
// of two, which is returned through `unit`.
template <class T>
int64_t standardized(const MatrixRef<const T>& x, Dissimilarity dissimilarity, std::vector<T>& out,
                     double& unit) {
  const int64_t n = x.rows, d = x.cols;
  out.resize(size_t(n * d));
  copy_matrix(x, out.data());
  unit = 1;
  std::vector<double> values(static_cast<size_t>(d));
  if (is_distance(dissimilarity)) {
    const std::vector<T> origin(out.begin(), out.begin() + d);
    double largest = 0;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < d; ++j) {
        largest = std::max(largest, std::abs(double(out[i * d + j]) - double(origin[j])));
      }
    }
    if (largest > 0 && std::isfinite(largest)) unit = std::ldexp(1.0, std::ilogb(largest));
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < d; ++j) {
        out[i * d + j] = T((double(out[i * d + j]) - double(origin[j])) / unit);
      }
    }
    return 0;
  }
  int64_t without = 0;
  for (int64_t i = 0; i < n; ++i) {
    T* row = out.data() + i * d;
    T low = row[0], high = row[0];
    for (int64_t j = 1; j < d; ++j) {
      low = std::min(low, row[j]);
      high = std::max(high, row[j]);
    }
    const double size = std::max(std::abs(double(low)), std::abs(double(high)));
    const bool flat = dissimilarity == Dissimilarity::correlation && low == high;
    if (size == 0 || flat) {
      std::fill_n(row, d, T(0));
      ++without;
      continue;
    }
    const double scale = std::isfinite(size) ? std::ldexp(1.0, -std::ilogb(size)) : 1;
    double mean = 0;
    for (int64_t j = 0; j < d; ++j) {
      values[j] = double(row[j]) * scale;
      mean += values[j];
    }
    mean = dissimilarity == Dissimilarity::cosine ? 0 : mean / double(d);
    double squares = 0;
    for (double& value : values) {
      value -= mean;
      squares += value * value;
    }
    const double factor = 1 / std::sqrt(squares);
    for (int64_t j = 0; j < d; ++j) row[j] = T(values[j] * factor);
  }
  return without;
}

double pairs_of(int64_t count) { return double(count) * double(count - 1) / 2; }

// Vectors of ranks side by side, `most` to an item: rows of whole cache lines are written.
std::vector<Item<double>> items_of(const std::vector<const int32_t*>& vectors, int64_t most) {
  std::vector<Item<double>> items;
  for (int64_t first = 0; first < int64_t(vectors.size()); first += most) {
    const int32_t* const* from = vectors.data() + first;
    const int64_t cols = std::min(most, int64_t(vectors.size()) - first);
    items.push_back(
        {nullptr, cols, [from, cols](int64_t row, int64_t count, double* out, int64_t ld) {
           for (int64_t k = 0; k < count; ++k) {
             for (int64_t c = 0; c < cols; ++c) out[k * ld + c] = from[c][row + k];
           }
         }});
  }
  return items;
}

// Sorts and returns the number of pairs that were in the wrong order.
double sort_and_count(std::vector<int32_t>& values, std::vector<int32_t>& buffer) {
  const int64_t n = int64_t(values.size());
  buffer.resize(values.size());
  double inversions = 0;
  for (int64_t width = 1; width < n; width *= 2) {
    for (int64_t begin = 0; begin < n; begin += 2 * width) {
      const int64_t middle = std::min(begin + width, n), end = std::min(begin + 2 * width, n);
      int64_t i = begin, j = middle, crossed = 0;
      for (int64_t k = begin; k < end; ++k) {
        if (i < middle && (j >= end || values[i] <= values[j])) {
          buffer[k] = values[i++];
        } else {
          buffer[k] = values[j++];
          crossed += middle - i;
        }
      }
      inversions += double(crossed);
    }
    values.swap(buffer);
    poll_interrupt();
  }
  return inversions;
}

}  // namespace

template <class T>
int64_t rdm(const MatrixRef<const T>& x, Dissimilarity dissimilarity, int threads, T* out) {
  const int64_t n = x.rows, d = x.cols;
  const bool distance = is_distance(dissimilarity);
  std::vector<T> rows;
  double unit = 1;
  const int64_t without = standardized(x, dissimilarity, rows, unit);
  std::vector<double> norms(size_t(n), 0.0);
  for (int64_t i = 0; distance && i < n; ++i) {
    const T* row = rows.data() + i * d;
    for (int64_t j = 0; j < d; ++j) norms[i] += double(row[j]) * double(row[j]);
  }
  std::vector<std::vector<T>> workspaces(size_t(std::max(threads, 1)));
  parallel_for((n + kRowsPerTask - 1) / kRowsPerTask, threads, [&](int64_t task, int worker) {
    const int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, n - first);
    const int64_t width = n - first;  // only the upper triangle
    std::vector<T>& products = workspaces[worker];
    products.resize(size_t(count * width));
    gemm<T>(Op::none, Op::transpose, count, width, d, T(1), rows.data() + first * d, d,
            rows.data() + first * d, d, T(0), products.data(), width);
    for (int64_t i = first; i < first + count; ++i) {
      T* to = out + i * (2 * n - i - 1) / 2;
      const T* from = products.data() + (i - first) * width + (i - first) + 1;
      for (int64_t j = i + 1; j < n; ++j, ++from, ++to) {
        if (!distance) {
          *to = T(1) - *from;
          continue;
        }
        double square = norms[i] + norms[j] - 2 * double(*from);
        // Nearly equal samples: the difference itself.
        if (square < 1e-2 * (norms[i] + norms[j])) {
          square = 0;
          for (int64_t t = 0; t < d; ++t) {
            const double step = (double(x(i, t)) - double(x(j, t))) / unit;
            square += step * step;
          }
        }
        *to = T(dissimilarity == Dissimilarity::euclidean ? std::sqrt(square) * unit
                                                          : square * unit * unit);
      }
    }
    poll_interrupt();
  });
  return without;
}

template <class T>
void resample_rdm(const T* square, int64_t n, const int32_t* draws, int64_t count, int threads,
                  T* out) {
  parallel_for(count, threads, [&](int64_t k, int) {
    const int32_t* const samples = draws + k * n;
    T* to = out + k * condensed_size(n);
    for (int64_t i = 0; i < n; ++i) {
      const T* const row = square + samples[i] * n;
      for (int64_t j = i + 1; j < n; ++j) *to++ = row[samples[j]];
    }
  });
}

void rank_products(const std::vector<const int32_t*>& a, const std::vector<const int32_t*>& b,
                   int64_t n, Pairing pairing, int threads,
                   const std::function<void(int64_t i, int64_t j, double sum)>& visit) {
  const int64_t most = pairing == Pairing::paired ? 1 : kVectorsPerItem;
  const bool symmetric = pairing == Pairing::symmetric;
  for_each_product<double, double>(
      items_of(a, most), items_of(b, most), n, symmetric ? Pairing::symmetric_with_self : pairing,
      threads, [&](int64_t i, int64_t j, const double* sums, int64_t ld, int) {
        const int64_t last_a = std::min(most, int64_t(a.size()) - i * most);
        const int64_t last_b = std::min(most, int64_t((symmetric ? a : b).size()) - j * most);
        for (int64_t r = 0; r < last_a; ++r) {
          for (int64_t c = symmetric && i == j ? r + 1 : 0; c < last_b; ++c) {
            visit(i * most + r, j * most + c, sums[r * ld + c]);
          }
        }
      });
}

KendallCounts kendall_counts(const int32_t* x, const int32_t* y, int64_t n) {
  // Positions in the order of x: a shared rank is the mean of those that its values take.
  std::vector<int32_t> next(size_t(2 * n), 0);
  for (int64_t k = 0; k < n; ++k) ++next[x[k] + n];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<int32_t> values(static_cast<size_t>(n)), buffer;
  for (int64_t k = 0; k < n; ++k) values[--next[x[k] + n]] = y[k];
  KendallCounts counts;
  double ties_both = 0;
  for (int64_t begin = 0, rank = 0; begin < n; ++rank) {
    const int64_t end = rank + 1 < 2 * n ? next[rank + 1] : n;
    if (end == begin) continue;
    std::sort(values.begin() + begin, values.begin() + end);
    counts.ties_x += pairs_of(end - begin);
    for (int64_t k = begin, same = begin; k < end; ++k) {
      if (values[k] != values[same]) same = k;
      ties_both += double(k - same);
    }
    begin = end;
  }
  const double discordant = sort_and_count(values, buffer);
  for (int64_t begin = 0, end = 0; begin < n; begin = end) {
    while (end < n && values[end] == values[begin]) ++end;
    counts.ties_y += pairs_of(end - begin);
  }
  counts.concordant_minus_discordant =
      pairs_of(n) - counts.ties_x - counts.ties_y + ties_both - 2 * discordant;
  return counts;
}

template int64_t rdm<float>(const MatrixRef<const float>&, Dissimilarity, int, float*);
template int64_t rdm<double>(const MatrixRef<const double>&, Dissimilarity, int, double*);
template void resample_rdm<float>(const float*, int64_t, const int32_t*, int64_t, int, float*);
template void resample_rdm<double>(const double*, int64_t, const int32_t*, int64_t, int, double*);

}  // namespace likewise
