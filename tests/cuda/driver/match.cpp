#include "assignment/cuda/match.h"

#include <deque>

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Units of x, some of them twice and some constant, with a reordered y; a constant representation;
// one with NaN.
template <class T>
void match(likewise::Matching matching, int dx, int dy) {
  constexpr int kCount = 4, kRows = 21;
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-11;
  std::vector<T> host_x = normal<T>(kCount * kRows * dx), host_y = normal<T>(kCount * kRows * dy);
  for (int q = 0; q < kCount; ++q) {
    for (int r = 0; r < kRows; ++r) {
      T* const x = &host_x[(q * kRows + r) * dx];
      T* const y = &host_y[(q * kRows + r) * dy];
      x[2] = T(3);
      y[1] = y[3] = x[0];
      for (int i = 0; i < dx && q == 2; ++i) x[i] = T(i);
    }
  }
  host_x[(3 * kRows + 5) * dx + 2] = T(std::nan(""));  // in a unit that is constant else
  host_y[(3 * kRows + 5) * dy + 7] = T(std::nan(""));
  const OnDevice<T> x(host_x), y(host_y);
  const OnDevice<double> score(kCount);
  const OnDevice<int64_t> assignment(kCount * dx), constant(2 * kCount);
  Call call;
  match_pairs<T>(call.context(), matching, {kCount, kRows, dx, dy}, x.get(), y.get(), score.get(),
                 assignment.get(), constant.get());
  const auto scores = score.values();
  const auto partners = assignment.values(), constants = constant.values();
  expect(constants == std::vector<int64_t>({1, 1, dx, 0, 0, 0, 0, 0}), "constant units");
  expect(std::isnan(scores[2]) && std::isnan(scores[3]), "score of nothing");
  for (int i = 0; i < dx; ++i) expect(partners[2 * dx + i] == -1, "partner in nothing");
  expect(partners[3 * dx + 4] == -1, "partner of NaN");
  for (int q = 0; q < 2; ++q) {
    const T *a = &host_x[q * kRows * dx], *b = &host_y[q * kRows * dy];
    std::vector<T> cost(size_t(dx) * dy);
    double sum = 0, best = 0;
    int matched = 0;
    for (int i = 0; i < dx; ++i) {
      int first = 0;
      for (int j = 0; j < dy; ++j) {
        const double here = correlation(a, b, kRows, dx, dy, i, j);
        cost[dx <= dy ? i * dy + j : j * dx + i] = T(-here);
        if (here > correlation(a, b, kRows, dx, dy, i, first) + tolerance) first = j;
      }
      best += correlation(a, b, kRows, dx, dy, i, first);
      const int64_t partner = partners[q * dx + i];
      if (partner >= 0) sum += correlation(a, b, kRows, dx, dy, i, int(partner)), ++matched;
      if (matching == likewise::Matching::semi && i != 2) expect(partner == first, "first partner");
    }
    const int pairs = std::min(dx, dy);
    const bool semi = matching == likewise::Matching::semi;
    const double most =
        semi ? best / dx : -least_cost(cost.data(), pairs, std::max(dx, dy)) / pairs;
    expect(matched == (semi ? dx : pairs), "number of partners");
    expect(std::abs(scores[q] - most) <= tolerance, "score of a matching");
    expect(std::abs(sum / matched - most) <= tolerance, "partners of a matching");
  }
}

// All pairs of a list and of two, against the same pairs one by one.
void match_grid(likewise::Matching matching) {
  constexpr int kRows = 15, kItems = 4;
  const std::vector<int64_t> cols{7, 9, 9, 5};
  std::deque<OnDevice<double>> items;
  std::vector<Matrix<double>> list;
  for (const int64_t d : cols) {
    std::vector<double> host = normal<double>(size_t(kRows * d));
    const bool all = items.size() == 2;  // of the units of this item are constant
    for (int k = 0; k < kRows * int(d) && d == 9; ++k)
      host[size_t(k)] *= double(!all && k % 9 != 1);
    items.emplace_back(host);
    list.push_back({items.back().get(), d});
  }
  std::vector<double> wanted;
  for (int i = 0; i < kItems; ++i) {
    for (int j = 0; j < kItems; ++j) {
      const OnDevice<double> score(1);
      const OnDevice<int64_t> assignment(size_t(cols[i])), constant(2);
      Call call;
      match_pairs<double>(call.context(), matching, {1, kRows, cols[i], cols[j]}, list[i].data,
                          list[j].data, score.get(), assignment.get(), constant.get());
      wanted.push_back(score.values()[0]);
    }
  }
  for (const bool symmetric : {true, false}) {
    const OnDevice<double> scores(kItems * kItems);
    const OnDevice<int64_t> constant(symmetric ? kItems : 2 * kItems);
    Call call;
    match_scores<double>(call.context(), matching, list, list, kRows, symmetric, scores.get(),
                         constant.get());
    const auto given = scores.values();
    for (int k = 0; k < kItems * kItems; ++k) {
      const bool nothing = k % kItems == 2 || k / kItems == 2;
      expect(nothing ? std::isnan(given[k]) : std::abs(given[k] - wanted[k]) <= 1e-14,
             "grid of scores");
    }
    const auto constants = constant.values();
    for (size_t k = 0; k < constants.size(); ++k) {
      expect(constants[k] == (k % kItems == 2 ? 9 : k % kItems == 1), "constant units of a list");
    }
  }
}

void matches() {
  for (const auto matching : {likewise::Matching::permutation, likewise::Matching::semi}) {
    match<float>(matching, 9, 40);
    match<double>(matching, 40, 11);
    match<double>(matching, 33, 33);
    match_grid(matching);
  }
}

const Topic topic("match", matches);

}  // namespace
}  // namespace likewise::cuda::driver
