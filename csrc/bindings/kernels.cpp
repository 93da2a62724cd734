#include "kernels/kernels.h"

#include <algorithm>

#include "bindings/arrays.h"
#include "bindings/options.h"
#include "core/dtype.h"
#include "kernels/gradient.h"

namespace likewise::bindings {
namespace {

KernelCounts kernel_counts(const Counts& counts) { return {counts.row(0), counts.row(1)}; }

void kernel_scores(const std::vector<py::array>& a, const std::vector<py::array>& b,
                   py::array scores, py::array counts, const KernelOptions& options, int threads) {
  dispatch_float(input(a[0]).dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items_a = matrices<T>(a), items_b = matrices<T>(b);
    const KernelCounts found = kernel_counts(counts_of(counts));
    double* const out = double_output(scores);
    const py::gil_scoped_release release;
    likewise::kernel_scores<T>(items_a, items_b, options, threads, out, found);
  });
}

// Calls body(batch of x, batch of y, scores, counts); returns whether it counted anything.
template <class Body>
bool of_pairs(const py::array& x, const py::array& y, py::array& scores, py::array& counts,
              const Body& body) {
  const ArrayRef vx = input(x), vy = input(y);
  const Counts found = counts_of(counts);
  double* const out = double_output(scores);
  require_same_dtype(vx, vy, "kernel_pairs");
  const py::gil_scoped_release release;
  dispatch_float(vx.dtype, [&](auto zero) {
    using T = decltype(zero);
    body(MatrixBatch<const T>(vx), MatrixBatch<const T>(vy), out, kernel_counts(found));
  });
  return std::any_of(found.data, found.data + 2 * found.items, [](int64_t n) { return n != 0; });
}

bool kernel_pairs(const py::array& x, const py::array& y, py::array scores, py::array counts,
                  const KernelOptions& options, int threads) {
  return of_pairs(x, y, scores, counts,
                  [&](const auto& left, const auto& right, double* out, const KernelCounts& found) {
                    likewise::kernel_pairs(left, right, options, threads, out, found);
                  });
}

template <class T>
T* elements(const std::optional<ArrayRef>& array, const MatrixBatch<const T>&) {
  return array ? static_cast<T*>(array->data) : nullptr;
}

bool kernel_gradients(const py::array& x, const py::array& y, py::array scores, py::array counts,
                      std::optional<py::array> grad_x, std::optional<py::array> grad_y,
                      const KernelOptions& options, int threads) {
  std::optional<ArrayRef> gx, gy;
  if (grad_x) gx = output(*grad_x);
  if (grad_y) gy = output(*grad_y);
  return of_pairs(x, y, scores, counts,
                  [&](const auto& left, const auto& right, double* out, const KernelCounts& found) {
                    likewise::kernel_gradients(left, right, options, threads, out, found,
                                               elements(gx, left), elements(gy, right));
                  });
}

bool kernel_reordered(const py::array& x, const py::array& y, const Orders& orders,
                      py::array scores, const KernelOptions& options, int threads) {
  const ArrayRef vx = input(x), vy = input(y);
  double* const out = double_output(scores);
  return dispatch_float(vx.dtype, [&](auto zero) {
    using T = decltype(zero);
    const py::gil_scoped_release release;
    return likewise::kernel_reordered(matrix<T>(vx), matrix<T>(vy), orders.data(), orders.shape(0),
                                      options, threads, out);
  });
}

}  // namespace

void register_kernels(py::module_& m) {
  m.def("kernel_scores", &kernel_scores);
  m.def("kernel_pairs", &kernel_pairs);
  m.def("kernel_gradients", &kernel_gradients);
  m.def("kernel_reordered", &kernel_reordered);
}

}  // namespace likewise::bindings
