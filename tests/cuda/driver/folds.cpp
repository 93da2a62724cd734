#include "regression/cuda/folds.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

struct Part {
  std::vector<double> mean, squares;  // of the columns; squares about the mean
  std::vector<bool> constant;
};

// Of rows [begin, end) of x, or of all others.
Part part_of(const std::vector<double>& x, int rows, int cols, int begin, int end, bool inside) {
  Part out{std::vector<double>(size_t(cols)), std::vector<double>(size_t(cols)),
           std::vector<bool>(size_t(cols))};
  for (int j = 0; j < cols; ++j) {
    std::vector<double> column;
    for (int i = 0; i < rows; ++i) {
      if ((i >= begin && i < end) == inside) column.push_back(x[size_t(i * cols + j)]);
    }
    for (const double v : column) out.mean[size_t(j)] += v / double(column.size());
    for (const double v : column) out.squares[size_t(j)] += std::pow(v - out.mean[size_t(j)], 2);
    const auto [low, high] = std::minmax_element(column.begin(), column.end());
    out.constant[size_t(j)] = *low == *high;
  }
  return out;
}

void split(const FoldShape& shape, int count, int cols, bool intercept, bool apart) {
  const int rows = int(shape.rows), folds = int(shape.folds), models = count * folds;
  std::vector<double> host = normal<double>(size_t(count * rows * cols));
  for (double& v : host) v += 3;
  for (int i = 0; i < rows; ++i) {
    host[size_t(i * cols)] = i < shape.begin(1) ? double(i) : 7.1;  // constant without fold 0
    host[size_t(i * cols + 1)] = i < shape.begin(1) ? 1.1 : double(i % 5);  // constant in it
  }
  const int64_t trained = shape.most_trained(), left = shape.most_left_out() + apart;
  const OnDevice<double> x(host), train(size_t(models * trained * cols)),
      left_out(size_t(models * left * cols)), train_squares(size_t(models * cols)),
      squares(size_t(models * cols));
  for (const bool asked : {true, false}) {
    need(split_folds(x.get(), count, shape, cols, intercept,
                     {train.get(), left_out.get(), asked ? train_squares.get() : nullptr,
                      asked ? squares.get() : nullptr, apart},
                     stream),
         "split");
  }
  const auto rows_in = train.values(), rows_out = left_out.values();
  const auto squares_in = train_squares.values(), squares_out = squares.values();
  for (int model = 0; model < models; ++model) {
    const int fold = model % folds, begin = int(shape.begin(fold)),
              end = int(shape.begin(fold + 1));
    const std::vector<double> item(host.begin() + model / folds * rows * cols,
                                   host.begin() + (model / folds + 1) * rows * cols);
    const Part kept = part_of(item, rows, cols, begin, end, false);
    const Part away = part_of(item, rows, cols, begin, end, true);
    for (int j = 0; j < cols; ++j) {
      const double origin = intercept ? kept.mean[size_t(j)] : 0;
      double sum = 0;
      for (int64_t i = 0; i < trained; ++i) {
        const int64_t from = i < begin ? i : i + (end - begin);
        const double given = rows_in[size_t((model * trained + i) * cols + j)];
        const double wanted = from < rows ? item[size_t(from * cols + j)] - origin : 0;
        expect(std::abs(given - wanted) <= 1e-12, "row that stays");
        if (intercept && kept.constant[size_t(j)]) expect(given == 0, "constant column");
        sum += wanted * wanted;
      }
      const double middle = apart && intercept ? away.mean[size_t(j)] : origin;
      for (int64_t i = 0; i < left; ++i) {
        const double given = rows_out[size_t((model * left + i) * cols + j)];
        double wanted = begin + i < end ? item[size_t((begin + i) * cols + j)] - middle : 0;
        if (apart && i == left - 1) wanted = middle - origin;
        expect(std::abs(given - wanted) <= 1e-12, "row that is left out");
      }
      const size_t at = size_t(model * cols + j);
      expect(std::abs(squares_in[at] - sum) <= 1e-10, "squares of what stays");
      expect(std::abs(squares_out[at] - away.squares[size_t(j)]) <= 1e-10, "squares left out");
      if (away.constant[size_t(j)]) expect(squares_out[at] == 0, "constant column left out");
    }
  }
}

// One sample of nine and more is far away, one column is constant.
void middles() {
  for (const int rows : {3, 9, 40}) {
    constexpr int kCount = 2, kCols = 35;
    std::vector<double> host = normal<double>(size_t(kCount * rows * kCols));
    for (int k = 0; k < kCount * rows * kCols; ++k) {
      if (k % kCols == 1) host[size_t(k)] = 0.1;
      if (k % kCols == 2) host[size_t(k)] *= 1e200;
      if (k / kCols % rows == 0 && k % kCols != 1) host[size_t(k)] += 1e9;
    }
    const OnDevice<double> x(host), out(host.size());
    const OnDevice<int64_t> constant(std::vector<int64_t>{0, 0});
    for (const bool scaled : {false, true}) {
      need(move_to_middle(x.get(), kCount, rows, kCols, out.get(),
                          scaled ? constant.get() : nullptr, stream),
           "middle");
      const auto found = out.values();
      for (int k = kCols; k < 2 * kCols; ++k) {  // the second row is no more than moved and scaled
        const double value = found[size_t(k)];
        if (k % kCols == 1) expect(value == 0, "constant column");
        if (!scaled && k % kCols > 2) expect(std::abs(value) < 10, "distance from the middle");
        if (scaled) expect(std::abs(value) < 2, "size near 1");
      }
    }
    expect(constant.values() == std::vector<int64_t>({1, 1}), "constant columns");
  }
}

void folds() {
  for (const bool apart : {false, true}) {
    split({23, 5}, 2, 40, true, apart);
    split({23, 5}, 1, 3, false, apart);
    split({12, 3}, 1, 5, true, apart);
  }
  middles();
}

const Topic topic("folds", folds);

}  // namespace
}  // namespace likewise::cuda::driver
