#include "core/isa.h"

#include <cstdlib>
#include <string>

#include "core/error.h"

namespace likewise {
namespace {

Isa best_isa() {
#if defined(LIKEWISE_X86)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
    return Isa::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::baseline;
}

Isa choose_isa() {
  const Isa best = best_isa();
  const char* wish = std::getenv("LIKEWISE_SIMD");
  if (!wish || !*wish) return best;
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (std::string(wish) == isa_name(isa) && isa <= best) return isa;
  }
  throw InputError(
      "LIKEWISE_SIMD must be baseline, avx2 or avx512 and run on this processor (up to " +
      std::string(isa_name(best)) + "), got '" + wish + "'");
}

}  // namespace

Isa active_isa() {
  static const Isa isa = choose_isa();
  return isa;
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return "avx512";
    case Isa::avx2:
      return "avx2";
    default:
      return "baseline";
  }
}

}  // namespace likewise
