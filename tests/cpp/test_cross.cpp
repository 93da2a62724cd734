#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "check.h"
#include "core/error.h"
#include "linalg/cross.h"
#include "naive.h"

namespace {

using namespace likewise;
using namespace likewise::testing;

// Items of the given widths and their values in T; every third item is read on demand.
template <class T>
struct List {
  std::vector<Matrix> matrices;
  std::vector<std::vector<T>> values;
  std::vector<Item<T>> items;

  List(const std::vector<int64_t>& widths, int64_t rows, uint64_t seed) {
    for (const int64_t width : widths) {
      matrices.push_back(random_matrix(rows, width, seed + matrices.size()));
      values.push_back(matrices.back().padded<T>(width));
    }
    for (size_t i = 0; i < widths.size(); ++i) {
      const T* data = values[i].data();
      const int64_t cols = widths[i];
      items.push_back({data, cols});
      if (i % 3 != 2) continue;
      items.back().data = nullptr;
      items.back().read = [data, cols](int64_t row, int64_t count, T* out, int64_t ld) {
        for (int64_t r = 0; r < count; ++r)
          std::copy_n(data + (row + r) * cols, cols, out + r * ld);
      };
    }
  }
};

constexpr Pairing kPairings[] = {Pairing::paired, Pairing::cross, Pairing::symmetric,
                                 Pairing::symmetric_with_self};

bool is_symmetric(Pairing pairing) {
  return pairing == Pairing::symmetric || pairing == Pairing::symmetric_with_self;
}

bool wanted(Pairing pairing, int64_t i, int64_t j) {
  if (pairing == Pairing::cross) return true;
  return (i == j && pairing != Pairing::symmetric) || (i < j && is_symmetric(pairing));
}

// Every wanted pair arrives once with A_i' B_j, no other pair arrives.
template <class T>
void products_match_naive(const std::vector<int64_t>& widths_a,
                          const std::vector<int64_t>& widths_b, int64_t rows, Pairing pairing,
                          int threads, double tolerance) {
  const List<T> a(widths_a, rows, 10), b(widths_b, rows, is_symmetric(pairing) ? 10 : 90);
  std::mutex mutex;
  std::map<std::pair<int64_t, int64_t>, int> visits;
  std::vector<int> busy(size_t(std::max(threads, 1)), 0);  // unguarded: one worker never overlaps
  double largest = 0;
  for_each_product<T>(
      a.items, is_symmetric(pairing) ? std::vector<Item<T>>{} : b.items, rows, pairing, threads,
      [&](int64_t i, int64_t j, double* m, int64_t ld, int worker) {
        ++busy[size_t(worker)];
        const Matrix expected = product(transposed(a.matrices[size_t(i)]), b.matrices[size_t(j)]);
        const double difference = largest_difference(expected, m, ld);
        for (int64_t r = 0; r < expected.rows; ++r) {  // ours to overwrite
          for (int64_t c = 0; c < expected.cols; ++c) m[r * ld + c] = -1e30;
        }
        const std::lock_guard lock(mutex);
        ++visits[{i, j}];
        largest = std::max(largest, difference);
      });
  CHECK(largest < tolerance);
  for (int64_t i = 0; i < int64_t(widths_a.size()); ++i) {
    for (int64_t j = 0; j < int64_t(widths_b.size()); ++j) {
      CHECK((visits[{i, j}] == (wanted(pairing, i, j) ? 1 : 0)));
    }
  }
}

TEST(products_of_all_pairs) {
  const std::vector<int64_t> narrow(9, 5), mixed{3, 520, 1, 40, 8, 8}, one{12};
  for (const int threads : {1, 4}) {
    for (const Pairing pairing : kPairings) {
      for (const auto& widths : {narrow, mixed, one}) {
        products_match_naive<double>(widths, widths, 12, pairing, threads, 1e-12);
        products_match_naive<float>(widths, widths, 12, pairing, threads, 1e-4);
      }
    }
    products_match_naive<double>(mixed, narrow, 12, Pairing::cross, threads, 1e-12);
  }
}

TEST(items_without_columns_keep_their_partners) {
  const std::vector<std::vector<int64_t>> lists{
      {3, 4, 5, 6}, {0, 0, 5, 6}, {3, 0, 0, 6}, {0, 4, 0, 0}, {0, 0, 0, 0}};
  for (const Pairing pairing : kPairings) {
    for (const auto& a : lists) {
      for (const auto& b : lists) {
        products_match_naive<double>(a, is_symmetric(pairing) ? a : b, 12, pairing, 2, 1e-12);
        products_match_naive<float>(a, is_symmetric(pairing) ? a : b, 12, pairing, 2, 1e-4);
      }
    }
  }
}

TEST(products_over_several_blocks_of_rows) {
  const std::vector<int64_t> widths{6, 7, 8};
  for (const int64_t rows : {511, 512, 1024, 2500}) {
    products_match_naive<double>(widths, widths, rows, Pairing::cross, 2, 1e-10);
    products_match_naive<float>(widths, widths, rows, Pairing::symmetric, 2, 2e-3);
  }
}

TEST(the_product_of_one_pair) {
  const List<float> a({4, 600, 5}, 700, 1), b({9, 2, 30}, 700, 40);
  ProductWorkspace<float> workspace;
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) {
      const Matrix expected = product(transposed(a.matrices[i]), b.matrices[j]);
      const double* m = product<float>(a.items[i], b.items[j], 700, workspace);
      CHECK(largest_difference(expected, m, expected.cols) < 1e-3);
    }
  }
}

TEST(an_exception_of_the_visitor_passes_through) {
  const List<double> a({4, 4, 4}, 10, 1);
  CHECK_THROWS(InputError, for_each_product<double>(a.items, {}, 10, Pairing::symmetric, 2,
                                                    [](int64_t, int64_t, double*, int64_t, int) {
                                                      throw InputError("planned");
                                                    }));
}

TEST(empty_lists_have_no_pairs) {
  const auto never = [](int64_t, int64_t, double*, int64_t, int) { throw InputError("visited"); };
  for (const Pairing pairing : kPairings) {
    for_each_product<double>({}, {}, 10, pairing, 2, never);
  }
  const List<double> a({4}, 10, 1);
  for_each_product<double>(a.items, {}, 10, Pairing::cross, 2, never);
  for_each_product<double>(a.items, {}, 10, Pairing::symmetric, 2, never);
  CHECK_THROWS(InternalError, for_each_product<double>(a.items, {}, 10, Pairing::paired, 2, never));
}

}  // namespace
