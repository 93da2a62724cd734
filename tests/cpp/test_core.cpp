#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/finite.h"
#include "core/isa.h"
#include "core/view.h"
#include "naive.h"

namespace {

using namespace likewise;
using likewise::testing::array_of;

TEST(a_batch_walks_its_leading_axes_in_row_major_order) {
  std::vector<double> data(2 * 3 * 4 * 5);
  for (size_t i = 0; i < data.size(); ++i) data[i] = double(i);
  const MatrixBatch<const double> batch(array_of(data, {2, 3, 4, 5}));
  CHECK(batch.count() == 6);
  for (int64_t item = 0; item < 6; ++item) {
    const auto m = batch[item];
    CHECK(m.rows == 4 && m.cols == 5 && m.rows_contiguous());
    CHECK(m(0, 0) == double(20 * item) && m(3, 4) == double(20 * item + 19));
  }
}

TEST(a_batch_follows_zero_and_negative_strides) {
  std::vector<double> data(3 * 4);
  for (size_t i = 0; i < data.size(); ++i) data[i] = double(i);
  ArrayRef array = array_of(data, {5, 3, 4});
  array.strides = {0, 4, -1};  // five times the same matrix, its columns reversed
  array.data = data.data() + 3;
  const MatrixBatch<const double> batch(array);
  CHECK(batch.count() == 5);
  CHECK(batch[4](0, 0) == 3 && batch[4](2, 3) == 8 && !batch[4].rows_contiguous());
}

TEST(an_empty_batch_has_no_items) {
  std::vector<float> none;
  CHECK(MatrixBatch<const float>(array_of(none, {0, 3, 4})).count() == 0);
}

TEST(batch_offsets_are_64_bit) {
  float first;
  ArrayRef array{&first, DType::float32, 3};
  array.shape = {3, 1, 1};
  array.strides = {int64_t{3'000'000'000}, 1, 1};
  const auto address = reinterpret_cast<intptr_t>(MatrixBatch<const float>(array)[2].data);
  CHECK(address - reinterpret_cast<intptr_t>(&first) == intptr_t{24'000'000'000});
}

TEST(a_vector_is_no_matrix_batch) {
  std::vector<double> data(4);
  CHECK_THROWS(InternalError, MatrixBatch<const double>(array_of(data, {4})));
}

TEST(arrays_of_two_dtypes_are_refused) {
  std::vector<double> a(4);
  std::vector<float> b(4);
  require_same_dtype(array_of(a, {2, 2}), array_of(a, {4, 1}), "f");
  CHECK_THROWS(InternalError, require_same_dtype(array_of(a, {2, 2}), array_of(b, {2, 2}), "f"));
}

TEST_BOTH(the_first_nonfinite_value_is_found) {
  const T infinity = std::numeric_limits<T>::infinity();
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const int64_t rows = 700, cols = 1001;  // several blocks of rows
  std::vector<T> data(size_t(rows * cols), std::numeric_limits<T>::max());
  const ArrayRef array = array_of(data, {1, rows, cols});
  for (const int threads : {1, 4}) {
    CHECK(first_nonfinite(array, threads) == -1);
    for (const int64_t index : {int64_t{0}, int64_t{17}, 400 * cols + 1000, rows * cols - 1}) {
      for (const T bad : {infinity, -infinity, nan}) {
        data[size_t(index)] = bad;
        data.back() = bad;
        CHECK(first_nonfinite(array, threads) == index);
        data[size_t(index)] = T(1);
        data.back() = T(1);
      }
    }
  }
}

TEST(nonfinite_values_are_found_through_strides) {
  std::vector<double> data(6 * 8, 1.0);
  data[2 * 8 + 5] = NAN;
  ArrayRef array = array_of(data, {6, 8});
  array.shape = {6, 4};
  array.strides = {8, 2};  // even columns: the NaN is not among them
  CHECK(first_nonfinite(array, 2) == -1);
  array.data = data.data() + 1;  // odd columns
  CHECK(first_nonfinite(array, 2) == 2 * 4 + 2);
}

TEST(an_empty_array_has_no_nonfinite_value) {
  std::vector<double> none;
  for (const auto& shape : {std::vector<int64_t>{0, 3}, {3, 0}, {0, 3, 4}, {2, 0, 4}}) {
    CHECK(first_nonfinite(array_of(none, shape), 2) == -1);
  }
}

TEST(the_environment_chooses_the_instruction_set) {
  const char* wish = std::getenv("LIKEWISE_SIMD");
  if (wish && *wish) CHECK(isa_name(active_isa()) == std::string(wish));
}

}  // namespace
