#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstddef>

#include "core/cuda/pool.h"

// Copies from the host that run while the device computes.

namespace likewise::cuda {

class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  void record(cudaStream_t stream) const;
  void hold_back(cudaStream_t stream) const;  // work that is queued from here on
  void wait() const;

 private:
  cudaEvent_t event_ = nullptr;
};

// Buffers on the device that are filled by a stream of copies and read by the stream of the pool:
// two can be read while the third is filled. Memory of the host is copied to pinned memory first,
// in pieces, one of which is filled while the other is sent.
class Uploads {
 public:
  static constexpr int kBuffers = 3;

  // Throws OutOfMemoryError.
  Uploads(Pool& pool, size_t buffer_bytes, size_t piece_bytes);
  ~Uploads();
  Uploads(const Uploads&) = delete;

  // What is sent until end() goes to this buffer, from its beginning, after the work that read it.
  void begin(int buffer);
  // Sends these bytes, which may change once this returns: where they will be, aligned to 256. The
  // caller sees to it that they fit.
  void* send(const void* data, size_t bytes);
  void end();

  // Work that is queued from here on finds in the buffer what was sent to it.
  void acquire(int buffer) const;
  // The buffer may be filled again, after the work queued so far.
  void release(int buffer) const;

 private:
  struct Buffer {
    char* data = nullptr;
    Event filled, read;
  };
  struct Piece {
    Piece() = default;
    ~Piece() { cudaFreeHost(data); }
    Piece(const Piece&) = delete;
    char* data = nullptr;
    Event sent;
  };
  void send_piece();

  Pool& pool_;
  const size_t piece_bytes_;
  Stream copies_;
  std::array<Buffer, kBuffers> buffers_;
  std::array<Piece, 2> pieces_;
  int buffer_ = 0, piece_ = 0;
  size_t position_ = 0;  // in the buffer, behind what was sent
  size_t used_ = 0;      // bytes of the piece that end there and are not on their way yet
};

}  // namespace likewise::cuda
