#pragma once

// Run-time choice between builds of the same kernels for several instruction sets.
// A *.simd.cpp file is compiled once per set inside likewise::<set>, see core/simd.h.

namespace likewise {

enum class Isa { baseline, avx2, avx512 };

// The best set of this processor, or the one that LIKEWISE_SIMD names. Decided once.
// Throws InputError if LIKEWISE_SIMD is no set of this build or not one of this processor's.
Isa active_isa();
const char* isa_name(Isa isa);

}  // namespace likewise

// Declares `const Table name` in every set and `const Table& name_for_this_cpu()`.
// Used inside namespace likewise, in headers that *.simd.cpp files share with ordinary ones;
// `Table` is a plain struct of function pointers.
#if defined(LIKEWISE_X86)
#define LIKEWISE_KERNEL_TABLE(Table, name)           \
  namespace baseline {                               \
  extern const Table name;                           \
  }                                                  \
  namespace avx2 {                                   \
  extern const Table name;                           \
  }                                                  \
  namespace avx512 {                                 \
  extern const Table name;                           \
  }                                                  \
  static inline const Table& name##_for_this_cpu() { \
    switch (active_isa()) {                          \
      case Isa::avx512:                              \
        return avx512::name;                         \
      case Isa::avx2:                                \
        return avx2::name;                           \
      default:                                       \
        return baseline::name;                       \
    }                                                \
  }
#else
#define LIKEWISE_KERNEL_TABLE(Table, name) \
  namespace baseline {                     \
  extern const Table name;                 \
  }                                        \
  static inline const Table& name##_for_this_cpu() { return baseline::name; }
#endif

namespace likewise {

// The same kernels for both types.
template <template <class> class Kernels>
struct OfBoth {
  Kernels<float> f32;
  Kernels<double> f64;
};

}  // namespace likewise

// Declares `const OfBoth<Kernels> name_table` in every set and `const Kernels<T>& name<T>()`.
#define LIKEWISE_KERNELS(Kernels, name)                \
  LIKEWISE_KERNEL_TABLE(OfBoth<Kernels>, name##_table) \
  template <class T>                                   \
  static inline const Kernels<T>& name() {             \
    if constexpr (sizeof(T) == 4) {                    \
      return name##_table_for_this_cpu().f32;          \
    } else {                                           \
      return name##_table_for_this_cpu().f64;          \
    }                                                  \
  }
