#include "procrustes/cuda/directions.h"

#include "driver.h"
#include "procrustes/cuda/directions_kernels.h"

namespace likewise::cuda::driver {
namespace {

using Values = std::vector<double>;

struct Item {
  int rows, cols;
  Values samples;
};

// Two items with units of all sizes far from 0; of each the third unit is constant, of the second
// the fourth is constant up to rounding, and the fifth is the sum of the first two.
Item item(int rows, int cols) {
  Item out{rows, cols, normal<double>(size_t(2 * rows * cols))};
  for (int k = 0; k < 2 * rows * cols; ++k) {
    double& value = out.samples[size_t(k)];
    const int column = k % cols;
    value = column == 2 ? 0.1 : (value + 5) * std::pow(10.0, 40 * (column % 3) - 40);
    const bool second = k >= rows * cols;
    if (second && column == 3) value = 1 + 2.3e-16 * (k / cols % 2);
    if (second && column == 4) {
      value = out.samples[size_t(k - 4)] * 1e40 + out.samples[size_t(k - 3)];
    }
  }
  return out;
}

// What existing_directions() needs of centre().
struct CentredItem {
  OnDevice<double> x, out, unit, squares, spreads;
  OnDevice<int64_t> constant;
  Centred<double> centred;

  explicit CentredItem(const Item& item)
      : x(item.samples),
        out(item.samples.size()),
        unit(2),
        squares(size_t(2 * item.cols)),
        spreads(size_t(2 * item.cols)),
        constant(2),
        centred{out.get(), unit.get(), squares.get(), constant.get(), spreads.get()} {
    need(centre<double>(x.get(), 2, item.rows, item.cols, true, centred, stream), "centre");
  }
};

void units(const Item& item) {
  const int rows = item.rows, cols = item.cols;
  const CentredItem given(item);
  const OnDevice<double> columns(item.samples.size()), norms(size_t(2 * cols));
  need(unit_columns(given.x.get(), given.centred, 2, rows, cols, true, columns.get(), norms.get(),
                    stream),
       "units");
  const auto found = columns.values(), sizes = norms.values();
  for (int k = 0; k < 2 * cols; ++k) {
    const size_t begin = size_t(k / cols) * rows * cols + size_t(k % cols);
    const auto at = [&](int i) { return item.samples[begin + size_t(i) * cols]; };
    double mean = 0, square = 0;
    for (int i = 0; i < rows; ++i) mean += at(i) / rows;
    for (int i = 0; i < rows; ++i) square += std::pow((at(i) - mean) / std::abs(mean), 2);
    const double norm = std::sqrt(square) * std::abs(mean);
    const bool absent = k % cols == 2 || k == cols + 3;
    expect(absent ? sizes[k] == 0 : std::abs(sizes[k] - norm) <= 1e-12 * norm, "norm");
    for (int i = 0; i < rows; ++i) {
      const double wanted = absent ? 0 : (at(i) - mean) / norm;
      expect(std::abs(found[begin + size_t(i) * cols] - wanted) <= 1e-12, "unit column");
    }
  }
}

// Directions are orthonormal, and with their values, sizes and right sides give the samples again.
void directions(const Item& item) {
  const int rows = item.rows, cols = item.cols, width = std::min(rows, cols);
  const CentredItem given(item);
  const OnDevice<int64_t> ranks(2), dropped(2);
  Call call;
  const Context context = call.context();
  const ItemDirections found = existing_directions(context, given.x.get(), given.centred, 2, rows,
                                                   cols, true, {ranks.get(), dropped.get()});
  const auto numbers = ranks.values(), fewer = dropped.values();
  const int64_t first = std::min(cols - 1, rows - 1), second = std::min(cols - 3, rows - 1);
  expect(numbers[0] == first && numbers[1] == second, "rank");
  expect(fewer[0] == 0 && fewer[1] == std::min(cols - 1, rows - 1) - second, "dropped");
  const auto host = [&](const double* data, size_t size) {
    Values out(size);
    need(cudaStreamSynchronize(stream), "run");
    need(cudaMemcpy(out.data(), data, size * sizeof(double), cudaMemcpyDeviceToHost), "download");
    return out;
  };
  const PrincipalAxes axes = principal_axes(context, found, given.out.get(), 2, rows, cols);
  const OnDevice<double> ones(Values(size_t(2 * width), 1.0)), turned(size_t(2 * width * rows));
  turn_directions(context, found, axes, ones.get(), 2, rows, turned.get());
  const Values centred = given.out.values(), left = host(found.left, size_t(2 * width * rows));
  const Values along = turned.values(), values = host(axes.values, size_t(2 * width));
  const Values right = host(axes.right, size_t(2 * width * cols));
  for (int q = 0; q < 2; ++q) {
    double squares = 0, error = 0;
    for (int k = 0; k < width * rows; ++k) squares += std::pow(left[q * width * rows + k], 2);
    expect(std::abs(squares - double(numbers[q])) <= 1e-12, "orthonormal directions");
    for (int k = 0; k < rows * cols; ++k) {
      double sum = 0;
      for (int r = 0; r < width; ++r) {
        sum += along[(q * width + r) * rows + k / cols] * values[q * width + r] *
               right[(q * width + r) * cols + k % cols];
      }
      error = std::max(error, std::abs(sum - centred[q * rows * cols + k]));
    }
    expect(error <= 1e-11, "samples along principal axes");
  }
}

void all() {
  for (const Item& given : {item(30, 7), item(300, 40), item(6, 12)}) {
    units(given);
    directions(given);
  }
}

const Topic topic("directions", all);

}  // namespace
}  // namespace likewise::cuda::driver
