#include "neighbours/cuda/overlap.h"

#include <numeric>

#include "driver.h"
#include "neighbours/cuda/nearest.h"
#include "neighbours/cuda/neighbours.h"

namespace likewise::cuda::driver {
namespace {

using likewise::NeighbourOptions;
using likewise::NeighbourScore;

using Matrix64 = std::vector<double>;

// Similarities of neighbours and whether they are such, rows x rows.
struct Masked {
  Matrix64 similarity;
  std::vector<char> near;
};

double shared(const Masked& x, const Masked& y, int rows, int k, bool of_union) {
  double sum = 0;
  for (int i = 0; i < rows; ++i) {
    double both = 0;
    for (int j = 0; j < rows; ++j) both += x.near[i * rows + j] && y.near[i * rows + j];
    sum += both / (of_union ? 2 * k - both : k);
  }
  return sum / rows;
}

double alignment(const Masked& x, const Masked& y, int rows) {
  Matrix64 a(size_t(rows) * rows), b = a, columns_a(rows), rows_b(rows);
  for (int i = 0; i < rows * rows; ++i) {
    const bool both = x.near[i] && y.near[i];
    a[i] = both ? x.similarity[i] : 0;
    b[i] = both ? y.similarity[i] : 0;
    columns_a[i % rows] += a[i], rows_b[i / rows] += b[i];
  }
  double trace = 0, all_a = 0, all_b = 0, product = 0;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < rows; ++j) trace += a[i * rows + j] * b[j * rows + i];
    all_a += columns_a[i], all_b += rows_b[i], product += columns_a[i] * rows_b[i];
  }
  return trace + all_a * all_b / (rows - 1) / (rows - 2) - 2 * product / (rows - 2);
}

// Lists of neighbours drawn at random, items behind each other.
struct RandomLists {
  RandomLists(int items, int rows, int k) : similarity(normal<double>(size_t(items) * rows * k)) {
    for (int item = 0; item < items; ++item) {
      Masked masked{Matrix64(size_t(rows) * rows), std::vector<char>(size_t(rows) * rows)};
      for (int i = 0; i < rows; ++i) {
        std::vector<int32_t> order(static_cast<size_t>(rows));
        std::iota(order.begin(), order.end(), 0);
        order.erase(order.begin() + i);
        std::shuffle(order.begin(), order.end(), generator);
        std::sort(order.begin(), order.begin() + k);
        for (int t = 0; t < k; ++t) {
          masked.similarity[i * rows + order[t]] = similarity[index.size()];
          masked.near[i * rows + order[t]] = 1;
          index.push_back(order[t]);
        }
      }
      masks.push_back(masked);
    }
  }
  std::vector<int32_t> index;
  Matrix64 similarity;
  std::vector<Masked> masks;
};

// Some pairs of a grid, from the second on, of items the second of which is of no use.
void scores_of_lists(int rows, int k, int64_t count) {
  constexpr int kA = 2, kB = 3;
  const RandomLists lists(kA + kB, rows, k);
  const OnDevice<int32_t> index(lists.index);
  const OnDevice<double> similarity(lists.similarity);
  const size_t begin = size_t(kA) * rows * k, parts = size_t(overlap_parts(rows));
  const OnDevice<double> sums(size_t(count) * parts * kAlignmentTerms), scores(kA * kB);
  const OnDevice<double> row_sums(size_t(count) * rows);
  const OnDevice<double> own(std::vector<double>{4, 1, 9, 16, 25});
  const OnDevice<int64_t> status(std::vector<int64_t>{0, kUnusable, 0, 0, kUnaligned});
  const NeighbourPairs pairs{
      index.get(), index.get() + begin, rows, k, {2, {kA, kB}, {1, 0}, {0, 1}}, 1, count, false};
  const OverlapScores out{sums.get(),   own.get(),         own.get() + kA,
                          status.get(), status.get() + kA, scores.get()};
  const auto compare = [&](auto&& value, const char* what) {
    const auto found = scores.values();
    for (int64_t pair = 1; pair <= count; ++pair) {
      const int i = int(pair) / kB, j = int(pair) % kB;
      const bool usable = i != 1 && j != 2;
      const double wanted = value(lists.masks[i], lists.masks[kA + j], i, kA + j);
      expect(usable ? std::abs(found[pair] - wanted) < 1e-12 : std::isnan(found[pair]), what);
    }
  };
  for (const bool of_union : {false, true}) {
    need(share_neighbours(pairs, of_union, sums.get(), stream), "share");
    need(score_shared(pairs, out, stream), "score");
    compare(
        [&](const Masked& x, const Masked& y, int, int) { return shared(x, y, rows, k, of_union); },
        "shared neighbours");
  }
  need(align_neighbours(pairs, similarity.get(), similarity.get() + begin, row_sums.get(),
                        sums.get(), stream),
       "align");
  need(score_alignments(pairs, out, stream), "score");
  const auto norms = own.values();
  compare([&](const Masked& x, const Masked& y, int i,
              int j) { return alignment(x, y, rows) / std::sqrt(norms[i] * norms[j]); },
          "alignment");
}

// No two samples are neighbours of each other, and the last list ends before sample 2.
void nothing_mutual() {
  const OnDevice<int32_t> index(std::vector<int32_t>{1, 2, 3, 0});
  const OnDevice<double> similarity(std::vector<double>{1, 2, 4, 8}), row_sums(4);
  const OnDevice<double> parts(kAlignmentTerms);
  need(align_neighbours({index.get(), index.get(), 4, 1, {1, {1}, {1}, {1}}, 0, 1, false},
                        similarity.get(), similarity.get(), row_sums.get(), parts.get(), stream),
       "align");
  expect(parts.values() == Matrix64({0, 2 + 8 + 32 + 8, 15, 15}), "terms of an alignment");
}

// Items with themselves, more than a block has threads: those that are not positive are marked.
void marks() {
  constexpr int kItems = 300, kRows = 5;
  std::vector<double> parts;
  std::vector<int64_t> before(kItems, 0);
  for (int k = 0; k < kItems; ++k) {
    parts.insert(parts.end(), {double(k % 3) - 1, 0, 0, 0});
    if (k % 5 == 0) before[k] = kUnusable;
  }
  const OnDevice<double> sums(parts), scores(kItems);
  const OnDevice<int64_t> status(before);
  const NeighbourPairs pairs{nullptr, nullptr, kRows, 1, {1, {kItems}, {1}, {1}}, 0, kItems, false};
  need(score_alignments(
           pairs, {sums.get(), nullptr, nullptr, status.get(), status.get(), scores.get()}, stream),
       "score");
  const auto found = scores.values();
  const auto after = status.values();
  for (int k = 0; k < kItems; ++k) {
    const bool usable = k % 5 > 0;
    expect(usable ? found[k] == k % 3 - 1 : std::isnan(found[k]), "alignment with itself");
    expect(after[k] == (!usable ? kUnusable : k % 3 < 2 ? kUnaligned : 0), "mark");
  }
}

// Cosines or distances of samples, and their masks.
Masked masked(Matrix64 x, int rows, int cols, const NeighbourOptions& options) {
  for (int j = 0; j < cols && options.center; ++j) {
    double mean = 0;
    for (int i = 0; i < rows; ++i) mean += x[i * cols + j] / rows;
    for (int i = 0; i < rows; ++i) x[i * cols + j] -= mean;
  }
  Masked out{Matrix64(size_t(rows) * rows), std::vector<char>(size_t(rows) * rows)};
  for (int i = 0; i < rows; ++i) {
    std::vector<int> order;
    double* const near = &out.similarity[i * rows];
    for (int j = 0; j < rows; ++j) {
      double product = 0, own_i = 0, own_j = 0;
      for (int t = 0; t < cols; ++t) {
        product += x[i * cols + t] * x[j * cols + t];
        own_i += x[i * cols + t] * x[i * cols + t], own_j += x[j * cols + t] * x[j * cols + t];
      }
      near[j] = options.euclidean ? product - own_j / 2 : product / std::sqrt(own_i * own_j);
      if (j != i) order.push_back(j);
    }
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return near[a] > near[b]; });
    for (int t = 0; t < options.k; ++t) out.near[i * rows + order[t]] = 1;
  }
  return out;
}

// Items of different widths, one of them constant (but not zero) and one with a NaN.
template <class T>
struct Items {
  static constexpr int kRows = 14, kCount = 4;
  Items(NeighbourScore by, const NeighbourOptions& with) : score(by), options(with) {
    for (int k = 0; k < kCount; ++k) {
      host.push_back(normal<T>(size_t(kRows) * cols[k]));
      for (T& value : host[k]) value = T(double(value) * 3 + 1);
      if (k == 2) std::fill(host[k].begin(), host[k].end(), T(4));
      for (int i = 0; i < kRows && k == 1; ++i) host[k][i * 5 + 1] = T(2);
      masks.push_back(masked({host[k].begin(), host[k].end()}, kRows, cols[k], options));
      if (k == 3) host[k][7] = std::numeric_limits<T>::quiet_NaN();
      arrays.push_back(std::make_unique<OnDevice<T>>(host[k]));
      items.push_back({arrays[k]->get(), cols[k]});
    }
  }

  void compare(double found, int i, int j) const {
    double wanted = std::nan("");
    if (i < 2 && j < 2 && score == NeighbourScore::cknna) {
      const double own_i = alignment(masks[i], masks[i], kRows);
      const double own_j = alignment(masks[j], masks[j], kRows);
      wanted = alignment(masks[i], masks[j], kRows) / std::sqrt(own_i * own_j);
    } else if (i < 2 && j < 2) {
      wanted = shared(masks[i], masks[j], kRows, int(options.k), score == NeighbourScore::jaccard);
    }
    const bool good = std::isnan(wanted)
                          ? std::isnan(found)
                          : std::abs(found - wanted) < (sizeof(T) == 4 ? 1e-5 : 1e-12);
    expect(good, "score");
  }

  const NeighbourScore score;
  const NeighbourOptions options;
  const std::vector<int> cols{3, 5, 5, 2};
  std::vector<std::vector<T>> host;
  std::vector<Masked> masks;
  std::vector<std::unique_ptr<OnDevice<T>>> arrays;
  std::vector<Matrix<T>> items;
};

// All of these with themselves, or with the last and the first of them.
template <class T>
void grid(NeighbourScore score, const NeighbourOptions& options, bool symmetric) {
  const Items<T> all(score, options);
  constexpr int kA = Items<T>::kCount;
  const std::vector<Matrix<T>> others{all.items[3], all.items[0]};
  const int count_b = symmetric ? kA : 2, count = symmetric ? kA : kA + 2;
  Call call;
  const OnDevice<double> scores(size_t(kA * count_b));
  const OnDevice<int64_t> status(static_cast<size_t>(count)), constant(static_cast<size_t>(count));
  const Context context = call.context();
  neighbour_scores<T>(context, all.items, symmetric ? std::vector<Matrix<T>>{} : others,
                      Items<T>::kRows, symmetric, score, options,
                      {scores.get(), status.get(), constant.get()});
  const auto found = scores.values();
  for (int k = 0; k < kA * count_b; ++k) {
    const int j = k % count_b;
    all.compare(found[k], k / count_b, symmetric ? j : 3 - 3 * j);
  }
  const std::vector<int64_t> codes{0, 0, kUnusable, kUnusable, kUnusable, 0},
      constants{0, 1, 5, 0, 0, 0};
  expect(std::equal(codes.begin(), codes.begin() + count, status.values().begin()), "status");
  expect(std::equal(constants.begin(), constants.begin() + count, constant.values().begin()),
         "constant units");
}

// Pairs (2 x 2): x has items 1 and 2 along the second axis, y item 0 alone.
template <class T>
void batch(NeighbourScore score, const NeighbourOptions& options) {
  const Items<T> all(score, options);
  std::vector<T> both = all.host[1];
  both.insert(both.end(), all.host[2].begin(), all.host[2].end());
  Call call;
  const OnDevice<T> x(both);
  const OnDevice<double> scores(4);
  const OnDevice<int64_t> status(3), constant(3);
  const Context context = call.context();
  const Matrix<T> one = all.items[0];
  neighbour_pairs<T>(context, {x.get(), 2, 5}, {one.data, 1, one.cols}, Items<T>::kRows,
                     {2, {2, 2}, {0, 1}, {0, 0}}, score, options,
                     {scores.get(), status.get(), constant.get()});
  const auto found = scores.values();
  for (int k = 0; k < 4; ++k) all.compare(found[k], 1 + k % 2, 0);
  expect(status.values() == std::vector<int64_t>({0, kUnusable, 0}), "status of a batch");
  expect(constant.values() == std::vector<int64_t>({1, 5, 0}), "constant units of a batch");
}

void overlaps() {
  scores_of_lists(40, 6, 4);
  scores_of_lists(300, 9, 2);
  nothing_mutual();
  marks();
  grid<double>(NeighbourScore::mutual, {3, true, false}, true);
  grid<float>(NeighbourScore::jaccard, {5, false, true}, false);
  grid<float>(NeighbourScore::cknna, {6, false, true}, true);
  batch<double>(NeighbourScore::cknna, {13, false, true});
}

const Topic topic("overlap", overlaps);

}  // namespace
}  // namespace likewise::cuda::driver
