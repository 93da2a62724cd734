#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "core/error.h"

// Fortran BLAS and LAPACK of the vendored OpenBLAS (symbols carry its prefix), one overload each
// for float and double: gemm(...), syrk(...). Column-major, as Fortran has it.

namespace likewise::blas {

using Int = int32_t;

inline Int narrow(int64_t n) {
  if (n > std::numeric_limits<Int>::max()) {
    throw InputError("a matrix dimension of " + std::to_string(n) +
                     " is more than LAPACK's 32-bit integers hold");
  }
  return static_cast<Int>(n);
}

#define LIKEWISE_BLAS_DECLARE(T, p)                                                                \
  extern "C" {                                                                                     \
  void scipy_##p##gemm_(const char*, const char*, const Int*, const Int*, const Int*, const T*,    \
                        const T*, const Int*, const T*, const Int*, const T*, T*, const Int*);     \
  void scipy_##p##syrk_(const char*, const char*, const Int*, const Int*, const T*, const T*,      \
                        const Int*, const T*, T*, const Int*);                                     \
  void scipy_##p##gesdd_(const char*, const Int*, const Int*, T*, const Int*, T*, T*, const Int*,  \
                         T*, const Int*, T*, const Int*, Int*, Int*);                              \
  void scipy_##p##gesvd_(const char*, const char*, const Int*, const Int*, T*, const Int*, T*, T*, \
                         const Int*, T*, const Int*, T*, const Int*, Int*);                        \
  void scipy_##p##syevd_(const char*, const char*, const Int*, T*, const Int*, T*, T*, const Int*, \
                         Int*, const Int*, Int*);                                                  \
  void scipy_##p##syev_(const char*, const char*, const Int*, T*, const Int*, T*, T*, const Int*,  \
                        Int*);                                                                     \
  void scipy_##p##geqrf_(const Int*, const Int*, T*, const Int*, T*, T*, const Int*, Int*);        \
  void scipy_##p##ormqr_(const char*, const char*, const Int*, const Int*, const Int*, const T*,   \
                         const Int*, const T*, T*, const Int*, T*, const Int*, Int*);              \
  void scipy_##p##posv_(const char*, const Int*, const Int*, T*, const Int*, T*, const Int*,       \
                        Int*);                                                                     \
  }

#define LIKEWISE_BLAS_ROUTINE(name) \
  template <class T, class... Args> \
  inline void name(Args... args) {  \
    if constexpr (sizeof(T) == 4) { \
      scipy_s##name##_(args...);    \
    } else {                        \
      scipy_d##name##_(args...);    \
    }                               \
  }

LIKEWISE_BLAS_DECLARE(float, s)
LIKEWISE_BLAS_DECLARE(double, d)
LIKEWISE_BLAS_ROUTINE(gemm)
LIKEWISE_BLAS_ROUTINE(syrk)
LIKEWISE_BLAS_ROUTINE(gesdd)
LIKEWISE_BLAS_ROUTINE(gesvd)
LIKEWISE_BLAS_ROUTINE(syevd)
LIKEWISE_BLAS_ROUTINE(syev)
LIKEWISE_BLAS_ROUTINE(geqrf)
LIKEWISE_BLAS_ROUTINE(ormqr)
LIKEWISE_BLAS_ROUTINE(posv)

#undef LIKEWISE_BLAS_DECLARE
#undef LIKEWISE_BLAS_ROUTINE

}  // namespace likewise::blas
