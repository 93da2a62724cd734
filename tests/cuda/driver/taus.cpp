#include "rsa/cuda/taus.h"

#include "driver.h"
#include "rsa/cuda/ranks.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kLong = 2 * 2048 + 100;  // three tiles

// RDMs with their ranks, made slowly.
struct Ranked {
  int count, size;
  std::vector<int32_t> ranks, order;
  std::vector<unsigned long long> tied;

  Ranked(int items, int length, int levels) : count(items), size(length), tied(size_t(items)) {
    std::uniform_int_distribution<int> level(0, levels - 1);
    for (int item = 0; item < count; ++item) {
      std::vector<int> values(static_cast<size_t>(size));
      for (int& value : values) value = level(generator);
      std::vector<int> sorted = values;
      std::sort(sorted.begin(), sorted.end());
      for (const int value : values) {
        const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), value);
        ranks.push_back(int32_t(low - sorted.begin() + (high - sorted.begin()) - size));
        tied[item] += (high - low - 1);
      }
      tied[item] /= 2;
      std::vector<int32_t> places(static_cast<size_t>(size));
      std::iota(places.begin(), places.end(), 0);
      std::stable_sort(places.begin(), places.end(),
                       [&](int32_t i, int32_t j) { return values[i] < values[j]; });
      order.insert(order.end(), places.begin(), places.end());
    }
  }
  const int32_t* item(int k) const { return ranks.data() + k * size; }
};

// On the device.
struct Given {
  OnDevice<int32_t> ranks, order;
  OnDevice<unsigned long long> tied;
  OnDevice<double> factors;
  int size;

  Given(const Ranked& rdms, const std::vector<double>& usable)
      : ranks(rdms.ranks), order(rdms.order), tied(rdms.tied), factors(usable), size(rdms.size) {}
  RankedRdms view() const { return {ranks.get(), order.get(), tied.get(), factors.get(), size}; }
};

using Counts = std::vector<unsigned long long>;

double tau_of(const int32_t* x, const int32_t* y, int size, Tau tau) {
  double difference = 0, untied_x = 0, untied_y = 0;
  for (int i = 0; i < size; ++i) {
    for (int j = 0; j < i; ++j) {
      const int sign_x = (x[i] > x[j]) - (x[i] < x[j]), sign_y = (y[i] > y[j]) - (y[i] < y[j]);
      difference += sign_x * sign_y;
      untied_x += sign_x != 0;
      untied_y += sign_y != 0;
    }
  }
  return difference / (tau == Tau::a ? size * (size - 1) / 2.0 : std::sqrt(untied_x * untied_y));
}

// A batch of shape (2, 3): items of a go with its first axis, those of b with its last one.
// The first item of b cannot be compared.
void scores() {
  constexpr int kSize = 250;
  const Ranked x(2, kSize, 40), y(2, kSize, 7);
  const Given a(x, {1, 2}), b(y, {std::nan(""), 3});
  const PairAxes axes{2, {2, 2}, {1, 0}, {0, 1}};
  const int first = 1, count = 3;
  const size_t entries = size_t(count) * kSize;
  const OnDevice<unsigned> keys(entries), other_keys(entries), digits(count * kSortDigits);
  const OnDevice<int32_t> values(entries), other_values(entries);
  const OnDevice<unsigned long long> tied(Counts(count, 0)), discordant(Counts(count, 0));
  const OnDevice<double> out(std::vector<double>(4, -9.0));
  need(gather_ranks(a.view(), b.view(), axes, first, count, keys.get(), values.get(), stream),
       "gather");
  const SortSpace<float> space{{keys.get(), other_keys.get()},
                               {values.get(), other_values.get()},
                               digits.get(),
                               nullptr,
                               nullptr};
  need(sort_keys(count, kSize, 1, true, space, stream), "sort");
  need(add_tied(other_keys.get(), other_values.get(), count, kSize, tied.get(), stream), "tied");
  need(add_inversions(other_values.get(), values.get(), count, kSize, discordant.get(), stream),
       "inversions");
  for (const Tau tau : {Tau::a, Tau::b}) {
    need(taus(a.view(), b.view(), axes, {tied.get(), discordant.get()}, tau, first, count,
              out.get(), stream),
         "taus");
    const auto found = out.values();
    expect(found[0] == -9, "a pair that was not asked for");
    for (int pair = first; pair < 4; ++pair) {
      const double expected = tau_of(x.item(pair / 2), y.item(pair % 2), kSize, tau);
      expect(pair % 2 == 0 ? std::isnan(found[pair]) : found[pair] == expected, "tau");
    }
  }
}

// What has nothing but ties.
void scores_of_equal_entries() {
  const Given rdms(Ranked(1, 40, 1), {1});
  const PairAxes one{1, {1}, {0}, {0}};
  const OnDevice<unsigned long long> tied(Counts{780}), discordant(Counts{0});
  const OnDevice<double> out(2);
  for (const Tau tau : {Tau::a, Tau::b}) {
    need(taus(rdms.view(), rdms.view(), one, {tied.get(), discordant.get()}, tau, 0, 1,
              out.get() + (tau == Tau::b), stream),
         "taus");
  }
  const auto found = out.values();
  expect(found[0] == 0 && std::isnan(found[1]), "tau of equal entries");
}

// Lists longer than a tile.
void gathered() {
  const Ranked x(2, kLong, 50), y(2, kLong, 900);
  const Given a(x, {1, 1}), b(y, {1, 1});
  const PairAxes axes{1, {2}, {1}, {1}};
  const OnDevice<unsigned> keys(size_t{kLong});
  const OnDevice<int32_t> values(size_t{kLong});
  need(gather_ranks(a.view(), b.view(), axes, 1, 1, keys.get(), values.get(), stream), "gather");
  const auto found_keys = keys.values();
  const auto found = values.values();
  bool good = true;
  for (int k = 0; k < kLong; ++k) {
    const int at = y.order[kLong + k];
    good = good && found[k] == y.item(1)[at];
    good = good && int(found_keys[k]) == (x.item(1)[at] + kLong) / 2;
  }
  expect(good, "gathered ranks");
}

void ties() {
  const Ranked rdms(2, 2048 + 60, 50);
  const Given given(rdms, {1, 1});
  const OnDevice<unsigned long long> within(Counts{5, 0});
  need(add_tied_within(given.view(), 2, within.get(), stream), "tied");
  expect(within.values() == Counts({rdms.tied[0] + 5, rdms.tied[1]}), "equal entries");
  // Values that begin anew with every key.
  std::vector<unsigned> keys(kLong);
  std::vector<int32_t> values(kLong);
  for (int k = 0; k < kLong; ++k) keys[k] = unsigned(k / 1000), values[k] = k % 1000 / 3;
  const OnDevice<unsigned> sorted_keys(keys);
  const OnDevice<int32_t> sorted(values);
  const OnDevice<unsigned long long> tied(Counts{0});
  need(add_tied(sorted_keys.get(), sorted.get(), 1, kLong, tied.get(), stream), "tied");
  expect(tied.values()[0] == 4 * 333 * 3 + kLong % 1000 / 3 * 3, "equal in both");
}

void inversions() {
  const Ranked lists(2, kLong, 1000);
  Counts expected{7, 0};
  for (int list = 0; list < 2; ++list) {
    const int32_t* const values = lists.item(list);
    for (int i = 0; i < kLong; ++i) {
      for (int j = 0; j < i; ++j) expected[list] += values[j] > values[i];
    }
  }
  const OnDevice<int32_t> given(lists.ranks), room(lists.ranks.size());
  const OnDevice<unsigned long long> found(Counts{7, 0});
  need(add_inversions(given.get(), room.get(), 2, kLong, found.get(), stream), "inversions");
  expect(found.values() == expected, "inversions");
}

void all() {
  scores();
  scores_of_equal_entries();
  gathered();
  ties();
  inversions();
}

const Topic topic("taus", all);

}  // namespace
}  // namespace likewise::cuda::driver
