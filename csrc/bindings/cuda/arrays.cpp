#include "bindings/cuda/arrays.h"

#include <pybind11/stl.h>

#include <string>
#include <utility>

#include "bindings/cuda/dlpack.h"

namespace likewise::bindings {
namespace {

using cuda::ElementType;

struct TypeName {
  uint8_t code, bits;
  ElementType type;
  const char* numpy;  // null: NumPy has no such type
};
constexpr TypeName kTypes[] = {
    {dlpack::kFloat, 32, ElementType::float32, "f4"},
    {dlpack::kFloat, 64, ElementType::float64, "f8"},
    {dlpack::kFloat, 16, ElementType::float16, "f2"},
    {dlpack::kBFloat, 16, ElementType::bfloat16, nullptr},
    {dlpack::kInt, 8, ElementType::int8, "i1"},
    {dlpack::kInt, 16, ElementType::int16, "i2"},
    {dlpack::kInt, 32, ElementType::int32, "i4"},
    {dlpack::kInt, 64, ElementType::int64, "i8"},
    {dlpack::kUInt, 8, ElementType::uint8, "u1"},
    {dlpack::kBool, 8, ElementType::uint8, "u1"},
    {dlpack::kUInt, 16, ElementType::uint16, "u2"},
    {dlpack::kUInt, 32, ElementType::uint32, "u4"},
    {dlpack::kUInt, 64, ElementType::uint64, "u8"},
};

template <class T>
constexpr ElementType type_of();
template <>
constexpr ElementType type_of<float>() {
  return ElementType::float32;
}
template <>
constexpr ElementType type_of<double>() {
  return ElementType::float64;
}
template <>
constexpr ElementType type_of<int64_t>() {
  return ElementType::int64;
}
template <>
constexpr ElementType type_of<uint8_t>() {
  return ElementType::uint8;
}

constexpr int64_t kFacts = sizeof(cuda::CallStatus) / sizeof(int64_t);

// Libraries export arrays of their current device alone.
py::object capsule_of(const py::object& owner, int64_t stream) {
  const auto device = owner.attr("__dlpack_device__")().cast<std::pair<int, int>>();
  const cuda::CurrentDevice there(device.second);
  const py::object method = owner.attr("__dlpack__");
  try {
    return method(py::arg("stream") = stream, py::arg("max_version") = py::make_tuple(1, 0));
  } catch (py::error_already_set& error) {  // a producer from before DLPack 1.0
    if (!error.matches(PyExc_TypeError)) throw;
    return method(py::arg("stream") = stream);
  }
}

}  // namespace

DeviceArray::DeviceArray(py::object owner, int64_t stream)
    : owner_(std::move(owner)), capsule_(capsule_of(owner_, stream)) {
  // The capsule is borrowed, never renamed: its own destructor gives the tensor back.
  PyObject* const capsule = capsule_.ptr();
  dlpack::Tensor tensor{};
  if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
    const auto* managed =
        static_cast<dlpack::ManagedVersioned*>(PyCapsule_GetPointer(capsule, "dltensor_versioned"));
    if (managed->version.major != 1) throw py::type_error("unknown version of DLPack");
    tensor = managed->tensor;
    read_only_ = managed->flags & dlpack::kReadOnly;
  } else if (PyCapsule_IsValid(capsule, "dltensor")) {
    tensor = static_cast<dlpack::Managed*>(PyCapsule_GetPointer(capsule, "dltensor"))->tensor;
  } else {
    throw py::type_error("__dlpack__ returned no tensor");
  }
  const int32_t device = tensor.device.device_type;
  if (device != dlpack::kCuda && device != dlpack::kCudaManaged) {
    throw py::type_error("the array is not in the memory of a CUDA device");
  }
  if (tensor.ndim > kMaxDims) throw InputError("arrays may have at most 16 axes");
  const TypeName* found = nullptr;
  for (const TypeName& known : kTypes) {
    if (known.code == tensor.dtype.code && known.bits == tensor.dtype.bits) found = &known;
  }
  if (!found || tensor.dtype.lanes != 1) throw py::type_error("complex or unknown element type");
  type_ = found->type;
  data_ = static_cast<char*>(tensor.data) + tensor.byte_offset;
  shape_.assign(tensor.shape, tensor.shape + tensor.ndim);
  strides_.resize(shape_.size());
  int64_t stride = 1;
  for (size_t axis = shape_.size(); axis-- > 0;) {
    strides_[axis] = tensor.strides ? tensor.strides[axis] : stride;
    stride *= shape_[axis];
  }
}

DeviceArray::DeviceArray(py::object owner, void* data, const py::dtype& dtype,
                         std::vector<int64_t> shape)
    : owner_(std::move(owner)), data_(static_cast<char*>(data)), shape_(std::move(shape)) {
  const TypeName* found = nullptr;
  for (const TypeName& known : kTypes) {
    if (!known.numpy || known.numpy[0] != dtype.kind()) continue;
    if (known.numpy[1] - '0' == dtype.itemsize()) found = &known;
  }
  if (!found) throw InternalError("a device array of an unknown type");
  type_ = found->type;
  strides_.resize(shape_.size());
  int64_t stride = 1;
  for (size_t axis = shape_.size(); axis-- > 0;) {
    strides_[axis] = stride;
    stride *= shape_[axis];
  }
}

int64_t DeviceArray::size() const {
  int64_t size = 1;
  for (const int64_t extent : shape_) size *= extent;
  return size;
}

py::dtype DeviceArray::dtype() const {
  for (const TypeName& known : kTypes) {
    if (known.type == type_ && known.numpy) return py::dtype(known.numpy);
  }
  return py::dtype("f2");  // bfloat16: as wide, and widened alike
}

bool DeviceArray::contiguous() const {
  int64_t stride = 1;
  for (size_t axis = shape_.size(); axis-- > 0;) {
    if (shape_[axis] != 1 && strides_[axis] != stride) return size() == 0;
    stride *= shape_[axis];
  }
  return true;
}

DeviceArray DeviceArray::broadcast_to(const std::vector<int64_t>& shape) const {
  DeviceArray out = *this;
  const size_t added = shape.size() - shape_.size();
  out.shape_ = shape;
  out.strides_.assign(shape.size(), 0);
  for (size_t axis = 0; axis < shape_.size(); ++axis) {
    if (shape_[axis] == shape[axis + added]) out.strides_[axis + added] = strides_[axis];
  }
  return out;
}

DeviceArray DeviceArray::strided(const std::vector<int64_t>& shape,
                                 const std::vector<int64_t>& strides, int64_t first) const {
  DeviceArray out = *this;
  out.data_ += first * dtype().itemsize();
  out.shape_ = shape;
  out.strides_ = strides;
  return out;
}

cuda::DeviceRef DeviceArray::view() const {
  cuda::DeviceRef view{data_, type_, ndim(), {}, {}};
  for (int axis = 0; axis < ndim(); ++axis) {
    view.shape[axis] = shape_[axis];
    view.strides[axis] = strides_[axis];
  }
  return view;
}

template <class T>
void DeviceArray::require_elements() const {
  if (type_ != type_of<T>() || !contiguous()) {
    throw InternalError("a device array has the wrong type or layout");
  }
}

template <class T>
const T* DeviceArray::elements() const {
  require_elements<T>();
  return reinterpret_cast<const T*>(data_);
}

template <class T>
T* DeviceArray::filled() const {
  require_elements<T>();
  if (read_only_) throw InternalError("a device array to be filled is read-only");
  return reinterpret_cast<T*>(data_);
}

template const float* DeviceArray::elements<float>() const;
template const double* DeviceArray::elements<double>() const;
template const int64_t* DeviceArray::elements<int64_t>() const;
template const uint8_t* DeviceArray::elements<uint8_t>() const;
template float* DeviceArray::filled<float>() const;
template double* DeviceArray::filled<double>() const;
template int64_t* DeviceArray::filled<int64_t>() const;
template uint8_t* DeviceArray::filled<uint8_t>() const;

Run::Run(int64_t stream, int device, py::object allocate, const std::optional<DeviceArray>& status)
    : device_(device), allocate_(std::move(allocate)), keep_(status) {
  // DLPack's numbers: 1 is the legacy default stream, 2 that of the thread.
  stream_ = stream == 1   ? cudaStreamLegacy
            : stream == 2 ? cudaStreamPerThread
                          : reinterpret_cast<cudaStream_t>(static_cast<uintptr_t>(stream));
  if (!status) return;
  status_ = status->filled<int64_t>();
  places_ = status->size() - kFacts;
  const CallContext context(*this);
  cuda::check(cudaMemsetAsync(status_, 0xFF, size_t(status->size()) * sizeof *status_, stream_),
              "memset");
}

void Run::look(const DeviceArray& array) {
  if (!status_) return;
  if (looked_ == places_) throw InternalError("more arrays to look at than places for findings");
  auto* const first = reinterpret_cast<unsigned long long*>(status_ + kFacts + looked_++);
  const CallContext context(*this);
  dispatch_float(array, [&](auto zero) {
    using T = decltype(zero);
    cuda::find_nonfinite<T>(array.elements<T>(), array.size(), first, stream_);
  });
}

std::vector<int64_t> Run::finish(const std::vector<DeviceArray>& also) {
  std::vector<int64_t> found;
  if (!status_) return found;
  const CallContext context(*this);
  size_t size = size_t(kFacts + looked_);
  for (const DeviceArray& array : also) size += size_t(array.size());
  found.resize(size);
  int64_t* to = found.data();
  const auto bring = [&](const int64_t* from, int64_t count) {
    cuda::check(
        cudaMemcpyAsync(to, from, size_t(count) * sizeof *to, cudaMemcpyDeviceToHost, stream_),
        "copy");
    to += count;
  };
  bring(status_, kFacts + looked_);
  for (const DeviceArray& array : also) bring(array.filled<int64_t>(), array.size());
  const py::gil_scoped_release release;
  cuda::check(cudaStreamSynchronize(stream_), "wait");
  return found;
}

CallContext::CallContext(Run& run)
    : Context{run.stream_,
              [this, &run](size_t bytes) -> void* {
                const py::object made = run.allocate_(bytes);
                temporaries_.push_back(py::isinstance<DeviceArray>(made)
                                           ? made.cast<DeviceArray>()
                                           : DeviceArray(made, DeviceArray::kInOrder));
                return const_cast<void*>(temporaries_.back().view().data);
              },
              reinterpret_cast<cuda::CallStatus*>(run.status_)},
      device_(run.device_) {}

}  // namespace likewise::bindings
