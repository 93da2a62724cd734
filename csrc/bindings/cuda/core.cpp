#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"

namespace likewise::bindings {
namespace {

// out = array, whatever its type and layout.
void copy(const DeviceArray& array, const DeviceArray& out, Run& run) {
  const CallContext context(run);
  dispatch_float(out, [&](auto zero) {
    using T = decltype(zero);
    cuda::copy_elements<T>(array.view(), out.filled<T>(), context.stream);
  });
}

// Calls body(int64_t{}), body(float{}) or body(double{}).
template <class Body>
void dispatch_number(const DeviceArray& array, Body&& body) {
  if (array.type() == cuda::ElementType::int64) {
    body(int64_t{});
  } else {
    dispatch_float(array, body);
  }
}

void fill_zeros(const DeviceArray& array, Run& run) {
  const CallContext context(run);
  dispatch_number(array, [&](auto zero) {
    using T = decltype(zero);
    cuda::check(
        cudaMemsetAsync(array.filled<T>(), 0, size_t(array.size()) * sizeof(T), context.stream),
        "memset");
  });
}

// counts[k] += number of infinite elements of array k.
void count_infinite(const std::vector<DeviceArray>& arrays, const DeviceArray& counts, Run& run) {
  const CallContext context(run);
  int64_t* to = counts.filled<int64_t>();
  for (const DeviceArray& array : arrays) {
    dispatch_float(array, [&](auto zero) {
      using T = decltype(zero);
      cuda::count_infinite<T>(array.elements<T>(), array.size(), to++, context.stream);
    });
  }
}

// host = array, both contiguous and of one type. Waits.
void download(const DeviceArray& array, py::array host, Run& run) {
  const CallContext context(run);
  dispatch_number(array, [&](auto zero) {
    using T = decltype(zero);
    cuda::check(cudaMemcpyAsync(host.mutable_data(), array.elements<T>(), size_t(host.nbytes()),
                                cudaMemcpyDeviceToHost, context.stream),
                "copy");
  });
  cuda::check(cudaStreamSynchronize(context.stream), "wait");
}

// array = host, both contiguous and of one type. Waits, for the host may go away.
void upload(const py::array& host, const DeviceArray& array, Run& run) {
  const CallContext context(run);
  dispatch_number(array, [&](auto zero) {
    using T = decltype(zero);
    cuda::check(cudaMemcpyAsync(array.filled<T>(), host.data(), size_t(host.nbytes()),
                                cudaMemcpyHostToDevice, context.stream),
                "copy");
  });
  cuda::check(cudaStreamSynchronize(context.stream), "wait");
}

}  // namespace

void register_core(py::module_& m) {
  m.attr("status_facts") = sizeof(cuda::CallStatus) / sizeof(int64_t);
  m.def("why_not", &cuda::why_not, py::arg("device") = -1);
  m.def("copy", &copy);
  m.def("fill_zeros", &fill_zeros);
  m.def("count_infinite", &count_infinite);
  m.def("download", &download);
  m.def("upload", &upload);
  py::class_<DeviceArray>(m, "DeviceArray")
      .def(py::init<py::object, int64_t>())
      .def_property_readonly("shape", &DeviceArray::shape)
      .def_property_readonly("strides", &DeviceArray::strides)
      .def_property_readonly("ndim", &DeviceArray::ndim)
      .def_property_readonly("size", &DeviceArray::size)
      .def_property_readonly("dtype", &DeviceArray::dtype)
      .def_property_readonly("owner", &DeviceArray::owner)
      .def_property_readonly("contiguous", &DeviceArray::contiguous)
      .def("broadcast_to", &DeviceArray::broadcast_to)
      .def("strided", &DeviceArray::strided);
  py::class_<Run>(m, "Run")
      .def(py::init<int64_t, int, py::object, std::optional<DeviceArray>>())
      .def("look", &Run::look)
      .def("finish", &Run::finish);
}

}  // namespace likewise::bindings
