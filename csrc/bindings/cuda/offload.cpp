#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "bindings/cuda/arrays.h"
#include "core/cuda/pool.h"
#include "core/cuda/uploads.h"

namespace likewise::bindings {
namespace {

constexpr size_t kLargestPiece = size_t{16} << 20;  // of pinned memory

int device_or_current(int device) {
  if (device < 0) cuda::check(cudaGetDevice(&device), "device");
  return device;
}

// A device for one call whose arrays are in host memory: its stream, its memory, and buffers that
// items are copied to while it computes. Device arrays made here keep it.
class Offload : public std::enable_shared_from_this<Offload> {
 public:
  explicit Offload(int device)
      : device_(device_or_current(device)), on_device_(device_), pool_(stream_.get()) {
    on_device_.reset();
  }
  ~Offload() {
    try {
      on_device_.emplace(device_);
    } catch (const cuda::DeviceError&) {  // after a failure that nothing survives
    }
    cudaStreamSynchronize(stream_.get());
  }
  Offload(const Offload&) = delete;

  int device() const { return device_; }
  int64_t stream() const { return int64_t(reinterpret_cast<uintptr_t>(stream_.get())); }

  size_t free_bytes() const {
    const cuda::CurrentDevice here(device_);
    return cuda::free_bytes();
  }

  DeviceArray empty(const std::vector<int64_t>& shape, const py::object& dtype) {
    const cuda::CurrentDevice here(device_);
    const py::dtype type = py::dtype::from_args(dtype);
    size_t bytes = size_t(type.itemsize());
    for (const int64_t extent : shape) bytes *= size_t(extent);
    auto piece = std::make_unique<Piece>(shared_from_this(), bytes);
    void* const data = piece->data;
    const py::capsule owner(piece.get(), [](void* p) { delete static_cast<Piece*>(p); });
    piece.release();
    return DeviceArray(owner, data, type, shape);
  }

  DeviceArray bytes(int64_t count) { return empty({std::max<int64_t>(count, 1)}, py::str("u1")); }

  void make_buffers(size_t bytes) {
    const cuda::CurrentDevice here(device_);
    // Several pieces per buffer: one is sent while the next is filled.
    const size_t piece = std::clamp(bytes / 4, size_t{1024}, kLargestPiece);
    uploads_.emplace(pool_, bytes, piece);
  }

  std::vector<DeviceArray> upload(int buffer, const std::vector<py::array>& items) {
    const cuda::CurrentDevice here(device_);
    std::vector<DeviceArray> sent;
    uploads_->begin(buffer);
    for (const py::array& item : items) {
      const py::array dense = py::array::ensure(item, py::array::c_style);
      if (!dense) throw py::error_already_set();
      void* to = nullptr;
      {
        const void* const data = dense.data();
        const size_t bytes = size_t(dense.nbytes());
        const py::gil_scoped_release release;
        to = uploads_->send(data, bytes);
      }
      sent.emplace_back(py::cast(shared_from_this()), to, dense.dtype(),
                        std::vector<int64_t>(dense.shape(), dense.shape() + dense.ndim()));
    }
    uploads_->end();
    return sent;
  }

  void acquire(int buffer) const {
    const cuda::CurrentDevice here(device_);
    uploads_->acquire(buffer);
  }
  void release(int buffer) const {
    const cuda::CurrentDevice here(device_);
    uploads_->release(buffer);
  }

 private:
  struct Piece {
    Piece(std::shared_ptr<Offload> from, size_t bytes)
        : offload(std::move(from)), data(offload->pool_.take(std::max<size_t>(bytes, 1))) {}
    ~Piece() { offload->pool_.give_back(data); }
    std::shared_ptr<Offload> offload;
    void* data;
  };

  int device_;
  std::optional<cuda::CurrentDevice> on_device_;  // while the members below are made and go
  cuda::Stream stream_;
  cuda::Pool pool_;
  std::optional<cuda::Uploads> uploads_;
};

}  // namespace

void register_offload(py::module_& m) {
  py::class_<Offload, std::shared_ptr<Offload>> offload(m, "Offload");
  offload.attr("buffers") = cuda::Uploads::kBuffers;
  offload.def(py::init<int>(), py::arg("device"))
      .def_property_readonly("device", &Offload::device)
      .def_property_readonly("stream", &Offload::stream)
      .def_property_readonly("free_bytes", &Offload::free_bytes)
      .def("empty", &Offload::empty)
      .def("bytes", &Offload::bytes)
      .def("make_buffers", &Offload::make_buffers)
      .def("upload", &Offload::upload)
      .def("acquire", &Offload::acquire)
      .def("release", &Offload::release);
}

}  // namespace likewise::bindings
