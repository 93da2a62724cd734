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
  // N floats or doubles at p, as lanes of T.
  template <class U>
  static inline Vec load_as(const U* p) {
    if constexpr (sizeof(U) == sizeof(T)) {
      return load(p);
    } else {
      typedef U Lanes __attribute__((vector_size(N * sizeof(U))));
      typedef U From __attribute__((vector_size(N * sizeof(U)), aligned(sizeof(U)), may_alias));
      const Lanes lanes = *reinterpret_cast<const From*>(p);
#if defined(__AVX__) && !defined(__clang__)  // GCC splits the conversion of a whole register
      if constexpr (N == 4 && sizeof(T) == 8) return (Vec)__builtin_ia32_cvtps2pd256(lanes);
#endif
      return __builtin_convertvector(lanes, Vec);
    }
  }
  // {p[index[0]], ..., p[index[N - 1]]}
  static inline Vec gather(const T* p, const int32_t* index) {
    if constexpr (N == 2) {
      return Vec{p[index[0]], p[index[1]]};
    } else if constexpr (N == 4) {
      return Vec{p[index[0]], p[index[1]], p[index[2]], p[index[3]]};
    } else {
      static_assert(N == 8);
      return Vec{p[index[0]], p[index[1]], p[index[2]], p[index[3]],
                 p[index[4]], p[index[5]], p[index[6]], p[index[7]]};
    }
  }
  static inline void store(T* p, Vec v) { *reinterpret_cast<Unaligned*>(p) = v; }
  static inline Vec fill(T x) {
    Vec v = {};
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
  // Bit i tells whether lane i of the mask is set.
  static inline uint64_t bits(Mask m) {
#if defined(__AVX512DQ__)
    if constexpr (sizeof(Mask) == 64 && sizeof(T) == 8) {
      typedef long long Lanes __attribute__((vector_size(64)));
      return uint8_t(__builtin_ia32_cvtq2mask512((Lanes)m));
    }
#endif
#if defined(__AVX__)
    if constexpr (sizeof(Mask) == 32 && sizeof(T) == 8) {
      typedef double Lanes __attribute__((vector_size(32)));
      return uint64_t(__builtin_ia32_movmskpd256((Lanes)m));
    }
#endif
    uint64_t r = 0;
    for (int i = 0; i < N; ++i) r |= uint64_t(m[i] & 1) << i;
    return r;
  }
  static inline Vec sqrt(Vec v) {
    Vec r = {};
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
    for (int half = N / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) v[i] = v[i + half] < v[i] ? v[i + half] : v[i];
    }
    return v[0];
  }
};

template <int... I>
struct Lanes {};
template <int N, int... I>
struct CountLanes : CountLanes<N - 1, N - 1, I...> {};
template <int... I>
struct CountLanes<0, I...> {
  using type = Lanes<I...>;
};

template <int H, class Vec, int... L>
static inline void exchange_lanes(Vec& a, Vec& b, Lanes<L...>) {
  constexpr int n = sizeof...(L);
  const Vec low = __builtin_shufflevector(a, b, ((L & H) ? n + L - H : L)...);
  b = __builtin_shufflevector(a, b, ((L & H) ? n + L : L + H)...);
  a = low;
}

// Swaps every second block of H lanes of `a` with the block before it of `b`: seen as rows, their
// 2 x 2 blocks are transposed.
template <int H, class S>
static inline void exchange(typename S::Vec& a, typename S::Vec& b) {
  exchange_lanes<H>(a, b, typename CountLanes<S::lanes>::type{});
}

}  // namespace likewise::LIKEWISE_ISA
