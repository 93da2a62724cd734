#pragma once

// Kernel matrices and HSIC in slow double code.

#include "driver.h"
#include "kernels/kernels.h"

namespace likewise::cuda::driver {

// The kernel matrix of x (rows x cols), as its definition says.
inline std::vector<double> kernel_matrix(std::vector<double> x, int rows, int cols,
                                         const KernelOptions& options) {
  for (int j = 0; j < cols; ++j) {
    double mean = 0;
    for (int i = 0; i < rows; ++i) mean += x[i * cols + j] / rows;
    for (int i = 0; i < rows; ++i) x[i * cols + j] -= mean;
  }
  std::vector<double> products(rows * rows), squares(rows * rows), distances;
  for (int p = 0; p < rows; ++p) {
    for (int q = 0; q < rows; ++q) {
      for (int j = 0; j < cols; ++j) {
        products[p * rows + q] += x[p * cols + j] * x[q * cols + j];
        squares[p * rows + q] += std::pow(x[p * cols + j] - x[q * cols + j], 2);
      }
      if (q < p) distances.push_back(std::sqrt(squares[p * rows + q]));
    }
  }
  std::sort(distances.begin(), distances.end());
  const size_t half = distances.size() / 2;
  const double median = (distances[half] + distances[distances.size() - 1 - half]) / 2;
  const double sigma = options.median ? options.bandwidth * median : options.bandwidth;
  const double gamma = options.gamma > 0 ? options.gamma : 1.0 / cols;
  std::vector<double> out = products;
  for (int k = 0; k < rows * rows; ++k) {
    if (options.function == KernelFunction::rbf) out[k] = std::exp(-squares[k] / 2 / sigma / sigma);
    if (options.function == KernelFunction::polynomial) {
      out[k] = std::pow(gamma * products[k] + options.coef0, double(options.degree));
    }
  }
  return out;
}

// HSIC of two kernel matrices (rows x rows).
inline double hsic(const std::vector<double>& k, const std::vector<double>& l, int rows,
                   bool unbiased) {
  const double n = rows;
  double products = 0, by_rows = 0, all_k = 0, all_l = 0;
  for (int p = 0; p < rows; ++p) {
    double row_k = 0, row_l = 0;
    for (int q = 0; q < rows; ++q) {
      const bool left_out = unbiased && p == q;
      const double a = left_out ? 0 : k[p * rows + q], b = left_out ? 0 : l[p * rows + q];
      products += a * b, row_k += a, row_l += b;
    }
    by_rows += row_k * row_l, all_k += row_k, all_l += row_l;
  }
  if (!unbiased) return (products - 2 * by_rows / n + all_k * all_l / n / n) / (n - 1) / (n - 1);
  return (products + all_k * all_l / (n - 1) / (n - 2) - 2 * by_rows / (n - 2)) / n / (n - 3);
}

}  // namespace likewise::cuda::driver
