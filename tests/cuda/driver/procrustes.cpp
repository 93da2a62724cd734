#include "procrustes/cuda/procrustes.h"

#include "driver.h"
#include "procrustes/cuda/procrustes_kernels.h"
#include "procrustes/near_identity.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kRows = 10;
constexpr double kPi = 3.14159265358979323846;

// Column k is a cosine wave: columns have mean 0, are orthogonal and have these norms.
template <class T>
std::vector<T> waves(const std::vector<double>& norms, int first) {
  const int cols = int(norms.size());
  std::vector<T> out(size_t(kRows) * cols);
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < cols; ++j) {
      const double wave = std::cos(kPi * (i + 0.5) * (j + first + 1) / kRows);
      out[i * cols + j] = T(norms[j] * std::sqrt(2.0 / kRows) * wave);
    }
  }
  return out;
}

double reshaped(double s, double alpha) { return s > 0 ? alpha * s + 1 - alpha : 0; }

// 1 - similarity of two sets of waves that start at the same one.
double gap_of(const std::vector<double>& a, const std::vector<double>& b, double alpha) {
  double inner = 0, aa = 0, bb = 0;
  for (size_t k = 0; k < std::max(a.size(), b.size()); ++k) {
    const double x = k < a.size() ? reshaped(a[k], alpha) : 0;
    const double y = k < b.size() ? reshaped(b[k], alpha) : 0;
    inner += x * y, aa += x * x, bb += y * y;
  }
  return 1 - inner / std::sqrt(aa * bb);
}

template <class T>
void scores_of_waves(double alpha, likewise::ProcrustesScore score, bool symmetric) {
  // Two that are equal, one constant, one wider than there are samples.
  std::vector<std::vector<double>> norms{{3, 2, 1}, {3, 2, 1}, {0, 0, 0}, {2, 1, 1, 0.5}};
  norms.back().resize(12, 0.0);
  const int count = int(norms.size());
  likewise::ProcrustesOptions options;
  options.alpha = alpha;
  options.score = score;
  std::vector<std::vector<T>> host;
  for (const auto& list : norms) host.push_back(waves<T>(list, 0));
  std::vector<std::unique_ptr<OnDevice<T>>> arrays;
  std::vector<Matrix<T>> items;
  for (int k = 0; k < count; ++k) {
    arrays.push_back(std::make_unique<OnDevice<T>>(host[k]));
    items.push_back({arrays[k]->get(), int64_t(norms[k].size())});
  }
  Call call;
  const Context context = call.context();
  const auto expected = [&](int i, int j) {
    double gap = i == 2 || j == 2 ? std::nan("") : gap_of(norms[i], norms[j], alpha);
    gap = gap < 0 ? 0 : gap;
    return score == likewise::ProcrustesScore::similarity ? 1 - gap : std::acos(1 - gap);
  };
  const auto agrees = [&](double found, double wanted) {
    return std::isnan(wanted) ? std::isnan(found)
                              : std::abs(found - wanted) <= (sizeof(T) == 4 ? 2e-3 : 2e-8);
  };
  const OnDevice<double> grid_scores(size_t(count * count));
  const OnDevice<int64_t> grid_constant(size_t(2 * count)), dropped(size_t(2 * count)),
      grid_close(std::vector<int64_t>{0});
  procrustes_scores<T>(context, items, symmetric ? std::vector<Matrix<T>>{} : items, kRows,
                       symmetric, options,
                       {grid_scores.get(), grid_constant.get(), dropped.get(), grid_close.get()});
  const auto grid = grid_scores.values();
  const auto constants = grid_constant.values();
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < count; ++j) {
      expect(agrees(grid[i * count + j], expected(i, j)), "Procrustes score");
    }
    expect(constants[i] == (i == 2 ? 3 : i == 3 ? 8 : 0), "constant units");
  }
  int64_t near = 0;
  for (int i = 0; i < count && sizeof(T) == 4; ++i) {
    for (int j = symmetric ? i + 1 : 0; j < count; ++j) {
      near += i != 2 && j != 2 && gap_of(norms[i], norms[j], alpha) < kAgainInDoubleBelow;
    }
  }
  const bool looks = score != likewise::ProcrustesScore::similarity;
  expect(grid_close.values()[0] == (looks ? near : 0), "close pairs");
  std::vector<T> x = host[0], y = host[1];
  x.insert(x.end(), host[2].begin(), host[2].end());
  y.insert(y.end(), host[0].begin(), host[0].end());
  const OnDevice<T> first(x), second(y);
  const OnDevice<double> scores(2);
  const OnDevice<int64_t> constant(4), close(std::vector<int64_t>{0});
  procrustes_pairs<T>(context, {first.get(), 3}, {second.get(), 3}, 2, kRows, options,
                      {scores.get(), constant.get(), dropped.get(), close.get()});
  const auto found = scores.values();
  expect(agrees(found[0], expected(0, 1)) && agrees(found[1], expected(2, 0)), "score of a pair");
}

// The gap itself, or half of the squared distance where there is one and the gap is small.
void scores_of_gaps(GapScore score) {
  constexpr int kCount = 300;
  std::vector<double> similarity(kCount), squares(kCount), norms(kCount);
  for (int k = 0; k < kCount; ++k) {
    similarity[k] = k == 5 ? 1 + 1e-15 : 1 - std::pow(k, 2) / 1e5;
    squares[k] = 2e-9 * k;
    norms[k] = k == 7 ? 0 : k + 1;
  }
  const OnDevice<double> s(similarity), d(squares), n(norms), one(std::vector<double>{3});
  for (const bool refined : {true, false}) {
    const OnDevice<double> scores(kCount);
    const OnDevice<int64_t> close(std::vector<int64_t>{0});
    const Gaps gaps{s.get(), refined ? d.get() : nullptr, one.get(), n.get(), 0, 1, kCount, 1e-7};
    need(score_gaps(gaps, score, scores.get(), close.get(), stream), "scores");
    const auto found = scores.values();
    int near = 0;
    for (int k = 0; k < kCount; ++k) {
      double gap = std::max(1 - similarity[k], 0.0);
      if (refined && gap < 0.1) gap = squares[k] / 2;
      near += k != 7 && gap < 1e-7;
      double wanted = 1 - gap;
      if (score == GapScore::angular) wanted = std::acos(1 - gap);
      if (score == GapScore::euclidean) wanted = std::sqrt(2 * gap);
      if (score == GapScore::euclidean_unscaled) {
        wanted = std::sqrt(std::pow(3 - norms[k], 2) + 6 * norms[k] * gap);
      }
      const bool good = k == 7 ? std::isnan(found[k]) : std::abs(found[k] - wanted) <= 1e-7;
      expect(good, "score of a gap");
    }
    expect(close.values()[0] == near, "number of close pairs");
  }
  constexpr int kSide = 40;
  std::vector<double> grid(kSide * kSide);
  for (int k = 0; k < kSide * kSide; ++k) grid[k] = k;
  const OnDevice<double> whole(grid);
  need(mirror_scores(n.get(), kSide, score, whole.get(), stream), "mirror");
  const auto mirrored = whole.values();
  const double nothing = score == GapScore::similarity ? 1 : 0;
  for (int i = 0; i < kSide; ++i) {
    for (int j = 0; j < i; ++j) {
      expect(mirrored[i * kSide + j] == grid[j * kSide + i], "mirrored score");
    }
    const double own = mirrored[i * kSide + i];
    expect(i == 7 ? std::isnan(own) : own == nothing, "score of an item with itself");
  }
}

// Many singular values, of which some do not exist; of the last item none does.
void reshape_many(double alpha, double size) {
  constexpr int kCount = 3, kWidth = 300;
  std::vector<double> host = normal<double>(kCount * kWidth);
  for (double& value : host) value = std::abs(value) + 0.1;
  int64_t rank = 0;
  for (int k = 0; k < kCount * kWidth; ++k) {
    if (k % 7 == 0 || k >= 2 * kWidth) host[k] = 0;
    rank += k < kWidth && host[k] != 0;
  }
  const int64_t other = std::count_if(host.begin() + kWidth, host.begin() + 2 * kWidth,
                                      [](double value) { return value != 0; });
  const OnDevice<double> values(host);
  const OnDevice<double> norms(std::vector<double>{0.5 * size, 4 * size, 7});
  const OnDevice<int64_t> ranks(std::vector<int64_t>{rank, other, 0});
  need(reshape_values({values.get(), norms.get(), ranks.get(), kCount, kWidth, alpha}, stream),
       "reshape");
  const auto found = values.values();
  for (int q = 0; q < 2; ++q) {
    double squares = 0;
    std::vector<double> wanted(kWidth);
    for (int k = 0; k < kWidth; ++k) {
      const double s = host[q * kWidth + k];
      const double unit = alpha > 0 ? std::max(size, 1.0) : 1;
      wanted[k] = (alpha * s * (q ? 4 : 0.5) * size + 1 - alpha) / unit;
      if (s > 0) squares += wanted[k] * wanted[k];
    }
    for (int k = 0; k < kWidth; ++k) {
      const double value = wanted[k] / std::sqrt(squares);
      expect(std::abs(found[q * kWidth + k] - value) <= 1e-12 * value, "reshaped value");
    }
  }
  expect(found[2 * kWidth] == 0 && norms.values()[2] == 0, "an item of which nothing exists");
  expect(norms.values()[1] == 4 * size, "the norm of another");
}

template <class T>
void distances_of_many() {
  constexpr int kCount = 2, kSize = 700;
  const std::vector<T> moved = normal<T>(kCount * kSize), y = normal<T>(kCount * kSize);
  const OnDevice<T> a(moved), b(y);
  for (const int step : {0, kSize}) {
    const OnDevice<double> out(kCount);
    need(squared_distances<T>(a.get(), b.get(), step, kCount, kSize, out.get(), stream),
         "distance");
    for (int q = 0; q < kCount; ++q) {
      double sum = 0;
      for (int k = 0; k < kSize; ++k) {
        sum += std::pow(double(moved[q * kSize + k]) - double(y[q * step + k]), 2);
      }
      expect(std::abs(out.values()[q] - sum) <= 1e-12 * sum, "squared distance");
    }
  }
}

void shapes() {
  using likewise::ProcrustesScore;
  scores_of_waves<float>(1, ProcrustesScore::angular, true);
  scores_of_waves<double>(0.5, ProcrustesScore::similarity, false);
  for (const GapScore score : {GapScore::angular, GapScore::euclidean, GapScore::euclidean_unscaled,
                               GapScore::similarity}) {
    scores_of_gaps(score);
  }
  reshape_many(0.25, 1);
  reshape_many(0.25, 1e200);
  reshape_many(0.25, 1e-200);
  reshape_many(0, 1e200);
  distances_of_many<float>();
  distances_of_many<double>();
}

const Topic topic("procrustes", shapes);

}  // namespace
}  // namespace likewise::cuda::driver
