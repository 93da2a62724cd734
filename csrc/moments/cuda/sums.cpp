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

SumsList make_list(const Context& context, const std::vector<int64_t>& cols, const double* unit,
                   int64_t* constant_units, int64_t* samples) {
  SumsList list{Layout(1, cols), send_side(context, cols), {}, unit, {}};
  const int64_t width = 1 + list.count() + list.layout.size();
  list.facts = {context.temporary<double>(size_t(width)),
                context.temporary<double>(size_t(list.count())), constant_units, samples};
  return list;
}

// The facts of items whose sums with themselves are matrices of their own.
void find_alone(const Context& context, const double* const* alone, SumsList& list) {
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
    check(find_units(alone[k], width, item, true, facts, context.stream), "launch");
    list.alone.push_back({alone[k], width, item, item, facts.squares, facts.squares});
  }
}

// The change from a frame to the samples as they are, and the units in which these fit.
struct ToZero {
  FrameChange change;
  const double* unit;
};
ToZero change_to_zero(const Context& context, const SumsList& list, const Frame& frame) {
  const int64_t size = list.layout.size(), count = list.count();
  double* const zeros = context.temporary<double>(size_t(size));
  check(cudaMemsetAsync(zeros, 0, size_t(size) * sizeof(double), context.stream), "memset");
  double* const out = context.temporary<double>(size_t(3 * count + size));
  const FramesMeeting meeting{{zeros, frame.unit}, frame,           list.side,      out,
                              out + count,         out + 2 * count, out + 3 * count};
  check(meet_frames(meeting, context.stream), "launch");
  return {{out + 2 * count, out + 3 * count}, out};
}

// The sums of these items as they are, in temporary memory.
const double* moved(const Context& context, const double* sums, int64_t height, int64_t width,
                    const MovedSide& rows, const MovedSide& columns) {
  double* const out = context.temporary<double>(size_t(height * width));
  check(cudaMemcpyAsync(out, sums, size_t(height * width) * sizeof(double),
                        cudaMemcpyDeviceToDevice, context.stream),
        "copy");
  check(move_sums(out, height, width, rows, columns, context.stream), "launch");
  return out;
}

// Traces of sums of samples as they are; nothing else of them is kept.
void find_raw_traces(const Context& context, const CentredSums& sums, double* traces) {
  int64_t* const constant_units = context.temporary<int64_t>(size_t(sums.x.count));
  const UnitFacts facts{context.temporary<double>(size_t(sums.width)), traces, constant_units,
                        nullptr};
  check(find_units(sums.sums, sums.width, sums.x, false, facts, context.stream), "launch");
}

}  // namespace

SumsSide send_side(const Context& context, const std::vector<int64_t>& cols) {
  std::vector<int32_t> starts{int32_t(1 + cols.size())};
  for (const int64_t d : cols) starts.push_back(starts.back() + int32_t(d));
  return {send(context, starts), int64_t(cols.size())};
}

int64_t SumsList::widest() const {
  int64_t widest = 0;
  for (int64_t k = 0; k < count(); ++k) widest = std::max(widest, layout.cols(k));
  return widest;
}

SumsOfPairs::SumsOfPairs(const Context& context, const Sums& sums, bool center,
                         const SumsFindings& findings)
    : symmetric(sums.symmetric()),
      left_(make_list(context, sums.cols_a, sums.frame_a.unit, findings.constant_units,
                      findings.samples)),
      right_(symmetric ? left_
                       : make_list(context, sums.cols_b, sums.frame_b.unit,
                                   findings.constant_units + left_.count(), nullptr)),
      center_(center) {
  const int64_t width = right_.start(0) + right_.layout.size();
  cross_ = {sums.cross, width, left_.side, right_.side, left_.facts.squares, right_.facts.squares};
  if (symmetric) {
    check(find_units(sums.cross, width, left_.side, true, left_.facts, context.stream), "launch");
  } else {
    find_alone(context, sums.alone.data(), left_);
    find_alone(context, sums.alone.data() + left_.count(), right_);
  }
  if (!center) move_to_zero(context, sums);
}

void SumsOfPairs::move_to_zero(const Context& context, const Sums& sums) {
  const ToZero x = change_to_zero(context, left_, sums.frame_a);
  const ToZero y = symmetric ? x : change_to_zero(context, right_, sums.frame_b);
  left_.unit = x.unit;
  right_.unit = y.unit;
  cross_.sums = moved(context, cross_.sums, left_.start(0) + left_.layout.size(), cross_.width,
                      {cross_.x, x.change}, {cross_.y, y.change});
  if (symmetric) return find_raw_traces(context, cross_, left_.facts.traces);
  const auto move_alone = [&](SumsList& list, const FrameChange& change) {
    for (int64_t k = 0; k < list.count(); ++k) {
      CentredSums& own = list.alone[size_t(k)];
      const MovedSide side{own.x, {change.ratio + k, change.step + list.layout.begin(k)}};
      own.sums = moved(context, own.sums, own.width, own.width, side, side);
      find_raw_traces(context, own, list.facts.traces + k);
    }
  };
  move_alone(left_, x.change);
  move_alone(right_, y.change);
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
