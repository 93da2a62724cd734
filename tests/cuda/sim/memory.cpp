// Device memory and pinned host memory: guard pages, NaN, checks of pointers and ranges.

#include <sys/mman.h>

#include <algorithm>
#include <map>

#include "cusim.h"
#include "internal.h"

namespace cusim {
namespace {

constexpr size_t kPage = 4096;

struct Allocation {
  char* map;
  size_t map_bytes;
  char* data;
  size_t bytes;
  int device;  // kHost: pinned memory of the host
};

std::map<const char*, Allocation> allocations;  // by data
long allocations_left = setting("CUSIM_OOM_AFTER", -1);
int accesses = 0;
std::map<int, size_t> device_bytes;  // allocated

size_t all_device_bytes() { return size_t(setting("CUSIM_MEM", 8L << 30)); }

bool protects() {
  static const bool wanted = setting("CUSIM_PROTECT", 0);
  return wanted;
}

void set_protection(const Allocation& a, int protection) {
  mprotect(a.map + kPage, a.map_bytes - 2 * kPage, protection);
}

void protect_all(int protection) {
  if (!protects()) return;
  for (const auto& [data, allocation] : allocations) {
    if (allocation.device != kHost) set_protection(allocation, protection);
  }
}

const Allocation* find(const void* pointer) {
  auto after = allocations.upper_bound(static_cast<const char*>(pointer));
  if (after == allocations.begin()) return nullptr;
  const Allocation& a = (--after)->second;
  return static_cast<const char*>(pointer) < a.data + std::max<size_t>(a.bytes, 1) ? &a : nullptr;
}

cudaError_t allocate(void** out, size_t bytes, int device) {
  *out = nullptr;
  if (!bytes) return cudaSuccess;
  if (!may_allocate()) return fail_with(cudaErrorStreamCaptureUnsupported);
  if (allocations_left == 0 ||
      (device != kHost && device_bytes[device] + bytes > all_device_bytes())) {
    return fail_with(cudaErrorMemoryAllocation);
  }
  if (allocations_left > 0) --allocations_left;
  const size_t map_bytes = (bytes + kPage - 1) / kPage * kPage + 2 * kPage;
  void* const mapped =
      mmap(nullptr, map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return fail_with(cudaErrorMemoryAllocation);
  char* const map = static_cast<char*>(mapped);
  char* const end = map + map_bytes - kPage;
  mprotect(map, kPage, PROT_NONE);
  mprotect(end, kPage, PROT_NONE);
  char* const data = end - (bytes + 255) / 256 * 256;     // aligned, against the guard page behind
  std::memset(map + kPage, 0xFF, map_bytes - 2 * kPage);  // NaN
  poison(map + kPage, size_t(data - map) - kPage);
  poison(data + bytes, size_t(end - data) - bytes);
  const Allocation made{map, map_bytes, data, bytes, device};
  allocations[data] = made;
  if (device != kHost && protects() && !accesses) set_protection(made, PROT_NONE);
  stats.live_bytes += bytes;
  device_bytes[device] += bytes;
  stats.peak_bytes = std::max(stats.peak_bytes, stats.live_bytes);
  *out = data;
  return cudaSuccess;
}

cudaError_t deallocate(void* pointer, bool device) {
  if (!pointer) return cudaSuccess;
  const auto found = allocations.find(static_cast<char*>(pointer));
  if (found == allocations.end() || (found->second.device != kHost) != device) {
    complain("free of a pointer that is not the start of a live allocation");
    return fail_with(cudaErrorInvalidValue);
  }
  const Allocation a = found->second;
  allocations.erase(found);
  unpoison(a.map + kPage, a.map_bytes - 2 * kPage);
  munmap(a.map, a.map_bytes);
  stats.live_bytes -= a.bytes;
  device_bytes[a.device] -= a.bytes;
  return cudaSuccess;
}

}  // namespace

DeviceAccess::DeviceAccess() {
  if (accesses++ == 0) protect_all(PROT_READ | PROT_WRITE);
}
DeviceAccess::~DeviceAccess() {
  if (--accesses == 0) protect_all(PROT_NONE);
}

Memory memory_of(const void* pointer) {
  const Allocation* a = find(pointer);
  if (!a) return Memory::unknown;
  return a->device == kHost ? Memory::host : Memory::device;
}

int device_of(const void* pointer) {
  const Allocation* a = find(pointer);
  return a ? a->device : kHost;
}

bool in_range(const void* p, size_t bytes, int device, const char* what) {
  const Allocation* a = find(p);
  if (device != kHost && (!a || a->device != device)) {
    complain("%s: %p is not memory of device %d", what, p, device);
    return false;
  }
  if (device == kHost && a && a->device != kHost) {
    complain("%s: %p is device memory where host memory is due", what, p);
    return false;
  }
  if (a && static_cast<const char*>(p) + bytes > a->data + a->bytes) {
    complain("%s: %zu bytes from %p run past the end of an allocation of %zu", what, bytes, p,
             a->bytes);
    return false;
  }
  return true;
}

bool is_device(const void* pointer) { return memory_of(pointer) == Memory::device; }
bool is_here(const void* data, size_t bytes) {
  const char* const last = static_cast<const char*>(data) + bytes - 1;
  return device_of(data) == current_device() && device_of(last) == current_device();
}
cudaError_t allocate_on(int device, void** p, size_t bytes) { return allocate(p, bytes, device); }
void limit_allocations(long n) { allocations_left = n; }
cudaError_t free_device_memory(void* pointer) { return deallocate(pointer, true); }

}  // namespace cusim

extern "C" {
cudaError_t cudaMalloc(void** p, size_t bytes) {
  return cusim::allocate(p, bytes, cusim::current_device());
}
cudaError_t cudaFree(void* p) {
  if (cusim::capturing) {
    cusim::keep_for_replays(p);
    return cudaSuccess;
  }
  const int device = cusim::device_of(p);
  const cusim::OnDevice there(device == cusim::kHost ? cusim::current_device() : device);
  cudaDeviceSynchronize();
  return cusim::deallocate(p, true);
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = cusim::all_device_bytes();
  *free = *total - std::min(*total, cusim::device_bytes[cusim::current_device()]);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** p, size_t bytes) {
  return cusim::allocate(p, bytes, cusim::kHost);
}
cudaError_t cudaFreeHost(void* p) { return cusim::deallocate(p, false); }
}
