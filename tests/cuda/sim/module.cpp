// Arrays in simulated device memory for the Python tests, as a CUDA library would offer them.

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>

#include "bindings/cuda/dlpack.h"
#include "core/cuda/context.h"
#include "cusim.h"

namespace likewise::bindings {

namespace py = pybind11;

namespace {

struct Memory {
  explicit Memory(size_t bytes) {
    cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;  // as libraries with pools do
    cudaThreadExchangeStreamCaptureMode(&mode);
    const cudaError_t error = cudaMalloc(&data, bytes);
    cudaThreadExchangeStreamCaptureMode(&mode);
    cuda::check(error, "malloc");
  }
  ~Memory() { cudaFree(data); }
  Memory(const Memory&) = delete;
  char* data = nullptr;
};

struct SimulatedArray {
  std::shared_ptr<Memory> memory;
  size_t bytes = 0;
  int64_t offset = 0;                   // in bytes
  std::vector<int64_t> shape, strides;  // strides in elements
  dlpack::DataType type{};
  int device = 0;
};

dlpack::DataType type_of(const py::dtype& dtype) {
  uint8_t code = dlpack::kUInt;
  if (dtype.kind() == 'f') code = dlpack::kFloat;
  if (dtype.kind() == 'i') code = dlpack::kInt;
  if (dtype.kind() == 'b') code = dlpack::kBool;
  if (dtype.kind() == 'c') code = dlpack::kComplex;
  return {code, uint8_t(dtype.itemsize() * 8), 1};
}

py::dtype dtype_of(dlpack::DataType type) {
  const char* kind = type.code == dlpack::kFloat     ? "f"
                     : type.code == dlpack::kInt     ? "i"
                     : type.code == dlpack::kBool    ? "b"
                     : type.code == dlpack::kComplex ? "c"
                                                     : "u";
  return py::dtype(kind + std::to_string(type.bits / 8));
}

// The same elements in the same layout; the gaps of strided arrays come along.
SimulatedArray upload(const py::array& array, int device) {
  const cuda::CurrentDevice there(device);
  const py::ssize_t item = array.itemsize();
  int64_t low = 0, high = item;
  SimulatedArray out;
  out.device = device;
  for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
    const int64_t extent = array.shape(axis), stride = array.strides(axis);
    if (stride % item) throw py::value_error("upload: strides must be whole elements");
    out.shape.push_back(extent);
    out.strides.push_back(stride / item);
    if (extent > 0) (stride < 0 ? low : high) += (extent - 1) * stride;
  }
  out.type = type_of(array.dtype());
  if (array.size() == 0) return out;
  out.bytes = size_t(high - low);
  out.offset = -low;
  out.memory = std::make_shared<Memory>(out.bytes);
  cuda::check(cudaMemcpy(out.memory->data, static_cast<const char*>(array.data()) + low, out.bytes,
                         cudaMemcpyHostToDevice),
              "upload");
  return out;
}

// Sets the strides, and says how many elements there are.
int64_t in_c_order(SimulatedArray& array) {
  array.strides.resize(array.shape.size());
  int64_t size = 1;
  for (size_t axis = array.shape.size(); axis-- > 0;) {
    array.strides[axis] = size;
    size *= array.shape[axis];
  }
  return size;
}

SimulatedArray empty(const std::vector<int64_t>& shape, const py::object& dtype, int device) {
  const cuda::CurrentDevice there(device);
  SimulatedArray out;
  out.device = device;
  out.type = type_of(py::dtype::from_args(dtype));
  out.shape = shape;
  const int64_t size = in_c_order(out);
  out.bytes = size_t(size) * out.type.bits / 8;
  if (size > 0) out.memory = std::make_shared<Memory>(out.bytes);
  return out;
}

// A contiguous array in another shape, in the same memory.
SimulatedArray reshaped(const SimulatedArray& array, const std::vector<int64_t>& shape) {
  SimulatedArray out = array;
  out.shape = shape;
  if (size_t(in_c_order(out)) * array.type.bits / 8 != array.bytes)
    throw py::value_error("reshape");
  return out;
}

// Entry `at` of the first axis, in the same memory.
SimulatedArray entry(const SimulatedArray& array, int64_t at) {
  if (array.shape.empty() || at < 0 || at >= array.shape[0]) throw py::index_error("entry");
  SimulatedArray out = array;
  out.offset += at * array.strides[0] * array.type.bits / 8;
  out.shape.erase(out.shape.begin());
  out.strides.erase(out.strides.begin());
  return out;
}

py::array download(const SimulatedArray& array) {
  py::array_t<uint8_t> all(py::ssize_t(array.bytes));
  if (array.bytes > 0) {
    cuda::check(
        cudaMemcpy(all.mutable_data(), array.memory->data, array.bytes, cudaMemcpyDeviceToHost),
        "download");
  }
  std::vector<py::ssize_t> strides;
  for (const int64_t stride : array.strides) strides.push_back(stride * array.type.bits / 8);
  const char* const first = reinterpret_cast<const char*>(all.data()) + array.offset;
  return py::array(dtype_of(array.type), array.shape, strides, first, all).attr("copy")();
}

// Other elements for a contiguous array.
void fill(const SimulatedArray& array, const py::array& values) {
  if (size_t(values.nbytes()) != array.bytes) throw py::value_error("fill");
  cuda::check(cudaMemcpy(array.memory->data, values.data(), array.bytes, cudaMemcpyHostToDevice),
              "fill");
}

// As torch does it: an array of another device than the current one is refused.
py::capsule exported(const SimulatedArray& array) {
  if (cusim::current_device() != array.device) {
    throw py::buffer_error("can't export an array of a device that is not the current one");
  }
  struct Export {
    SimulatedArray array;
    dlpack::ManagedVersioned managed;
  };
  auto* const made = new Export{array, {}};
  made->managed.version = {1, 0};
  made->managed.context = made;
  made->managed.deleter = [](dlpack::ManagedVersioned* m) {
    delete static_cast<Export*>(m->context);
  };
  made->managed.tensor = {array.memory ? array.memory->data : nullptr,
                          {dlpack::kCuda, array.device},
                          int32_t(array.shape.size()),
                          array.type,
                          made->array.shape.data(),
                          made->array.strides.data(),
                          uint64_t(array.offset)};
  PyObject* const capsule = PyCapsule_New(&made->managed, "dltensor_versioned", [](PyObject* c) {
    if (!PyCapsule_IsValid(c, "dltensor_versioned")) return;
    auto* const managed =
        static_cast<dlpack::ManagedVersioned*>(PyCapsule_GetPointer(c, "dltensor_versioned"));
    managed->deleter(managed);
  });
  return py::reinterpret_steal<py::capsule>(capsule);
}

}  // namespace

void register_simulator(py::module_& m) {
  m.def("upload", &upload, py::arg("array"), py::arg("device") = 0);
  m.def("empty", &empty, py::arg("shape"), py::arg("dtype"), py::arg("device") = 0);
  py::class_<SimulatedArray>(m, "SimulatedArray", py::dynamic_attr())
      .def_property_readonly("shape",
                             [](const SimulatedArray& a) { return py::tuple(py::cast(a.shape)); })
      .def_readonly("device", &SimulatedArray::device)
      .def_property_readonly("ndim", [](const SimulatedArray& a) { return a.shape.size(); })
      .def_property_readonly("dtype", [](const SimulatedArray& a) { return dtype_of(a.type); })
      .def("reshape", &reshaped)
      .def("__getitem__", &entry)
      .def("fill", &fill)
      .def("numpy", &download)
      .def("__dlpack_device__",
           [](const SimulatedArray& a) { return py::make_tuple(int(dlpack::kCuda), a.device); })
      .def(
          "__dlpack__",
          [](const SimulatedArray& a, const py::object&, const py::object&) { return exported(a); },
          py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none());
  m.def("report", [] { return std::string(cusim::report()); });
  m.def("reset", &cusim::reset);
  m.def("begin_capture", &cusim::begin_capture);
  m.def("end_capture", &cusim::end_capture);
  m.def("replay", &cusim::replay);
  m.def("fail_allocation", &cusim::fail_allocation);
  m.def("stats", [] {
    const cusim::Stats& s = cusim::stats;
    py::dict out;
    out["launches"] = s.launches;
    out["blocks"] = s.blocks;
    out["devices_set"] = s.devices_set;
    out["live_bytes"] = s.live_bytes;
    out["contexts"] = s.contexts;
    return out;
  });
}

}  // namespace likewise::bindings
