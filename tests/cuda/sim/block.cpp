// One block of threads: fibers, barriers, warp operations, shared memory.

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "cusim.h"
#include "fiber.h"
#include "internal.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace cusim {
namespace {

constexpr unsigned long long kNoLane = 0xDEADBEEFDEADBEEFull;  // what a lane outside gives

enum class State { ready, at_barrier, at_warp_op, done };

struct Thread {
  uint3 index;
  int id, lane, warp;
  Fiber fiber;
  char* stack;
  State state = State::ready;
  size_t pieces = 0;  // of dynamic shared memory that it has taken

  Barrier barrier;
  bool predicate;
  int barrier_result, barriers = 0;
  WarpCall call;
  unsigned long long in = 0, out = 0;
  std::map<unsigned, int> warp_syncs;  // by mask
  Site site;

  void* tsan_fiber = nullptr;
  void* fake_stack = nullptr;  // AddressSanitizer's
};

struct Piece {
  void* data;
  size_t bytes, align;
};

// The meeting of lanes in progress. Once two masks overlap in time, lanes are scanned instead.
struct Warp {
  unsigned mask = 0, came = 0;
  bool mixed = false;
};

struct Block {
  explicit Block(Launch& of) : launch(of) {}
  Launch& launch;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  Thread* current = nullptr;
  int alive = 0, arrived = 0;
  bool failed = false;

  std::vector<Piece> dynamic;
  std::map<const void*, Piece> fixed;
  size_t dynamic_bytes = 0, fixed_bytes = 0;

  // Variables that ThreadSanitizer's order goes through. Two for each meeting place, in turns, so
  // that the next arrival of a fast thread is not acquired too early.
  char barrier_order[2][8] = {};
  std::map<std::pair<int, unsigned>, std::array<long, 2>> warp_order;

  Fiber scheduler;
  void* scheduler_tsan_fiber = nullptr;
  const void* scheduler_stack = nullptr;
  size_t scheduler_stack_bytes = 0;
};

Block* block = nullptr;  // the one that runs

void to_scheduler(bool for_good = false) {
  Thread* const self = block->current;
  if (asan()) {
    __sanitizer_start_switch_fiber(for_good ? nullptr : &self->fake_stack, block->scheduler_stack,
                                   block->scheduler_stack_bytes);
  }
  enter_fiber(block->scheduler_tsan_fiber);
  switch_fiber(self->fiber, block->scheduler);
  if (asan()) __sanitizer_finish_switch_fiber(self->fake_stack, nullptr, nullptr);
}

// Ends the thread, and with it the block. The complaint has been made.
[[noreturn]] void abandon() {
  const Thread& self = *block->current;
  complain("  in block (%u,%u,%u) thread (%u,%u,%u)", blockIdx.x, blockIdx.y, blockIdx.z,
           self.index.x, self.index.y, self.index.z);
  block->failed = true;
  to_scheduler(true);
  std::abort();
}

void run_thread() {
  if (asan()) {
    __sanitizer_finish_switch_fiber(nullptr, &block->scheduler_stack,
                                    &block->scheduler_stack_bytes);
  }
  Thread* const self = block->current;
  acquire(block->launch.begin);
  block->launch.body();
  release(block->launch.end);
  self->state = State::done;
  to_scheduler(true);
  std::abort();
}

// Lets everybody go on once all are there.
void open_barrier() {
  if (!block->arrived || block->arrived != block->alive) return;
  const Thread* first = nullptr;
  int count = 0;
  for (Thread& t : block->threads) {
    if (t.state != State::at_barrier) continue;
    if (!first) first = &t;
    if (!(t.site == first->site) || t.barrier != first->barrier) {
      complain("__syncthreads divergence: thread %d waits at %s:%d, thread %d at %s:%d", first->id,
               first->site.file, first->site.line, t.id, t.site.file, t.site.line);
      block->failed = true;
      return;
    }
    count += t.predicate;
  }
  const int threads = int(block->threads.size());
  if (block->alive != threads) {
    complain("__syncthreads at %s:%d after %d thread(s) of the block had returned",
             first->site.file, first->site.line, threads - block->alive);
    block->failed = true;
    return;
  }
  int result = 0;
  if (first->barrier == Barrier::count) result = count;
  if (first->barrier == Barrier::all) result = count == threads;
  if (first->barrier == Barrier::any) result = count > 0;
  for (Thread& t : block->threads) {
    t.state = State::ready;
    t.barrier_result = result;
  }
  block->arrived = 0;
}

using Lanes = std::array<Thread*, 32>;  // null where not in the mask

// The lane whose value this one gets; out of range for none.
int source_lane(const Thread& t) {
  const int width = t.call.width, base = t.lane & ~(width - 1), a = t.call.argument;
  switch (t.call.op) {
    case WarpOp::shuffle:
      return base + (a & (width - 1));
    case WarpOp::shuffle_up:
      return t.lane - a >= base ? t.lane - a : t.lane;
    case WarpOp::shuffle_down:
      return t.lane + a < base + width ? t.lane + a : t.lane;
    default:
      return (t.lane ^ a) < base + width ? t.lane ^ a : t.lane;
  }
}

unsigned combined(const Lanes& lanes, const WarpCall& call) {
  unsigned ballot = 0, sum = 0, least = 0, most = 0, mask = 0;
  bool first = true;
  for (const Thread* t : lanes) {
    if (!t) continue;
    const unsigned value = unsigned(t->in);
    mask |= 1u << t->lane;
    if (value) ballot |= 1u << t->lane;
    sum += value;
    const auto below = [&](unsigned a, unsigned b) {
      return call.is_signed ? int(a) < int(b) : a < b;
    };
    if (first || below(value, least)) least = value;
    if (first || below(most, value)) most = value;
    first = false;
  }
  switch (call.op) {
    case WarpOp::ballot:
      return ballot;
    case WarpOp::any:
      return ballot != 0;
    case WarpOp::all:
      return ballot == mask;
    case WarpOp::reduce_min:
      return least;
    case WarpOp::reduce_max:
      return most;
    default:
      return sum;
  }
}

void finish_warp_op(Lanes& lanes) {
  const Thread* first = *std::find_if(lanes.begin(), lanes.end(), [](Thread* t) { return t; });
  const WarpCall& call = first->call;
  for (const Thread* t : lanes) {
    if (t && (t->call.op != call.op || t->call.size != call.size || t->call.width != call.width ||
              !(t->call.site == call.site))) {
      complain("warp operation mismatch: lane %d at %s:%d, lane %d at %s:%d (mask %08x)",
               first->lane, call.site.file, call.site.line, t->lane, t->call.site.file,
               t->call.site.line, call.mask);
      block->failed = true;
      return;
    }
  }
  if (call.op <= WarpOp::shuffle_xor) {
    for (Thread* t : lanes) {
      if (!t) continue;
      const int source = source_lane(*t);
      const bool there = source >= 0 && source < 32 && lanes[source];
      t->out = there ? lanes[source]->in : kNoLane;
      if (!there && (call.op == WarpOp::shuffle || call.op == WarpOp::shuffle_xor)) {
        complain("shuffle at %s:%d: lane %d reads lane %d, which is not in mask %08x",
                 call.site.file, call.site.line, t->lane, source, call.mask);
        block->failed = true;
        return;
      }
    }
  } else if (call.op != WarpOp::sync) {
    const unsigned result = combined(lanes, call);
    for (Thread* t : lanes) {
      if (t) t->out = result;
    }
  }
  for (Thread* t : lanes) {
    if (t) t->state = State::ready;
  }
}

// Shared memory starts as NaN and -1.
Piece new_piece(size_t bytes, size_t align) {
  void* const self = this_fiber();
  enter_fiber(block->scheduler_tsan_fiber);  // the block's writes, not this thread's
  void* data = nullptr;
  {
    const Quiet quiet;
    if (posix_memalign(&data, std::max<size_t>(align, 16), std::max<size_t>(bytes, 1))) {
      std::abort();
    }
  }
  std::memset(data, 0xFF, bytes);
  release(data);
  enter_fiber(self);
  return {data, bytes, align};
}

// A fiber costs a millisecond and a megabyte. Launches of a stream come one after the other, so
// that the next one may take the fibers of the last. What one fiber does is ordered: within a
// launch, races are missed between blocks that share a fiber, whole rounds through all of them
// apart, and between no others.
void* take_fiber() {
  constexpr size_t kMost = 2048;
  if (!tsan()) return nullptr;
  std::vector<void*>& fibers = *block->launch.fibers;
  const size_t place = block->launch.fibers_taken++ % kMost;
  if (place == fibers.size()) fibers.push_back(new_fiber());
  return fibers[place];
}

void start_threads() {
  static char* stacks = nullptr;
  static size_t stacks_bytes = 0;
  static const size_t each = size_t(setting("CUSIM_STACK", asan() ? 262144 : 65536));
  const size_t wanted = block->threads.size() * each;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;
  if (stacks_bytes < wanted) {
    if (stacks) munmap(stacks, stacks_bytes);
    stacks = static_cast<char*>(mmap(nullptr, wanted, PROT_READ | PROT_WRITE, kFlags, -1, 0));
    stacks_bytes = wanted;
  } else if (tsan()) {  // forgets the accesses of the last block
    mmap(stacks, stacks_bytes, PROT_READ | PROT_WRITE, kFlags | MAP_FIXED, -1, 0);
  }
  const dim3 size = block->launch.block;
  for (int i = 0; i < int(block->threads.size()); ++i) {
    Thread& t = block->threads[i];
    t.id = i;
    t.lane = i & 31;
    t.warp = i >> 5;
    t.index = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
    t.stack = stacks + size_t(i) * each;
    if (asan()) unpoison(t.stack, each);
    make_fiber(t.fiber, t.stack, each, run_thread);
    t.tsan_fiber = take_fiber();
  }
}

void resume(Thread& t) {
  block->current = &t;
  threadIdx = t.index;
  void* fake_stack = nullptr;
  static const size_t each = size_t(setting("CUSIM_STACK", asan() ? 262144 : 65536));
  if (asan()) __sanitizer_start_switch_fiber(&fake_stack, t.stack, each);
  enter_fiber(t.tsan_fiber);
  switch_fiber(block->scheduler, t.fiber);
  if (asan()) __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
  if (t.state == State::done) --block->alive;
}

void complain_of_deadlock() {
  complain("deadlock: %d thread(s) alive and none can go on", block->alive);
  int told = 0;
  for (const Thread& t : block->threads) {
    if (t.state == State::done || ++told > 8) continue;
    complain("  thread %d waits at %s:%d%s", t.id, t.site.file, t.site.line,
             t.state == State::at_warp_op ? " (warp operation)" : "");
  }
  block->failed = true;
}

void run_threads() {
  const long order = setting("CUSIM_ORDER", 0);
  std::vector<int> turns(block->threads.size());
  for (size_t i = 0; i < turns.size(); ++i) turns[i] = int(i);
  if (order == 1) std::reverse(turns.begin(), turns.end());
  while (block->alive && !block->failed) {
    if (order == 2) std::shuffle(turns.begin(), turns.end(), generator);
    bool went = false;
    for (const int i : turns) {
      Thread& t = block->threads[i];
      if (t.state != State::ready) continue;
      went = true;
      resume(t);
      if (block->failed) return;
    }
    open_barrier();
    if (!went && !block->failed && block->alive) {
      const bool moved = std::any_of(block->threads.begin(), block->threads.end(),
                                     [](const Thread& t) { return t.state == State::ready; });
      if (!moved) complain_of_deadlock();
    }
  }
}

}  // namespace

bool thread_sanitizer() { return tsan(); }

bool run_block(Launch& launch, uint3 at) {
  std::unique_ptr<Block> own;
  {
    const Quiet quiet;
    own = std::make_unique<Block>(launch);
    own->threads.resize(size_t(launch.block.x) * launch.block.y * launch.block.z);
    own->warps.resize((own->threads.size() + 31) / 32);
  }
  block = own.get();
  block->alive = int(block->threads.size());
  block->scheduler_tsan_fiber = this_fiber();
  blockIdx = at;
  blockDim = launch.block;
  gridDim = launch.grid;
  stats.blocks++;
  stats.threads += block->threads.size();
  start_threads();
  run_threads();
  const bool good = !block->failed;
  const Quiet quiet;
  for (const Piece& piece : block->dynamic) std::free(piece.data);
  for (const auto& [key, piece] : block->fixed) std::free(piece.data);
  own.reset();
  block = nullptr;
  return good;
}

int block_barrier(Barrier kind, bool predicate, Site site) {
  if (!block) std::abort();  // not in a kernel
  Thread* const self = block->current;
  stats.barriers++;
  self->state = State::at_barrier;
  self->barrier = kind;
  self->predicate = predicate;
  self->site = site;
  char* const order = block->barrier_order[self->barriers++ & 1];
  release(order);
  ++block->arrived;
  to_scheduler();
  acquire(order);
  return self->barrier_result;
}

void warp_op(const WarpCall& call, const void* in, void* out) {
  Thread* const self = block->current;
  const auto [file, line] = call.site;
  const unsigned mask = call.mask;
  stats.warp_ops++;
  if (!(mask >> self->lane & 1)) {
    complain("%s:%d: lane %d calls a warp operation whose mask %08x leaves it out", file, line,
             self->lane, mask);
    abandon();
  }
  Thread* const lane_0 = &block->threads[size_t(self->warp) * 32];
  const int lanes_here = std::min(32, int(block->threads.size()) - self->warp * 32);
  if (lanes_here < 32 && mask >> lanes_here) {
    complain("%s:%d: mask %08x names lanes that the last warp (%d threads) does not have", file,
             line, mask, lanes_here);
    abandon();
  }
  self->call = call;
  self->site = call.site;
  self->in = 0;
  if (call.size) std::memcpy(&self->in, in, size_t(call.size));
  long* order = nullptr;
  if (call.op == WarpOp::sync && tsan()) {  // the only one that orders memory
    const Quiet quiet;
    order = &block->warp_order[{self->warp, mask}][self->warp_syncs[mask]++ & 1];
    release(order);
  }
  self->state = State::at_warp_op;
  Warp& warp = block->warps[size_t(self->warp)];
  if (warp.came && warp.mask != mask) warp.mixed = true;
  bool all = true;
  if (warp.mixed) {
    for (int i = 0; i < lanes_here; ++i) {
      const bool waits = lane_0[i].state == State::at_warp_op && lane_0[i].call.mask == mask;
      if (mask >> i & 1 && !waits) all = false;
    }
  } else {
    warp.mask = mask;
    warp.came |= 1u << self->lane;
    all = warp.came == mask;
  }
  if (all) {
    warp.came = 0;
    Lanes lanes{};
    for (int i = 0; i < lanes_here; ++i) {
      if (mask >> i & 1) lanes[i] = &lane_0[i];
    }
    finish_warp_op(lanes);
  }
  if (self->state != State::ready || block->failed) to_scheduler();
  if (order) acquire(order);
  if (call.size) std::memcpy(out, &self->out, size_t(call.size));
}

void* static_shared(const void* key, size_t bytes) {
  auto found = block->fixed.find(key);
  if (found == block->fixed.end()) {
    const Quiet quiet;
    found = block->fixed.emplace(key, new_piece(bytes, 16)).first;
    block->fixed_bytes += bytes;
    if (block->fixed_bytes > block->launch.most_static_bytes) {
      complain("%zu bytes of static shared memory, dynamic ones leave %zu", block->fixed_bytes,
               block->launch.most_static_bytes);
      abandon();
    }
  }
  acquire(found->second.data);
  return found->second.data;
}

void* dynamic_shared(size_t bytes, size_t align) {
  const size_t k = block->current->pieces++;
  if (k == block->dynamic.size()) {
    block->dynamic_bytes = (block->dynamic_bytes + align - 1) / align * align + bytes;
    if (block->dynamic_bytes > block->launch.dynamic_bytes) {
      complain("dynamic shared memory: the kernel takes %zu bytes, the launch gave %zu",
               block->dynamic_bytes, block->launch.dynamic_bytes);
      abandon();
    }
    const Piece piece = new_piece(bytes, align);
    const Quiet quiet;
    block->dynamic.push_back(piece);
  }
  const Piece& piece = block->dynamic[k];
  if (piece.bytes != bytes || piece.align != align) {
    complain("threads of one block disagree on piece %zu of shared memory", k);
    abandon();
  }
  acquire(piece.data);
  return piece.data;
}

void fence() {
  static char order[8];
  release(order);
  acquire(order);
}

}  // namespace cusim
