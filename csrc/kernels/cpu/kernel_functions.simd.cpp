#include "kernels/cpu/kernel_functions.h"

#include "core/simd.h"

namespace likewise::LIKEWISE_ISA {
namespace {

// exp(t) = 2^k exp(r) with k = round(t / ln 2) and |r| <= ln(2) / 2. exp(r) is 1 + r + r^2 q(r),
// q a least-squares fit at Chebyshev nodes with a relative error of 4e-9 (float), 5e-18 (double).
template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  static constexpr float smallest = -87.3f;         // exp(x) is subnormal below -87.34
  static constexpr float round_bias = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  static constexpr int mantissa_bits = 23;
  static constexpr float ln2_high = 0.693359375f;  // 9 bits: k * ln2_high is exact
  static constexpr float ln2_low = -2.12194440e-4f;
  static constexpr float q[] = {0.49999988588395919f, 0.16666518401084200f, 0.041669534224940944f,
                                0.0083689234272025571f, 0.0013751381142456273f};
};

template <>
struct ExpConstants<double> {
  static constexpr double smallest = -708.3;
  static constexpr double round_bias = 6755399441055744.0;
  static constexpr int mantissa_bits = 52;
  static constexpr double ln2_high = 0x1.62e42fefa0000p-1;  // 36 bits
  static constexpr double ln2_low = 0x1.cf79abc9e3b39p-40;
  static constexpr double q[] = {0.50000000000000127398,   0.16666666666666482249,
                                 0.041666666666516202904,  0.0083333333334515279565,
                                 0.0013888888946713305285, 0.00019841269596971037747,
                                 2.480149030763859717e-5,  2.7557507361975542197e-6,
                                 2.7631140150201756818e-7, 2.5024639266311035283e-8};
};

// exp(t) = power * (1 + rest) for t <= 0, down to `smallest`.
template <class T>
struct Exponential {
  typename Simd<T>::Vec power, rest;
};

template <class T>
inline Exponential<T> exponential(typename Simd<T>::Vec t) {
  using S = Simd<T>;
  using C = ExpConstants<T>;
  using Vec = typename S::Vec;
  using Bits = typename S::Bits;
  constexpr T kLog2E = T(1.44269504088896340736);
  constexpr int kLast = int(sizeof(C::q) / sizeof(T)) - 1;

  const Vec biased = t * kLog2E + C::round_bias;
  const Vec k = biased - C::round_bias;
  const Vec r = (t - k * C::ln2_high) - k * C::ln2_low;
  Vec q = S::fill(C::q[kLast]);
  for (int i = kLast - 1; i >= 0; --i) q = q * r + C::q[i];
  // The low bits of `biased` hold k: shifted into the exponent they multiply by 2^k.
  return {(Vec)((Bits)S::fill(1) + ((Bits)biased << C::mantissa_bits)), r * r * q + r};
}

template <class T>
inline typename Simd<T>::Vec exp_nonpositive(typename Simd<T>::Vec t) {
  using S = Simd<T>;
  const Exponential<T> e = exponential<T>(t);
  const typename S::Vec value =
      t < ExpConstants<T>::smallest ? S::fill(0) : e.power * (e.rest + T(1));
  return t == t ? value : t;
}

// exp(t) - 1
template <class T>
inline typename Simd<T>::Vec expm1_nonpositive(typename Simd<T>::Vec t) {
  using S = Simd<T>;
  const Exponential<T> e = exponential<T>(t);
  const typename S::Vec value =
      t < ExpConstants<T>::smallest ? S::fill(-1) : e.power * e.rest + (e.power - T(1));
  return t == t ? value : t;
}

template <class T, bool of_far_samples>
struct Rbf {
  using S = Simd<T>;
  using Vec = typename S::Vec;
  RbfParameters<T> p;
  T norm;
  const T* norms;

  inline Vec operator()(Vec product, Vec norm_of_other) const {
    const Vec distance = (norm_of_other + norm) - 2 * product;
    const Vec clamped = distance < 0 ? S::fill(0) : distance;  // keeps NaN
    if (of_far_samples) return exp_nonpositive<T>(clamped * -p.gamma);
    return expm1_nonpositive<T>(clamped * -p.gamma) - p.shift;
  }
  inline Vec other(int64_t j) const { return S::load(norms + j); }
};

template <class T>
struct Polynomial {
  using S = Simd<T>;
  using Vec = typename S::Vec;
  PolynomialParameters<T> p;
  const T* norms = nullptr;

  inline Vec operator()(Vec product, Vec) const {
    const Vec base = product * p.gamma + p.coef0;
    const T origin = p.origin * p.gamma + p.coef0;
    Vec sum = S::fill(1);  // of base^(k - i) origin^i
    T power = 1;
    for (int64_t k = 1; k < p.degree; ++k) {
      power *= origin;
      sum = sum * base + power;
    }
    return (product - p.origin) * p.factor * sum;
  }
  inline Vec other(int64_t) const { return S::fill(0); }
};

template <class T, class Function>
inline double apply_row(const Function& function, const T* products, int64_t count, T* values,
                        T* column_sums) {
  using S = Simd<T>;
  using Vec = typename S::Vec;
  Vec sum = S::fill(0);
  int64_t j = 0;
  for (; j + S::lanes <= count; j += S::lanes) {
    const Vec v = function(S::load(products + j), function.other(j));
    S::store(values + j, v);
    S::store(column_sums + j, S::load(column_sums + j) + v);
    sum += v;
  }
  double total = double(S::sum(sum));
  if (j < count) {
    T product[S::lanes] = {}, norm[S::lanes] = {}, value[S::lanes];
    for (int64_t k = j; k < count; ++k) {
      product[k - j] = products[k];
      if (function.norms) norm[k - j] = function.norms[k];
    }
    S::store(value, function(S::load(product), S::load(norm)));
    for (int64_t k = j; k < count; ++k) {
      values[k] = value[k - j];
      column_sums[k] += value[k - j];
      total += double(value[k - j]);
    }
  }
  return total;
}

template <class T>
double rbf(const T* products, int64_t count, T norm, const T* norms,
           const RbfParameters<T>& parameters, T* values, T* column_sums) {
  if (parameters.shift == -1) {
    return apply_row<T>(Rbf<T, true>{parameters, norm, norms}, products, count, values,
                        column_sums);
  }
  return apply_row<T>(Rbf<T, false>{parameters, norm, norms}, products, count, values, column_sums);
}

template <class T>
double polynomial(const T* products, int64_t count, const PolynomialParameters<T>& parameters,
                  T* values, T* column_sums) {
  return apply_row<T>(Polynomial<T>{parameters}, products, count, values, column_sums);
}

template <class T>
constexpr KernelFunctions<T> table() {
  return {&rbf<T>, &polynomial<T>};
}

}  // namespace

const OfBoth<KernelFunctions> kernel_functions_table = {table<float>(), table<double>()};

}  // namespace likewise::LIKEWISE_ISA
