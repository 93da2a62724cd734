#pragma once

// Vector types for *.simd.cpp files, which are compiled once per instruction set inside
// likewise::LIKEWISE_ISA. Such a file includes no header with inline code of other namespaces
// (no <algorithm>, <vector>, <cmath>): a weak std:: symbol built for AVX-512 may be the one the
// linker keeps, and crash older processors. Everything here has internal linkage or lives in the
// set's own namespace. Use __builtin_* for maths.

#include <stddef.h>
#include <stdint.h>

#if !defined(LIKEWISE_ISA)
#error "core/simd.h is for *.simd.cpp files, which CMake compiles with LIKEWISE_ISA defined"
#endif

namespace likewise::LIKEWISE_ISA {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <class T>
struct SignedOf;
template <>
struct SignedOf<float> {
  using type = int32_t;
  using bits = uint32_t;
};
template <>
struct SignedOf<double> {
  using type = int64_t;
  using bits = uint64_t;
};

// N lanes of T. Arithmetic, comparisons (lanes of 0 or -1 in Mask) and ?: are the compiler's.
template <class T, int N = kVectorBytes / int(sizeof(T))>
struct Simd {
  static constexpr int lanes = N;
  typedef T Vec __attribute__((vector_size(N * sizeof(T))));
  typedef T Unaligned __attribute__((vector_size(N * sizeof(T)), aligned(sizeof(T)), may_alias));
  typedef typename SignedOf<T>::type Mask __attribute__((vector_size(N * sizeof(T))));
  typedef typename SignedOf<T>::bits Bits __attribute__((vector_size(N * sizeof(T))));  // may wrap

  static inline Vec load(const T* p) { return *reinterpret_cast<const Unaligned*>(p); }
  static inline void store(T* p, Vec v) { *reinterpret_cast<Unaligned*>(p) = v; }
  static inline Vec fill(T x) {
    Vec v;
    for (int i = 0; i < N; ++i) v[i] = x;
    return v;
  }
  static inline Vec min(Vec a, Vec b) { return a < b ? a : b; }
  static inline Vec max(Vec a, Vec b) { return a > b ? a : b; }
  static inline bool any(Mask m) {
    typename SignedOf<T>::type bits = 0;
    for (int i = 0; i < N; ++i) bits |= m[i];
    return bits != 0;
  }
  static inline Vec sqrt(Vec v) {
    Vec r;
    if constexpr (sizeof(T) == 8) {
      for (int i = 0; i < N; ++i) r[i] = __builtin_sqrt(v[i]);
    } else {
      for (int i = 0; i < N; ++i) r[i] = __builtin_sqrtf(v[i]);
    }
    return r;
  }
  static inline T sum(Vec v) {
    T s = v[0];
    for (int i = 1; i < N; ++i) s += v[i];
    return s;
  }
  static inline T min_lane(Vec v) {
    T s = v[0];
    for (int i = 1; i < N; ++i) s = v[i] < s ? v[i] : s;
    return s;
  }
};

}  // namespace likewise::LIKEWISE_ISA
