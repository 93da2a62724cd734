#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/elements.h"
#include "core/cuda/matrix.h"
#include "core/cuda/pairs.h"
#include "core/error.h"

// The only doors between Python arrays in device memory and the engine. The Python border has
// refused what no function takes; what fails here otherwise is a bug and says so.

namespace likewise::bindings {

namespace py = pybind11;

// A borrowed array in device memory, or a view of one.
class DeviceArray {
 public:
  // Stream number for arrays that the stream of the call has in order already.
  static constexpr int64_t kInOrder = -1;

  // Asks `owner` for its memory, safe to use on `stream` (numbered as DLPack does it).
  DeviceArray(py::object owner, int64_t stream);

  // Contiguous elements that live as long as `owner`.
  DeviceArray(py::object owner, void* data, const py::dtype& dtype, std::vector<int64_t> shape);

  int ndim() const { return int(shape_.size()); }
  int64_t size() const;
  py::tuple shape() const { return py::tuple(py::cast(shape_)); }
  py::dtype dtype() const;
  py::object owner() const { return owner_; }
  cuda::ElementType type() const { return type_; }
  const std::vector<int64_t>& sizes() const { return shape_; }
  bool contiguous() const;

  py::tuple strides() const { return py::tuple(py::cast(strides_)); }

  // The same memory with axes of stride 0, as NumPy does it.
  DeviceArray broadcast_to(const std::vector<int64_t>& shape) const;

  // Elements of the same memory, counted from the first one of this array. The caller knows that
  // they are there.
  DeviceArray strided(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides,
                      int64_t first) const;

  cuda::DeviceRef view() const;

  // The elements of a contiguous array that the engine reads, or fills.
  template <class T>
  const T* elements() const;
  template <class T>
  T* filled() const;

 private:
  template <class T>
  void require_elements() const;

  py::object owner_, capsule_;
  char* data_ = nullptr;
  cuda::ElementType type_{};
  bool read_only_ = false;
  std::vector<int64_t> shape_, strides_;
};

// Where one call of a public function runs. Kernels report into `status` (int64: CallStatus, then
// for every array that was looked at the position of its first element that is not finite), which
// is read once, at the end; it is None where nobody will look.
class Run {
 public:
  // `allocate`: number of bytes -> an array of the caller's library, or a DeviceArray, that has
  // them.
  Run(int64_t stream, int device, py::object allocate, const std::optional<DeviceArray>& status);

  // Looks for NaN and infinity; the finding goes to the next free place of the status.
  void look(const DeviceArray& array);

  // Waits for the device, once; `also` (int64) are brought to the host as well. Returns what the
  // status says, -1 where nothing is wrong, and then all elements of `also`.
  std::vector<int64_t> finish(const std::vector<DeviceArray>& also);

 private:
  friend class CallContext;
  cudaStream_t stream_;
  int device_;
  py::object allocate_;
  int64_t* status_ = nullptr;
  py::ssize_t places_ = 0, looked_ = 0;
  std::optional<DeviceArray> keep_;
};

// The engine's view of a run while a function of the engine is called, with the GIL held: the run's
// device is the current one, and temporaries live as long.
class CallContext : public cuda::Context {
 public:
  explicit CallContext(Run& run);
  CallContext(const CallContext&) = delete;

 private:
  cuda::CurrentDevice device_;
  std::vector<DeviceArray> temporaries_;
};

// Orders of samples, or samples that were drawn: (count, n), made by NumPy's generators.
using Orders = py::array_t<int32_t, py::array::c_style>;

// A copy in device memory, made without a wait.
inline const int32_t* send_orders(const Orders& orders, const cuda::Context& context) {
  int32_t* const there = context.temporary<int32_t>(size_t(orders.size()));
  cuda::send_values<int32_t>(orders.data(), orders.size(), there, context.stream);
  return there;
}

// Calls body(float{}) or body(double{}).
template <class Body>
auto dispatch_float(const DeviceArray& array, Body&& body) {
  if (array.type() == cuda::ElementType::float32) return body(float{});
  if (array.type() == cuda::ElementType::float64) return body(double{});
  throw InternalError("an array that is neither float32 nor float64 reached the CUDA engine");
}

// Counts of the items of a call, zeros before it: a row for each kind.
struct Counts {
  explicit Counts(const DeviceArray& counts)
      : Counts(counts.filled<int64_t>(), counts.size() / counts.sizes()[0]) {}
  Counts(int64_t* first, int64_t count) : data(first), items(count) {}

  int64_t* row(int64_t kind) const { return data + kind * items; }

  int64_t* data;
  int64_t items;
};

// The elements in C order and of this type, copied where they are not so already.
template <class T>
const T* contiguous(const DeviceArray& array, const cuda::Context& context) {
  if (array.contiguous() && array.type() == cuda::element_type<T>()) return array.elements<T>();
  T* const copy = context.temporary<T>(size_t(array.size()));
  cuda::copy_elements<T>(array.view(), copy, context.stream);
  return copy;
}

// Every representation of a batch (..., n, d) once, those that broadcasting repeats too; `steps`
// lead from a place in the batch to its item.
template <class T>
cuda::Batch<T> distinct_items(const DeviceArray& x, const cuda::Context& context, int64_t* steps) {
  cuda::DeviceRef view = x.view();
  int64_t count = 1;
  for (int axis = view.ndim - 3; axis >= 0; --axis) {
    if (view.strides[axis] == 0) view.shape[axis] = 1;
    steps[axis] = view.shape[axis] == 1 ? 0 : count;
    count *= view.shape[axis];
  }
  const int64_t rows = view.shape[view.ndim - 2], cols = view.shape[view.ndim - 1];
  if (x.contiguous()) return {x.elements<T>(), count, cols};
  T* const copy = context.temporary<T>(size_t(count * rows * cols));
  cuda::copy_elements<T>(view, copy, context.stream);
  return {copy, count, cols};
}

// What was found in the distinct items of one side, for every place of the batch.
inline void spread(const int64_t* found, const DeviceArray& side, const DeviceArray& scores,
                   int64_t* out, const cuda::Context& context) {
  cuda::DeviceRef view{found, cuda::ElementType::int64, scores.ndim(), {}, {}};
  const cuda::DeviceRef strides = side.view();
  int64_t count = 1;
  for (int axis = view.ndim - 1; axis >= 0; --axis) {
    view.shape[axis] = scores.sizes()[size_t(axis)];
    if (strides.strides[axis] == 0 || view.shape[axis] == 1) continue;
    view.strides[axis] = count;
    count *= view.shape[axis];
  }
  cuda::copy_elements<int64_t>(view, out, context.stream);
}

// The last two axes become rows x cols with rows <= cols, copied where they are not so already.
template <class T>
const T* shorter_side_first(const DeviceArray& cost, bool transposed,
                            const cuda::Context& context) {
  if (!transposed && cost.contiguous()) return cost.elements<T>();
  cuda::DeviceRef view = cost.view();
  if (transposed) {
    std::swap(view.shape[view.ndim - 2], view.shape[view.ndim - 1]);
    std::swap(view.strides[view.ndim - 2], view.strides[view.ndim - 1]);
  }
  T* const copy = context.temporary<T>(size_t(cost.size()));
  cuda::copy_elements<T>(view, copy, context.stream);
  return copy;
}

using Items = std::vector<DeviceArray>;
using MaybeArray = std::optional<DeviceArray>;

// Of representations (..., n, d): how many there are, and n.
inline int64_t pairs_of(const DeviceArray& x) {
  int64_t count = 1;
  for (int axis = 0; axis + 2 < x.ndim(); ++axis) count *= x.sizes()[size_t(axis)];
  return count;
}
inline int64_t rows_of(const DeviceArray& x) { return x.sizes()[x.sizes().size() - 2]; }

// The elements to be filled of what may not be wanted: null.
template <class T>
T* filled(const MaybeArray& array) {
  return array ? array->filled<T>() : nullptr;
}

// The elements of representations (..., n, d).
template <class T>
cuda::Matrix<T> matrix(const DeviceArray& x, const cuda::Context& context) {
  return {contiguous<T>(x, context), x.sizes().back()};
}

template <class T>
std::vector<cuda::Matrix<T>> matrices(const Items& items, const cuda::Context& context) {
  std::vector<cuda::Matrix<T>> out;
  for (const DeviceArray& item : items) out.push_back(matrix<T>(item, context));
  return out;
}

// Calls body(context, a, b, rows, symmetric) with two lists of representations (n, d).
template <class Body>
void with_lists(const Items& a, const Items& b, Run& run, Body&& body) {
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    body(context, matrices<T>(a, context), matrices<T>(b, context), rows_of(a[0]), b.empty());
  });
}

// Calls body(context, x, y, count, rows) with pairs of representations (..., n, d).
template <class Body>
void with_pairs(const DeviceArray& x, const DeviceArray& y, Run& run, Body&& body) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    body(context, matrix<T>(x, context), matrix<T>(y, context), pairs_of(x), rows_of(x));
  });
}

// Calls body(found, context, x, y, rows, axes) with every item of such pairs once; `found`, `kinds`
// of findings in each of them, are spread over the counts of all.
template <class Body>
void with_distinct_items(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                         const Counts& counts, int64_t kinds, Run& run, Body&& body) {
  const CallContext context(run);
  cuda::PairAxes axes{scores.ndim(), {}, {}, {}};
  std::copy_n(scores.sizes().begin(), axes.ndim, axes.shape);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    const auto left = distinct_items<T>(x, context, axes.step_a);
    const auto right = distinct_items<T>(y, context, axes.step_b);
    const int64_t items = left.count + right.count;
    const Counts found(context.temporary<int64_t>(size_t(kinds * items)), items);
    body(found, context, left, right, rows_of(x), axes);
    for (int64_t kind = 0; kind < kinds; ++kind) {
      spread(found.row(kind), x, scores, counts.row(kind), context);
      spread(found.row(kind) + left.count, y, scores, counts.row(kind) + scores.size(), context);
    }
  });
}

}  // namespace likewise::bindings
