#include "rsa/rsa.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/parallel.h"
#include "linalg/linalg.h"
#include "rsa/samples.h"

namespace likewise {
namespace {

constexpr int64_t kRowsPerTask = 64;

double pairs_of(int64_t count) { return double(count) * double(count - 1) / 2; }

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

template <class T, class Out>
int64_t rdm(const MatrixRef<const T>& x, Dissimilarity dissimilarity, Unit unit, int threads,
            Out* out) {
  const int64_t n = x.rows, d = x.cols;
  const Samples<T> samples(x, dissimilarity);
  const double scale = unit == Unit::data ? samples.unit() : 1;
  const double last = is_distance(dissimilarity) ? scale : 1;
  struct Workspace {
    std::vector<double> products, room;
  };
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  parallel_for((n + kRowsPerTask - 1) / kRowsPerTask, threads, [&](int64_t task, int worker) {
    const int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, n - first);
    const int64_t width = n - first;  // only the upper triangle
    auto& [products, room] = workspaces[worker];
    products.resize(size_t(count * width));
    const double* const points = samples.points() + first * d;
    gemm<double>(Op::none, Op::transpose, count, width, d, 1, points, d, points, d, 0,
                 products.data(), width);
    for (int64_t i = first; i < first + count; ++i) {
      Out* const to = out + i * (2 * n - i - 1) / 2 - (i + 1);
      double* const squares = products.data() + (i - first) * width - first;
      int64_t small = 0;  // counted: the loop has no branch
      for (int64_t j = i + 1; j < n; ++j) {
        const double norms = samples.norm(i) + samples.norm(j);
        squares[j] = norms - 2 * squares[j];
        small += samples.is_small(squares[j], norms) ? 1 : 0;
      }
      for (int64_t j = i + 1; small > 0 && j < n; ++j) {
        if (!samples.is_small(squares[j], samples.norm(i) + samples.norm(j))) continue;
        squares[j] = samples.exact(i, j, squares[j], room);
      }
      if (dissimilarity == Dissimilarity::euclidean) {
        for (int64_t j = i + 1; j < n; ++j) to[j] = Out(std::sqrt(squares[j]) * scale);
      } else {
        const double factor = is_distance(dissimilarity) ? scale : 0.5;
        for (int64_t j = i + 1; j < n; ++j) to[j] = Out(squares[j] * factor * last);
      }
      poll_interrupt();
    }
  });
  for (int64_t i = 0; samples.undirected() > 0 && i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j) {
      if (samples.undirected(i, j)) out[i * (2 * n - i - 1) / 2 + j - i - 1] = 1;
    }
  }
  return samples.undirected();
}

std::vector<double> square_of(int64_t n, const double* condensed) {
  std::vector<double> out(size_t(n * n), 0.0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j) out[i * n + j] = out[j * n + i] = *condensed++;
  }
  return out;
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

#define LIKEWISE_INSTANTIATE(T, Out) \
  template int64_t rdm<T, Out>(const MatrixRef<const T>&, Dissimilarity, Unit, int, Out*);
LIKEWISE_INSTANTIATE(float, float)
LIKEWISE_INSTANTIATE(float, double)
LIKEWISE_INSTANTIATE(double, double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise
