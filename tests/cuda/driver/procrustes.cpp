#include "procrustes/cuda/procrustes.h"

#include "both.h"
#include "cca/cca.h"
#include "cca/cuda/cca.h"
#include "cca/cuda/variates.h"
#include "procrustes/cuda/gap_score.h"
#include "procrustes/cuda/gradient.h"
#include "procrustes/cuda/procrustes_gradient.h"
#include "procrustes/near_identity.h"
#include "procrustes/procrustes.h"

namespace likewise::cuda::driver {
namespace {

ProcrustesOptions options_of(ProcrustesScore score, double alpha, bool scale = true) {
  ProcrustesOptions out;
  out.score = score;
  out.alpha = alpha;
  out.scale = scale;
  return out;
}

// Units of all sizes; the third is constant, the fourth constant up to rounding, the fifth the sum
// of the first two.
std::vector<double> of_all_sizes(int64_t rows) {
  constexpr int64_t kCols = 7;
  std::vector<double> out = normal<double>(size_t(rows * kCols));
  for (int64_t i = 0; i < rows; ++i) {
    double* const row = out.data() + i * kCols;
    for (int64_t j = 0; j < kCols; ++j) row[j] += 5;
    row[2] = 0.1;
    row[3] = 1 + 2.3e-16 * double(i % 2);
    row[4] = row[0] + row[1];
    row[5] *= 1e40;
    row[6] *= 1e-40;
  }
  return out;
}

// Grids, and many pairs.
template <class T>
void scores(int64_t rows, const ProcrustesOptions& options, int64_t pairs = 3) {
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-11;
  Items<T> list = planted<T>(rows);
  if constexpr (sizeof(T) == 8) {
    if (options.alpha < 1) list.add(of_all_sizes(rows));
  }
  compare_grids<T>(
      list, planted<T>(rows, 2), options, 3, tolerance,
      [&](double* found, const Counts& counts, const auto&... lists) {
        procrustes_scores<T>(lists..., options,
                             {found, counts.row(0), counts.row(1), counts.row(2)});
      },
      likewise::procrustes_scores);
  Stack<T> x = stack<T>(pairs, 6, 2), y = stack<T>(pairs, 6, 3);
  compare_pairs(
      x, y, options, 3, tolerance,
      [&](double* found, const Counts& counts, const auto&... all) {
        procrustes_pairs<T>(all..., options, {found, counts.row(0), counts.row(1), counts.row(2)});
      },
      likewise::procrustes_pairs);
}

// Rotated copies, moved by less and less.
template <class T>
void nearly_congruent(ProcrustesScore score) {
  constexpr int64_t kPairs = 8, kRows = 12, kCols = 3;
  Stack<T> x{normal<T>(kPairs * kRows * kCols), kPairs, kRows, kCols};
  const std::vector<T> noise = normal<T>(x.host.size());
  std::vector<T> turned(x.host.size());
  for (size_t k = 0; k < turned.size(); ++k) {
    const double size = std::pow(10, -double(k / (kRows * kCols)));
    turned[k] = T(double(k % kCols ? x.host[k - 1] : -x.host[k + 2]) + size * double(noise[k]));
  }
  Stack<T> y{turned, kPairs, kRows, kCols};
  const ProcrustesOptions options = options_of(score, 1);
  std::vector<double> expected(kPairs);
  std::vector<int64_t> unused(4 * kPairs);
  likewise::procrustes_pairs(x.here(), y.here(), options, 1, expected.data(),
                             {unused.data(), 2, 2 * kPairs});
  const OnDevice<double> found(kPairs);
  const OnDevice<int64_t> facts(unused), close(std::vector<int64_t>{0});
  Call call;
  procrustes_pairs<T>(call.context(), x.there(), y.there(), kPairs, kRows, options,
                      {found.get(), facts.get(), facts.get() + 2 * kPairs, close.get()});
  agree(found.values(), expected, sizeof(T) == 4 ? 1e-3 : 1e-9, "score of a near pair");
  int64_t near = 0;
  for (const double angle : expected) near += 1 - std::cos(angle) < kAgainInDoubleBelow;
  const bool counts = sizeof(T) == 4 && score != ProcrustesScore::similarity;
  expect(close.values()[0] == (counts ? near : 0), "close pairs");
}

// More values than a block has threads, of which some do not exist; of the last item none does.
void reshape_many(double alpha, double size) {
  constexpr int kCount = 3, kWidth = 300;
  std::vector<double> host = normal<double>(kCount * kWidth), wanted(host.size());
  std::vector<int64_t> exist(kCount);
  const std::vector<double> norms{0.5 * size, 4 * size, 7};
  for (int q = 0; q < kCount; ++q) {
    double squares = 0;
    const double in_data = alpha > 0 ? norms[size_t(q)] : 1, unit = std::max(in_data, 1.0);
    for (int k = q * kWidth; k < (q + 1) * kWidth; ++k) {
      host[k] = k % 7 == 0 || q == 2 ? 0 : std::abs(host[k]) + 0.1;
      wanted[k] = q == 2 ? 0 : (alpha * host[k] * in_data + 1 - alpha) / unit;
      squares += host[k] > 0 ? wanted[k] * wanted[k] : 0;
      exist[size_t(q)] += host[k] > 0;
    }
    for (int k = q * kWidth; q < 2 && k < (q + 1) * kWidth; ++k) wanted[k] /= std::sqrt(squares);
  }
  const OnDevice<double> values(host), lengths(norms), scaled(kWidth), z_norm(1);
  const OnDevice<int64_t> ranks(exist);
  reshape_values({values.get(), lengths.get(), ranks.get(), kCount, kWidth, alpha}, stream);
  agree(values.values(), wanted, 1e-13, "reshaped values");
  agree(lengths.values(), std::vector<double>{norms[0], norms[1], 0}, 0, "norms");
  const OnDevice<double> spectrum(host), norm(norms);
  reshape_spectrum({spectrum.get(), scaled.get(), z_norm.get(), norm.get(), ranks.get(), kWidth,
                    400, kWidth, alpha},
                   stream);
  wanted.resize(kWidth);
  agree(scaled.values(), wanted, 1e-13, "values of unit norm");
  for (double& value : host) value *= alpha > 0 ? norms[0] : 1;
  host.resize(kWidth);
  std::vector<double> data = spectrum.values();
  data.resize(kWidth);
  agree(data, host, 1e-15, "values of the data");
}

// More singular values than a warp has lanes, one of them rounding, in no order.
void many_values() {
  constexpr int kValues = 70, kRounding = 40;
  std::vector<double> values, kept(kValues, 1.0);
  for (int k = 0; k < kValues; ++k) values.push_back(k == kRounding ? 1e-18 : 1 + (k * 7) % 11);
  kept[kRounding] = 0;
  const OnDevice<double> there(values), norm(std::vector<double>{0.5}), z_norm(1), scaled(kValues),
      found(kValues), similarity(1);
  find_directions({there.get(), kValues, kValues, 90, found.get(), similarity.get()}, stream);
  reshape_spectrum(
      {there.get(), scaled.get(), z_norm.get(), norm.get(), nullptr, kValues, 90, kValues, 1},
      stream);
  values[kRounding] = 0;
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  const double length =
      std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
  agree(found.values(), kept, 0, "directions");
  agree(similarity.values(), std::vector<double>{sum}, 1e-14, "similarity");
  agree(z_norm.values(), std::vector<double>{length / 2}, 1e-14, "norm of what was reshaped");
  for (double& value : values) value /= length;
  agree(scaled.values(), values, 1e-14, "values of unit norm");
}

void shapes() {
  using enum ProcrustesScore;
  scores<float>(12, options_of(angular, 1));
  scores<double>(40, options_of(euclidean, 1, false), thread_sanitizer() ? 40 : 270);
  scores<double>(12, options_of(euclidean, 1));
  scores<double>(12, options_of(similarity, 0.5));
  for (const auto score : {angular, similarity}) {
    nearly_congruent<float>(score);
    nearly_congruent<double>(score);
  }
  for (const double size : {1.0, 1e200, 1e-200}) reshape_many(0.25, size);
  reshape_many(0, 1e200);
}

template <class T>
void gradients_of(int64_t rows, int64_t dx, int64_t dy, const ProcrustesOptions& options) {
  Stack<T> x = stack<T>(3, rows, dx), y = related(x, dy);
  compare_gradients<T>(x, y, options, sizeof(T) == 4 ? 1e-6 : 1e-9, procrustes_gradients<T>,
                       likewise::procrustes_gradients);
}

// Congruent items have gradient 0.
void congruent() {
  constexpr int kRows = 6, kSize = kRows * 2;
  const std::vector<double> x = normal<double>(kSize);
  std::vector<double> turned(kSize);
  for (int k = 0; k < kSize; ++k) turned[k] = k % 2 ? -x[k - 1] : x[k + 1];
  const OnDevice<double> there(x), same(turned), by_x(kSize), by_y(kSize);
  for (const bool scale : {true, false}) {
    Call call;
    procrustes_gradients<double>(call.context(), {there.get(), 2}, {same.get(), 2}, 1, kRows,
                                 options_of(ProcrustesScore::euclidean, 1, scale), by_x.get(),
                                 by_y.get());
    for (const auto& found : {by_x.values(), by_y.values()}) {
      agree(found, std::vector<double>(kSize), 0, "0 at congruence");
    }
  }
}

void gradients() {
  using enum ProcrustesScore;
  gradients_of<double>(7, 3, 4, options_of(angular, 1));
  gradients_of<float>(7, 4, 2, options_of(angular, 1));
  gradients_of<double>(4, 6, 2, options_of(euclidean, 1));
  gradients_of<double>(7, 3, 4, options_of(euclidean, 1, false));
  gradients_of<double>(4, 6, 2, options_of(euclidean, 0.3, false));
  gradients_of<double>(7, 4, 3, options_of(similarity, 0.3));
  gradients_of<double>(40, 2, 3, options_of(similarity, 0));
  congruent();
  many_values();
}

// All scores by canonical correlations.
void canonical(Items<double> list, const CanonicalOptions& options, int64_t pairs = 3) {
  const int64_t rows = list.rows;
  list.add(of_all_sizes(rows));
  compare_grids<double>(
      list, planted<double>(rows, 2), options, 2, 1e-10,
      [&](double* found, const Counts& counts, const auto&... lists) {
        cca_scores(lists..., options, found, {counts.row(0), counts.row(1)});
      },
      likewise::cca_scores);
  Stack<double> x = stack<double>(pairs, 7, 3), y = related(x, 2);
  compare_pairs(
      x, y, options, 2, 1e-10,
      [&](double* found, const Counts& counts, const auto&... all) {
        cca_pairs(all..., options, found, {counts.row(0), counts.row(1)});
      },
      likewise::cca_pairs);
  if (options.weighted) return;
  compare(
      size_t(2 * pairs), 2, 2 * pairs, 1e-10,
      [&](const Context& context, double* found, const Counts& counts) {
        canonical_correlations(context, x.there(), y.there(), pairs, 7, options, found,
                               {counts.row(0), counts.row(1)});
      },
      [&](double* found, const Counts& counts) {
        likewise::canonical_correlations(x.here(), y.here(), options, 1, found, counts);
      });
}

// Values of more directions than a block has threads.
void whiten(double regularization, double variance) {
  constexpr int kCount = 3, kRank = 300, kRows = 302, kCols = 11;
  const std::vector<int64_t> constants{0, 2, kCols};
  std::vector<double> host = normal<double>(kCount * kRank), wanted(host.size()), wanted_ranks;
  for (double& value : host) value = std::abs(value);
  host[1] = 1e-18;                                       // rounding
  host[5] = host[6];                                     // the first of equal ones comes first
  std::fill(host.begin() + 2 * kRank, host.end(), 0.0);  // a constant item
  for (int q = 0; q < kCount; ++q) {
    const double* const s = &host[size_t(q * kRank)];
    std::vector<int> order(kRank);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return s[a] > s[b]; });
    const double total = std::inner_product(s, s + kRank, s, 0.0);
    const double units = double(kCols - constants[size_t(q)]);
    const double ridge = regularization * total / units;
    const double least = variance < 1 ? kRows * 0x1p-52 * s[order[0]] : 0;
    double seen = 0;
    wanted_ranks.push_back(0);
    for (const int j : order) {
      const bool counts = s[j] > least && (variance >= 1 || seen < variance * total);
      seen += s[j] * s[j];
      wanted_ranks.back() += counts;
      wanted[size_t(q * kRank + j)] = !counts     ? 0
                                      : ridge > 0 ? s[j] / std::sqrt(s[j] * s[j] + ridge)
                                                  : 1;
    }
  }
  const OnDevice<double> values(host), kept(host.size());
  const OnDevice<int64_t> ranks(kCount), constant(constants);
  whiten_values({values.get(), kept.get(), ranks.get(), constant.get(), kCount, kRank, kRows, kCols,
                 regularization, variance},
                stream);
  agree(values.values(), wanted, 1e-15, "whitened values");
  agree(ranks.values(), wanted_ranks, 0, "ranks");
}

const Topic procrustes_topic("procrustes", shapes);
const Topic gradient_topic("procrustes_gradient", gradients);
const Topic directions_topic("directions", [] {
  canonical(planted<double>(12), {});
  canonical(planted<double>(40, 3), {});
  canonical(Items<double>(300), {});
});
const Topic variates_topic("variates", [] {
  const int64_t many = thread_sanitizer() ? 40 : 270;
  canonical(planted<double>(12), {0.1, 1, false}, many);
  canonical(planted<double>(12), {0, 0.6, false});
  canonical(planted<double>(12, 2), {0, 1, true}, 40);
  whiten(0, 1);
  whiten(0.3, 1);
  whiten(0, 0.6);
});

}  // namespace
}  // namespace likewise::cuda::driver
