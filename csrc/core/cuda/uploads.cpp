#include "core/cuda/uploads.h"

#include <algorithm>
#include <cstring>

namespace likewise::cuda {
namespace {
constexpr size_t kAlignment = 256;
}

Event::Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "event"); }
Event::~Event() { cudaEventDestroy(event_); }
void Event::record(cudaStream_t stream) const { check(cudaEventRecord(event_, stream), "event"); }
void Event::hold_back(cudaStream_t stream) const {
  check(cudaStreamWaitEvent(stream, event_), "event");
}
void Event::wait() const { check(cudaEventSynchronize(event_), "wait"); }

Uploads::Uploads(Pool& pool, size_t buffer_bytes, size_t piece_bytes)
    : pool_(pool), piece_bytes_(piece_bytes) {
  for (Piece& piece : pieces_) {
    check(cudaMallocHost(reinterpret_cast<void**>(&piece.data), piece_bytes), "pinned memory");
  }
  try {
    for (Buffer& buffer : buffers_) {
      buffer.data = static_cast<char*>(pool.take(buffer_bytes));
      buffer.read.record(pool.stream());  // copies come after the allocation
    }
  } catch (...) {
    for (const Buffer& buffer : buffers_) {
      if (buffer.data) pool.give_back(buffer.data);
    }
    throw;
  }
}

Uploads::~Uploads() {
  cudaStreamSynchronize(copies_.get());  // pinned memory and buffers are in use until then
  for (const Buffer& buffer : buffers_) pool_.give_back(buffer.data);
}

void Uploads::begin(int buffer) {
  buffer_ = buffer;
  position_ = used_ = 0;
  buffers_[buffer].read.hold_back(copies_.get());
}

void* Uploads::send(const void* data, size_t bytes) {
  const size_t gap = (kAlignment - position_ % kAlignment) % kAlignment;
  if (used_ + gap >= piece_bytes_) send_piece();
  if (used_ > 0) used_ += gap;
  position_ += gap;
  char* const at = buffers_[buffer_].data + position_;
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const Piece& piece = pieces_[piece_];
    if (used_ == 0) piece.sent.wait();
    const size_t count = std::min(bytes, piece_bytes_ - used_);
    std::memcpy(piece.data + used_, from, count);
    used_ += count;
    position_ += count;
    from += count;
    bytes -= count;
    if (used_ == piece_bytes_) send_piece();
  }
  return at;
}

void Uploads::end() {
  send_piece();
  buffers_[buffer_].filled.record(copies_.get());
}

void Uploads::acquire(int buffer) const { buffers_[buffer].filled.hold_back(pool_.stream()); }

void Uploads::release(int buffer) const { buffers_[buffer].read.record(pool_.stream()); }

void Uploads::send_piece() {
  if (used_ == 0) return;
  const Piece& piece = pieces_[piece_];
  check(cudaMemcpyAsync(buffers_[buffer_].data + position_ - used_, piece.data, used_,
                        cudaMemcpyHostToDevice, copies_.get()),
        "copy");
  piece.sent.record(copies_.get());
  used_ = 0;
  piece_ = 1 - piece_;
}

}  // namespace likewise::cuda
