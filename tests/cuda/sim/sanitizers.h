#pragma once

#include <cstddef>

// What the sanitizers want to know of fibers and memory. The declarations are weak: a build without
// a sanitizer has none of them. The simulator itself is compiled without sanitizers.

extern "C" {
__attribute__((weak)) void* __tsan_create_fiber(unsigned);
__attribute__((weak)) void* __tsan_get_current_fiber();
__attribute__((weak)) void __tsan_switch_to_fiber(void*, unsigned);
__attribute__((weak)) void __tsan_acquire(void*);
__attribute__((weak)) void __tsan_release(void*);
__attribute__((weak)) void AnnotateIgnoreWritesBegin(const char*, int);
__attribute__((weak)) void AnnotateIgnoreWritesEnd(const char*, int);
__attribute__((weak)) void __sanitizer_start_switch_fiber(void**, const void*, size_t);
__attribute__((weak)) void __sanitizer_finish_switch_fiber(void*, const void**, size_t*);
__attribute__((weak)) void __asan_poison_memory_region(void const volatile*, size_t);
__attribute__((weak)) void __asan_unpoison_memory_region(void const volatile*, size_t);
}

namespace cusim {

inline bool tsan() {
  static const bool present = __tsan_create_fiber != nullptr;
  return present;
}
inline bool asan() {
  static const bool present = __sanitizer_start_switch_fiber != nullptr && !tsan();
  return present;
}

inline void* new_fiber() { return tsan() ? __tsan_create_fiber(0) : nullptr; }
inline void* this_fiber() { return tsan() ? __tsan_get_current_fiber() : nullptr; }
inline void enter_fiber(void* fiber) {
  if (fiber) __tsan_switch_to_fiber(fiber, 1);  // 1: the switch itself orders nothing
}
inline void acquire(void* variable) {
  if (tsan()) __tsan_acquire(variable);
}
inline void release(void* variable) {
  if (tsan()) __tsan_release(variable);
}
inline void poison(const void* p, size_t bytes) {
  if (__asan_poison_memory_region) __asan_poison_memory_region(p, bytes);
}
inline void unpoison(const void* p, size_t bytes) {
  if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(p, bytes);
}

// The simulator's own allocations are nobody's races.
class Quiet {
 public:
  Quiet() {
    if (tsan()) AnnotateIgnoreWritesBegin("", 0);
  }
  ~Quiet() {
    if (tsan()) AnnotateIgnoreWritesEnd("", 0);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
};

}  // namespace cusim
