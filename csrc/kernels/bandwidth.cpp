#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "kernels/distances.h"
#include "kernels/gram_tile.h"
#include "kernels/prepared.h"

// Selection without a list of all distances: tiles of squared distances are streamed, and those
// inside an interval around the median are kept. A sample of the distances gives the first
// interval, which nearly always does; if it misses or holds too many, a histogram taken in the same
// pass gives the next one. Squared distances are >= 0, so they are ordered as the integers that
// their bits are.

namespace likewise {
namespace {

constexpr int64_t kSide = 144;
constexpr int64_t kTilesPerTask = 8;
constexpr int64_t kSample = 2048;
constexpr double kSampleMargin = 0.033;  // three standard deviations of a median of kSample draws
constexpr int kHistogramBits = 12;
constexpr int64_t kKeepAll = 1 << 16;
constexpr int64_t kKeptFraction = 12;

template <class T>
struct BitsOf;
template <>
struct BitsOf<float> {
  using type = uint32_t;
};
template <>
struct BitsOf<double> {
  using type = uint64_t;
};

template <class T>
class MedianSearch {
 public:
  using Bits = typename BitsOf<T>::type;

  MedianSearch(const KernelItem<T>& item, int threads)
      : item_(item),
        threads_(threads),
        tiles_(lower_triangle_tiles(item.x.rows, kSide)),
        norms_(item.norms, item.norms + item.x.rows),
        workers_(std::max(threads, 1)) {
    const int64_t n = item.x.rows;
    pairs_ = n * (n - 1) / 2;
    lower_rank_ = (pairs_ - 1) / 2;
    upper_rank_ = pairs_ / 2;
    capacity_ = std::max(kKeepAll, pairs_ / kKeptFraction);
  }

  double run() {
    Bits low = 0, high = kInfinity;
    if (pairs_ > capacity_) first_interval(low, high);
    while (true) {
      const bool everything = low == 0 && high == kInfinity;
      pass(low, high);
      const int64_t end = below_ + inside_;
      if (below_ <= lower_rank_ && upper_rank_ < end) {
        if (int64_t(kept_.size()) == inside_) return middle_of_kept();
        const int shift = shift_for(low, high);
        const Bits first = bin_of(lower_rank_ - below_), last = bin_of(upper_rank_ - below_);
        if (shift == 0) return middle(value(low + first), value(low + last));
        high = std::min<Bits>(high, low + ((last + 1) << shift) - 1);
        low += first << shift;
      } else if (everything) {
        return std::numeric_limits<double>::quiet_NaN();  // there are NaNs among the distances
      } else {
        low = 0;
        high = kInfinity;
      }
    }
  }

 private:
  static constexpr Bits kInfinity = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());

  struct Worker {
    GramWorkspace<T> gram;
    int64_t below = 0, inside = 0;
    std::vector<int64_t> histogram;
    std::vector<T> kept, gathered;
  };

  static T value(Bits bits) { return std::bit_cast<T>(bits); }
  static double middle(T a, T b) { return (std::sqrt(double(a)) + std::sqrt(double(b))) / 2; }

  static int shift_for(Bits low, Bits high) {
    return std::max(0, int(std::bit_width(Bits(high - low))) - kHistogramBits);
  }

  // Distances of random pairs of samples: their quantiles around one half.
  void first_interval(Bits& low, Bits& high) const {
    uint64_t state = 1;
    const auto draw = [&](int64_t bound) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return int64_t((state >> 33) % uint64_t(bound));
    };
    std::vector<T> sample(kSample), gathered;
    for (T& distance : sample) {
      const int64_t p = draw(item_.x.rows);
      const int64_t q = (p + 1 + draw(item_.x.rows - 1)) % item_.x.rows;
      distance = T(squared_distance(item_, p, q, gathered));
    }
    std::sort(sample.begin(), sample.end());
    low = std::bit_cast<Bits>(sample[int64_t(kSample * (0.5 - kSampleMargin))]);
    high = std::bit_cast<Bits>(sample[int64_t(kSample * (0.5 + kSampleMargin))]);
  }

  void pass(Bits low, Bits high) {
    for (Worker& w : workers_) {
      w.below = w.inside = 0;
      w.histogram.assign(size_t(1) << kHistogramBits, 0);
      w.kept.clear();
    }
    const int64_t tiles = int64_t(tiles_.size());
    parallel_for((tiles + kTilesPerTask - 1) / kTilesPerTask, threads_, [&](int64_t task, int id) {
      Worker& w = workers_[id];
      std::vector<GramJob<T>> jobs;
      for (int64_t t = task * kTilesPerTask; t < std::min(tiles, (task + 1) * kTilesPerTask); ++t) {
        jobs.push_back({&item_, tiles_[t]});
      }
      gram_tiles<T>(jobs, w.gram, [&](size_t job, T* products) {
        look_at(jobs[job].tile, products, low, high, w);
        poll_interrupt();
      });
    });
    below_ = inside_ = 0;
    kept_.clear();
    histogram_.assign(size_t(1) << kHistogramBits, 0);
    for (const Worker& w : workers_) {
      below_ += w.below;
      inside_ += w.inside;
      for (size_t k = 0; k < histogram_.size(); ++k) histogram_[k] += w.histogram[k];
      kept_.insert(kept_.end(), w.kept.begin(), w.kept.end());
    }
  }

  void look_at(const Tile& tile, T* products, Bits low, Bits high, Worker& w) const {
    const int shift = shift_for(low, high);
    const int64_t room = pairs_ <= capacity_ ? pairs_ : capacity_ / int64_t(workers_.size());
    for (int64_t i = 0; i < tile.rows; ++i) {
      T* row = products + i * tile.cols;
      const int64_t count = tile.diagonal() ? i : tile.cols;
      const T norm = norms_[tile.row + i];
      const T* norms = norms_.data() + tile.col;
      for (int64_t j = 0; j < count; ++j) {
        const T distance = (norms[j] + norm) - 2 * row[j];
        row[j] = distance < 0 ? T(0) : distance;
      }
      for (int64_t j = 0; j < count; ++j) {
        if (row[j] < T(kSmallDistance) * (norms[j] + norm)) {
          row[j] = T(squared_distance(item_, tile.row + i, tile.col + j, w.gathered));
        }
      }
      for (int64_t j = 0; j < count; ++j) {
        const Bits bits = std::bit_cast<Bits>(row[j]);
        w.below += bits < low;
        if (bits < low || bits > high) continue;
        ++w.inside;
        ++w.histogram[(bits - low) >> shift];
        if (int64_t(w.kept.size()) < room) w.kept.push_back(row[j]);
      }
    }
  }

  // The bin that holds the value of this rank among those inside the interval.
  Bits bin_of(int64_t rank) const {
    Bits bin = 0;
    while (rank >= histogram_[bin]) rank -= histogram_[bin++];
    return bin;
  }

  double middle_of_kept() {
    const auto lower = kept_.begin() + (lower_rank_ - below_);
    std::nth_element(kept_.begin(), lower, kept_.end());
    if (upper_rank_ == lower_rank_) return middle(*lower, *lower);
    return middle(*lower, *std::min_element(lower + 1, kept_.end()));
  }

  const KernelItem<T>& item_;
  const int threads_;
  const std::vector<Tile> tiles_;
  const std::vector<T> norms_;
  std::vector<Worker> workers_;
  int64_t pairs_, lower_rank_, upper_rank_, capacity_;
  int64_t below_ = 0, inside_ = 0;
  std::vector<int64_t> histogram_;
  std::vector<T> kept_;
};

}  // namespace

template <class T>
double median_distance(const KernelItem<T>& item, int threads) {
  return MedianSearch<T>(item, threads).run();
}

template double median_distance<float>(const KernelItem<float>&, int);
template double median_distance<double>(const KernelItem<double>&, int);

}  // namespace likewise
