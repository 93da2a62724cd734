#include "moments/cuda/sums.h"

#include <algorithm>

#include "core/cuda/elements.h"

namespace likewise::cuda {
namespace {

const int32_t* send(const Context& context, const std::vector<int32_t>& values) {
  int32_t* const there = context.temporary<int32_t>(values.size());
  check(send_values(values.data(), int64_t(values.size()), there, context.stream), "launch");
  return there;
}

SumsList make_list(const Context& context, const std::vector<int64_t>& cols,
                   int64_t* constant_units, int64_t* samples) {
  SumsList list{Layout(1, cols), {}, {}, {}};
  std::vector<int32_t> starts;
  for (int64_t k = 0; k < list.count(); ++k) starts.push_back(int32_t(list.start(k)));
  const int64_t width = 1 + list.count() + list.layout.size();
  starts.push_back(int32_t(width));
  list.side = {send(context, starts), list.count()};
  list.facts = {context.temporary<double>(size_t(width)),
                context.temporary<double>(size_t(list.count())), constant_units, samples};
  return list;
}

// The facts of items whose sums with themselves are matrices of their own.
void find_alone(const Context& context, const double* const* alone, bool center, SumsList& list) {
  constexpr int64_t kStart = 2;  // behind the ones and the norms
  std::vector<int32_t> starts;
  for (int64_t k = 0; k < list.count(); ++k) {
    starts.push_back(kStart);
    starts.push_back(int32_t(kStart + list.layout.cols(k)));
  }
  const int32_t* const there = send(context, starts);
  for (int64_t k = 0; k < list.count(); ++k) {
    const SumsSide item{there + 2 * k, 1};
    const UnitFacts facts{list.facts.squares + list.start(k) - kStart, list.facts.traces + k,
                          list.facts.constant_units + k, list.facts.samples};
    const int64_t width = kStart + list.layout.cols(k);
    check(find_units(alone[k], width, item, center, facts, context.stream), "launch");
    list.alone.push_back({alone[k], width, item, item, facts.squares, facts.squares});
  }
}

}  // namespace

int64_t SumsList::widest() const {
  int64_t widest = 0;
  for (int64_t k = 0; k < count(); ++k) widest = std::max(widest, layout.cols(k));
  return widest;
}

SumsOfPairs::SumsOfPairs(const Context& context, const Sums& sums, bool center,
                         const SumsFindings& findings)
    : symmetric(sums.symmetric()),
      left_(make_list(context, sums.cols_a, findings.constant_units, findings.samples)),
      right_(symmetric ? left_
                       : make_list(context, sums.cols_b, findings.constant_units + left_.count(),
                                   nullptr)),
      center_(center) {
  const int64_t width = right_.start(0) + right_.layout.size();
  cross_ = {sums.cross, width, left_.side, right_.side, left_.facts.squares, right_.facts.squares};
  if (!symmetric) {
    find_alone(context, sums.alone.data(), center, left_);
    find_alone(context, sums.alone.data() + left_.count(), center, right_);
    return;
  }
  check(find_units(sums.cross, width, left_.side, center, left_.facts, context.stream), "launch");
}

void SumsOfPairs::products(int64_t i, int64_t j, int64_t count, double* out,
                           cudaStream_t stream) const {
  const SumsBlocks blocks{
      left_.start(i),         0,      right().start(j), count, left_.layout.cols(i),
      right().layout.cols(j), center_};
  check(take_blocks(cross_, blocks, out, stream), "launch");
}

void SumsOfPairs::grams(const SumsList& list, int64_t k, int64_t count, double* out,
                        cudaStream_t stream) const {
  const int64_t cols = list.layout.cols(k);
  if (symmetric) {
    const SumsBlocks blocks{list.start(k), cols, list.start(k), count, cols, cols, center_};
    return check(take_blocks(cross_, blocks, out, stream), "launch");
  }
  for (int64_t item = 0; item < count; ++item) {
    const CentredSums& alone = list.alone[size_t(k + item)];
    const int64_t start = alone.width - cols;
    check(take_blocks(alone, {start, 0, start, 1, cols, cols, center_}, out + item * cols * cols,
                      stream),
          "launch");
  }
}

void unit_correlations(const Context& context, const Sums& sums, double* out,
                       const SumsFindings& findings) {
  const SumsOfPairs pairs(context, sums, true, findings);
  check(correlate_units(pairs.cross(), sums.cols_a[0], sums.cols_b[0], out, context.stream),
        "launch");
}

}  // namespace likewise::cuda
