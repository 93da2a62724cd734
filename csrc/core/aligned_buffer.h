#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace likewise {

// Memory for numbers that vector loads read: starts on a cache line (loads that cross one cost up
// to a third of a kernel's speed), is not initialized, and never shrinks.
template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer&& other) noexcept : data_(other.data_), capacity_(other.capacity_) {
    other.data_ = nullptr;
    other.capacity_ = 0;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(AlignedBuffer&&) = delete;
  ~AlignedBuffer() { release(); }

  T* data() const { return data_; }

  // Room for `count` numbers; what was there is lost if it has to move.
  void require(int64_t count) {
    if (count <= capacity_) return;
    release();
    data_ = static_cast<T*>(::operator new(size_t(count) * sizeof(T), kAlignment));
    capacity_ = count;
  }

 private:
  static constexpr std::align_val_t kAlignment{64};

  void release() {
    ::operator delete(data_, kAlignment);
    data_ = nullptr;
    capacity_ = 0;
  }

  T* data_ = nullptr;
  int64_t capacity_ = 0;
};

}  // namespace likewise
