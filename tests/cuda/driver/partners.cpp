#include "units/cuda/partners.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

struct PartnersOnDevice {
  explicit PartnersOnDevice(size_t rows)
      : greedy(rows),
        one_to_one(std::vector<int64_t>(rows)),
        greedy_similarity(rows),
        one_to_one_similarity(std::vector<double>(rows)) {}
  Partners get() const {
    return {greedy.get(), one_to_one.get(), greedy_similarity.get(), one_to_one_similarity.get(),
            counts.get()};
  }
  OnDevice<int64_t> greedy, one_to_one;
  OnDevice<double> greedy_similarity, one_to_one_similarity;
  OnDevice<int64_t> counts{2};
};

// Rows with equal values, and one of NaN.
template <class T>
void greedy(int rows, int cols) {
  std::vector<T> host = normal<T>(size_t(rows) * cols);
  for (T& value : host) value = std::round(2 * value) / 2;
  for (int j = 0; j < cols; ++j) host[size_t(3) * cols + j] = T(std::nan(""));
  const OnDevice<T> similarity(host);
  const PartnersOnDevice out(rows);
  need(greedy_partners<T>(similarity.get(), rows, cols, out.get(), stream), "greedy");
  const auto found = out.greedy.values(), none = out.one_to_one.values();
  const auto values = out.greedy_similarity.values(), no_value = out.one_to_one_similarity.values();
  for (int i = 0; i < rows; ++i) {
    const T* const row = host.data() + size_t(i) * cols;
    const auto best = std::max_element(row, row + cols);  // the first of them
    expect(found[i] == (i == 3 ? -1 : best - row), "best partner");
    expect(i == 3 ? std::isnan(values[i]) : values[i] == double(*best), "similarity of the best");
    expect(none[i] == -1 && std::isnan(no_value[i]), "no partner yet");
  }
  expect(out.counts.values() == std::vector<int64_t>({0, 0}), "counts of zero");
}

// Half of the rows have the column that they like best; some have no pair.
template <class T>
void assigned() {
  constexpr int kRows = 290, kCols = 2;
  std::vector<T> host(kRows * kCols);
  std::vector<int64_t> rows(kRows), columns(kRows), liked(kRows), nothing(kRows, -1);
  int64_t matched = 0, same = 0;
  for (int k = 0; k < kRows; ++k) {
    const int row = (k + 7) % kRows;
    rows[k] = k % 10 == 9 ? -1 : row;
    columns[k] = k % 10 == 9 ? -1 : k % 2;
    liked[row] = k / 2 % 2;
    host[row * kCols + k % 2] = T(k % 5) / 4;
    if (k % 10 == 9) continue;
    matched += k % 5 >= 2;
    same += k % 2 == k / 2 % 2;
  }
  const OnDevice<T> similarity(host);
  const OnDevice<int64_t> row_ind(rows), col_ind(columns);
  const OnDevice<int64_t> greedy(liked), one_to_one(nothing), counts(std::vector<int64_t>{0, 0});
  const OnDevice<double> values(std::vector<double>(kRows, 9.0));
  const Partners out{greedy.get(), one_to_one.get(), nullptr, values.get(), counts.get()};
  need(assigned_partners<T>(similarity.get(), kCols, row_ind.get(), col_ind.get(), kRows, 0.5, out,
                            stream),
       "assigned");
  const auto partners = one_to_one.values();
  const auto found = values.values();
  for (int k = 0; k < kRows; ++k) {
    const int row = (k + 7) % kRows;
    const bool pair = k % 10 != 9;
    expect(partners[row] == (pair ? k % 2 : -1), "partner one to one");
    expect(found[row] == (pair ? k % 5 / 4.0 : 9), "similarity one to one");
  }
  expect(counts.values() == std::vector<int64_t>({matched, same}), "counts of partners");
}

void partners() {
  greedy<float>(17, 41);
  greedy<double>(9, 5);
  assigned<float>();
  assigned<double>();
}

const Topic topic("partners", partners);

}  // namespace
}  // namespace likewise::cuda::driver
