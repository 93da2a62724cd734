#include "kernels/kernels.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "bindings/arrays.h"
#include "bindings/kernel_options.h"
#include "core/dtype.h"
#include "kernels/gradient.h"

namespace likewise::bindings {
namespace {

using PreparedItem = std::tuple<py::array, py::array, py::array, double, double>;

template <class T>
std::vector<KernelItem<T>> kernel_items(const std::vector<PreparedItem>& prepared) {
  std::vector<KernelItem<T>> items;
  items.reserve(prepared.size());
  for (const auto& [x, mean, norms, scale, sigma] : prepared) {
    items.push_back({matrix<T>(input(x)), static_cast<const T*>(mean.data()),
                     static_cast<const double*>(norms.data()), scale, sigma});
  }
  return items;
}

void prepare(const std::vector<py::array>& x, std::vector<py::array> means,
             std::vector<py::array> norms, py::array scales, py::array sigmas,
             py::array constant_units, const KernelTuple& options, int threads) {
  if (x.empty()) return;
  dispatch_float(input(x[0]).dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<MatrixRef<const T>> views;
    std::vector<T*> mean_pointers;
    std::vector<double*> norm_pointers;
    for (size_t k = 0; k < x.size(); ++k) {
      views.push_back(matrix<T>(input(x[k])));
      mean_pointers.push_back(float_output<T>(means[k]));
      norm_pointers.push_back(float_output<double>(norms[k]));
    }
    double* scale = float_output<double>(scales);
    double* sigma = float_output<double>(sigmas);
    int64_t* constants = integer_output<int64_t>(constant_units);
    const py::gil_scoped_release release;
    const auto facts =
        prepare_kernel_items(views, mean_pointers, norm_pointers, kernel_options(options), threads);
    for (size_t k = 0; k < facts.size(); ++k) {
      scale[k] = facts[k].scale;
      sigma[k] = facts[k].sigma;
      constants[k] = facts[k].constant_units;
    }
  });
}

void scores(const std::vector<PreparedItem>& a, const std::optional<std::vector<PreparedItem>>& b,
            py::array out, py::array status_a, py::array status_b, const KernelTuple& options,
            int threads) {
  if (a.empty()) return;
  dispatch_float(input(std::get<0>(a[0])).dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items_a = kernel_items<T>(a);
    const auto items_b = b ? kernel_items<T>(*b) : std::vector<KernelItem<T>>{};
    double* values = float_output<double>(out);
    int32_t* of_a = integer_output<int32_t>(status_a);
    int32_t* of_b = integer_output<int32_t>(status_b);
    const py::gil_scoped_release release;
    kernel_scores(items_a, items_b, !b, kernel_options(options), threads, values, of_a, of_b);
  });
}

template <class T>
auto pairs_of(const ArrayRef& x, const ArrayRef& y) {
  const MatrixBatch<const T> batch_x(x), batch_y(y);
  std::pair<std::vector<MatrixRef<const T>>, std::vector<MatrixRef<const T>>> pairs;
  for (int64_t p = 0; p < batch_x.count(); ++p) {
    pairs.first.push_back(batch_x[p]);
    pairs.second.push_back(batch_y[p]);
  }
  return pairs;
}

bool any_of(const int32_t* codes, const int64_t* constants, size_t count) {
  const auto not_zero = [](auto value) { return value != 0; };
  return std::any_of(codes, codes + count, not_zero) ||
         std::any_of(constants, constants + count, not_zero);
}

// Returns whether any status or number of constant units is not zero.
bool scores_paired(const py::array& x, const py::array& y, py::array out, py::array status,
                   py::array constant_units, const KernelTuple& options, int threads) {
  const ArrayRef view_x = input(x), view_y = input(y);
  require_same_dtype(view_x, view_y, "kernel_scores_paired");
  return dispatch_float(view_x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto [items_x, items_y] = pairs_of<T>(view_x, view_y);
    double* values = float_output<double>(out);
    int32_t* codes = integer_output<int32_t>(status);
    int64_t* constants = integer_output<int64_t>(constant_units);
    const py::gil_scoped_release release;
    kernel_scores_paired(items_x, items_y, kernel_options(options), threads, values, codes,
                         constants);
    return any_of(codes, constants, 2 * items_x.size());
  });
}

// The same, and grad_x and grad_y (contiguous, shapes of x and y), or those that are wanted.
bool gradients(const py::array& x, const py::array& y, py::array out, py::array status,
               py::array constant_units, std::optional<py::array> grad_x,
               std::optional<py::array> grad_y, const KernelTuple& options, int threads) {
  const ArrayRef view_x = input(x), view_y = input(y);
  require_same_dtype(view_x, view_y, "kernel_gradients");
  return dispatch_float(view_x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto [items_x, items_y] = pairs_of<T>(view_x, view_y);
    T* const to_x = grad_x ? float_output<T>(*grad_x) : nullptr;
    T* const to_y = grad_y ? float_output<T>(*grad_y) : nullptr;
    std::vector<T*> out_x, out_y;
    for (size_t p = 0; p < items_x.size(); ++p) {
      out_x.push_back(to_x ? to_x + p * items_x[p].rows * items_x[p].cols : nullptr);
      out_y.push_back(to_y ? to_y + p * items_y[p].rows * items_y[p].cols : nullptr);
    }
    double* values = float_output<double>(out);
    int32_t* codes = integer_output<int32_t>(status);
    int64_t* constants = integer_output<int64_t>(constant_units);
    const py::gil_scoped_release release;
    kernel_gradients(items_x, items_y, kernel_options(options), threads, values, codes, constants,
                     out_x, out_y);
    return any_of(codes, constants, 2 * items_x.size());
  });
}

}  // namespace

void register_kernels(py::module_& m) {
  m.def("kernel_prepare", &prepare);
  m.def("kernel_scores", &scores);
  m.def("kernel_scores_paired", &scores_paired);
  m.def("kernel_gradients", &gradients);
  m.def("kernel_exp", [](const py::array& x, py::array out) { kernel_exp(input(x), output(out)); });
}

}  // namespace likewise::bindings
