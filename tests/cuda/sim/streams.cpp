// Streams, events, launches and copies. Work runs as late, or as early, as the rules allow.

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cusim.h"
#include "internal.h"

namespace cusim {
namespace {

struct Task {
  std::function<void()> work;
  std::vector<std::shared_ptr<Task>> after;
  bool done = false;
  char queued[8], finished[8];  // ThreadSanitizer's order goes through these
};
using TaskPointer = std::shared_ptr<Task>;

}  // namespace
}  // namespace cusim

struct CUstream_st {
  int device;
  bool blocking;  // ordered with the legacy default stream of its device
  std::deque<cusim::TaskPointer> queue{};
  cusim::TaskPointer last{};
  void* tsan_fiber = nullptr;
  std::vector<void*> thread_fibers{};  // of the launches, one after the other
};
struct CUevent_st {
  int device;
  cusim::TaskPointer task;
};
struct CUmemPoolHandle_st {
  int device;
  std::set<void*> pieces{};  // that are in use
};

namespace cusim {
namespace {

struct DefaultStreams {
  CUstream_st legacy, per_thread;
};
std::map<int, DefaultStreams> default_streams;  // by device
std::vector<CUstream_st*> streams;
struct Captured {
  CUstream_st* stream;
  std::function<void()> work;
};
std::vector<Captured> captured;
std::vector<void*> kept;  // memory that they use
std::vector<CUmemPoolHandle_st*> pools;
std::map<std::pair<int, const void*>, int> shared_limits;  // by device and kernel

DefaultStreams& defaults_of(int device) {
  const auto [found, made] =
      default_streams.try_emplace(device, DefaultStreams{{device, true}, {device, true}});
  if (made) streams.insert(streams.end(), {&found->second.legacy, &found->second.per_thread});
  return found->second;
}

// Null for a stream that is gone.
CUstream_st* stream_of(cudaStream_t s) {
  if (!s || s == cudaStreamLegacy) return &defaults_of(current_device()).legacy;
  if (s == cudaStreamPerThread) return &defaults_of(current_device()).per_thread;
  return std::find(streams.begin(), streams.end(), s) == streams.end() ? nullptr : s;
}

enum class Schedule { eager, lazy, random };
Schedule schedule() {
  static const Schedule chosen = [] {
    const char* value = std::getenv("CUSIM_ASYNC");
    const std::string name = value ? value : "lazy";
    return name == "eager" ? Schedule::eager : name == "random" ? Schedule::random : Schedule::lazy;
  }();
  return chosen;
}

void finish(const TaskPointer& task);

// Runs the head of the queue, and first what it waits for.
void run_next(CUstream_st* s) {
  const TaskPointer task = s->queue.front();
  for (const TaskPointer& other : task->after) finish(other);
  if (task->done) return;
  s->queue.pop_front();
  task->done = true;
  void* const self = this_fiber();
  enter_fiber(s->tsan_fiber);
  acquire(task->queued);
  for (const TaskPointer& other : task->after) acquire(other->finished);
  {
    const DeviceAccess access;
    task->work();
  }
  {
    const Quiet quiet;
    task->work = nullptr;
    task->after.clear();
  }
  release(task->finished);
  enter_fiber(self);
}

void finish(const TaskPointer& task) {
  if (!task || task->done) return;
  for (CUstream_st* s : streams) {
    if (std::find(s->queue.begin(), s->queue.end(), task) == s->queue.end()) continue;
    while (!task->done) run_next(s);
    return;
  }
}

TaskPointer push(CUstream_st* s, std::function<void()> work, const TaskPointer& after = nullptr) {
  if (capturing) {
    captured.push_back({s, std::move(work)});
    return nullptr;
  }
  // The fiber is made now, not when the work runs: by then the host may have done more.
  if (tsan() && !s->tsan_fiber) s->tsan_fiber = new_fiber();
  const TaskPointer task = std::make_shared<Task>();
  task->work = std::move(work);
  if (after) task->after.push_back(after);
  release(task->queued);
  CUstream_st& legacy = defaults_of(s->device).legacy;
  if (s == &legacy) {
    for (CUstream_st* other : streams) {
      const bool ordered = other != s && other->device == s->device && other->blocking;
      if (ordered && other->last) task->after.push_back(other->last);
    }
  } else if (s->blocking && legacy.last) {
    task->after.push_back(legacy.last);
  }
  s->queue.push_back(task);
  s->last = task;
  if (schedule() == Schedule::eager) finish(task);
  if (schedule() == Schedule::random) {
    while (generator() & 1) {
      CUstream_st* const any = streams[generator() % streams.size()];
      if (!any->queue.empty()) run_next(any);
    }
  }
  return task;
}

cudaError_t wait_for(const TaskPointer& task) {
  if (!may_wait()) return fail_with(cudaErrorStreamCaptureUnsupported);
  finish(task);
  if (task) acquire(task->finished);
  return sticky_error == cudaSuccess ? cudaSuccess : fail_with(sticky_error);
}

std::vector<uint3> block_order(dim3 grid) {
  std::vector<uint3> order;
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) order.push_back({x, y, z});
    }
  }
  const long wish = setting("CUSIM_ORDER", 0);
  if (wish == 1) std::reverse(order.begin(), order.end());
  if (wish == 2) std::shuffle(order.begin(), order.end(), generator);
  return order;
}

}  // namespace

void on_stream(cudaStream_t s, std::function<void()> work) {
  CUstream_st* const stream = stream_of(s);
  if (stream && stream->device == current_device()) {
    push(stream, std::move(work));
  } else {
    complain("library call on a stream that is destroyed or of another device");
    fail_with(cudaErrorInvalidResourceHandle);
  }
}

cudaError_t set_shared_limit(const void* kernel, int bytes) {
  if (bytes > most_shared_bytes()) return fail_with(cudaErrorInvalidValue);
  shared_limits[{current_device(), kernel}] = bytes;
  return cudaSuccess;
}

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> body,
                   const std::vector<const void*>& pointers) {
  if (sticky_error != cudaSuccess) return fail_with(sticky_error);
  CUstream_st* const stream = stream_of(config.stream);
  if (!stream) return fail_with(cudaErrorInvalidResourceHandle);
  if (stream->device != current_device()) {
    complain("launch on a stream of device %d, the current one is %d", stream->device,
             current_device());
    return fail_with(cudaErrorInvalidResourceHandle);
  }
  const dim3 grid = config.gridDim, block = config.blockDim;
  const size_t threads = size_t(block.x) * block.y * block.z;
  if (!threads || threads > 1024 || block.z > 64 || !grid.x || !grid.y || !grid.z ||
      grid.x > 2147483647u || grid.y > 65535 || grid.z > 65535) {
    complain("bad launch configuration: grid (%u,%u,%u) block (%u,%u,%u)", grid.x, grid.y, grid.z,
             block.x, block.y, block.z);
    return fail_with(cudaErrorInvalidConfiguration);
  }
  // What a kernel has in static arrays is known when it runs.
  constexpr size_t kWithoutAsking = 49152;
  const auto limit = shared_limits.find({stream->device, kernel});
  const bool asked = limit != shared_limits.end();
  const size_t most = asked ? size_t(limit->second) : kWithoutAsking;
  if (config.dynamicSmemBytes > most) {
    complain("launch asks for %zu bytes of dynamic shared memory, the limit is %zu",
             config.dynamicSmemBytes, most);
    return fail_with(cudaErrorInvalidValue);
  }
  const size_t left = asked ? size_t(most_shared_bytes()) - most : most - config.dynamicSmemBytes;
  const size_t most_static = std::min(left, kWithoutAsking);
  for (size_t i = 0; i < pointers.size(); ++i) {
    const Memory kind = pointers[i] ? memory_of(pointers[i]) : Memory::host;
    if (kind == Memory::unknown ||
        (kind == Memory::device && device_of(pointers[i]) != stream->device)) {
      complain("kernel argument: pointer %zu (%p) is not memory of device %d", i, pointers[i],
               stream->device);
      return fail_with(sticky_error = cudaErrorIllegalAddress);
    }
  }
  push(stream,
       [stream, body = std::move(body), grid, block, most_static, bytes = config.dynamicSmemBytes] {
         if (sticky_error != cudaSuccess) return;
         stats.launches++;
         std::unique_ptr<Launch> running;
         {
           const Quiet quiet;
           running = std::make_unique<Launch>(
               Launch{body, grid, block, bytes, most_static, {}, {}, &stream->thread_fibers});
         }
         release(running->begin);
         for (const uint3& at : block_order(grid)) {
           if (run_block(*running, at)) continue;
           sticky_error = cudaErrorLaunchFailure;
           break;
         }
         acquire(running->end);
         const Quiet quiet;
         running.reset();
       });
  return cudaSuccess;
}

bool capturing = false;

bool may_wait() {
  if (capturing) complain("a wait while a graph is captured");
  return !capturing;
}
void keep_for_replays(void* memory) { kept.push_back(memory); }
void begin_capture() { capturing = true; }
void end_capture() { capturing = false; }
void replay() {
  for (const Captured& one : captured) push(one.stream, one.work);
}

void reset() {
  capturing = false;
  captured.clear();
  for (void* memory : std::exchange(kept, {})) free_device_memory(memory);
  for (CUstream_st* s : streams) {
    s->queue.clear();
    s->last = nullptr;
  }
  forget_errors();
  limit_allocations(-1);
  stats = Stats{0, 0, 0, 0, 0, 0, stats.live_bytes, stats.live_bytes, stats.contexts};
}

}  // namespace cusim

using namespace cusim;

extern "C" {
cudaError_t cudaDeviceSynchronize() {
  if (!may_wait()) return fail_with(cudaErrorStreamCaptureUnsupported);
  for (CUstream_st* s : streams) {
    if (s->device == current_device()) finish(s->last);
  }
  for (CUstream_st* s : streams) {
    if (s->device == current_device() && s->last) acquire(s->last->finished);
  }
  return sticky_error == cudaSuccess ? cudaSuccess : fail_with(sticky_error);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t s) {
  CUstream_st* const stream = stream_of(s);
  if (!stream) return fail_with(cudaErrorInvalidResourceHandle);
  if (!bytes) return cudaSuccess;
  bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind == cudaMemcpyDefault) {
    to_device = is_device(to);
    from_device = is_device(from);
  }
  if (!in_range(to, bytes, to_device ? stream->device : kHost, "memcpy destination") ||
      !in_range(from, bytes, from_device ? stream->device : kHost, "memcpy source")) {
    return fail_with(cudaErrorInvalidValue);
  }
  if (!from_device && memory_of(from) == Memory::unknown) {  // pageable: copied before it returns
    const char* const bytes_of = static_cast<const char*>(from);
    auto staged = std::make_shared<std::vector<char>>(bytes_of, bytes_of + bytes);
    push(stream,
         [to, bytes, staged = std::move(staged)] { std::memcpy(to, staged->data(), bytes); });
    return cudaSuccess;
  }
  const TaskPointer task = push(stream, [=] { std::memcpy(to, from, bytes); });
  const bool to_pageable = !to_device && memory_of(to) == Memory::unknown;
  return to_pageable ? wait_for(task) : cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  // As drivers do it: by the memory's device, whatever the current one.
  const int device = std::max(device_of(to), device_of(from));
  const OnDevice there(device == kHost ? current_device() : device);
  const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  const TaskPointer last = stream_of(nullptr)->last;
  return error == cudaSuccess ? wait_for(last) : error;
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t s) {
  CUstream_st* const stream = stream_of(s);
  if (!stream) return fail_with(cudaErrorInvalidResourceHandle);
  if (!bytes) return cudaSuccess;
  if (!in_range(to, bytes, stream->device, "memset")) return fail_with(cudaErrorInvalidValue);
  push(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned flags) {
  *s = new CUstream_st{current_device(), flags != cudaStreamNonBlocking};
  streams.push_back(*s);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  CUstream_st* const stream = stream_of(s);
  return stream ? wait_for(stream->last) : fail_with(cudaErrorInvalidResourceHandle);
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  CUstream_st* const stream = stream_of(s);
  if (!stream || stream != s) return fail_with(cudaErrorInvalidResourceHandle);
  finish(stream->last);
  streams.erase(std::find(streams.begin(), streams.end(), stream));
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t event, unsigned) {
  CUstream_st* const stream = stream_of(s);
  if (!stream || !event) return fail_with(cudaErrorInvalidResourceHandle);
  if (event->task) push(stream, [] {}, event->task);
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st{current_device(), nullptr};
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t s) {
  CUstream_st* const stream = stream_of(s);
  if (!stream || !event || event->device != stream->device) {
    return fail_with(cudaErrorInvalidResourceHandle);
  }
  event->task = push(stream, [] {});
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) { return wait_for(event->task); }

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  if (properties->allocType != cudaMemAllocationTypePinned ||
      properties->location.type != cudaMemLocationTypeDevice) {
    return fail_with(cudaErrorInvalidValue);
  }
  pools.push_back(*pool = new CUmemPoolHandle_st{properties->location.id});
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  if (!pool->pieces.empty()) complain("memory pool destroyed with pieces that are in use");
  std::erase(pools, pool);
  delete pool;
  return cudaSuccess;
}
// Memory that is given back goes when the stream comes so far, and is the next one's from then on.
cudaError_t cudaMallocFromPoolAsync(void** p, size_t bytes, cudaMemPool_t pool, cudaStream_t s) {
  CUstream_st* const stream = stream_of(s);
  if (!stream || stream->device != pool->device) return fail_with(cudaErrorInvalidResourceHandle);
  cudaError_t error = allocate_on(pool->device, p, bytes);
  if (error == cudaErrorMemoryAllocation) {
    finish(stream->last);
    error = allocate_on(pool->device, p, bytes);
  }
  if (error != cudaSuccess || !*p) return error;
  pool->pieces.insert(*p);
  push(stream, [p = *p, bytes] { std::memset(p, 0xFF, bytes); });  // not there before
  return cudaSuccess;
}
cudaError_t cudaFreeAsync(void* p, cudaStream_t s) {
  CUstream_st* const stream = stream_of(s);
  if (!stream) return fail_with(cudaErrorInvalidResourceHandle);
  const auto pool = std::find_if(pools.begin(), pools.end(),
                                 [p](const auto* one) { return one->pieces.contains(p); });
  if (pool == pools.end()) {
    complain("free of a pointer that no pool has given");
    return fail_with(cudaErrorInvalidValue);
  }
  (*pool)->pieces.erase(p);
  push(stream, [p] { free_device_memory(p); });
  return cudaSuccess;
}
}
