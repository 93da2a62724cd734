// Devices, errors, settings.

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "cusim.h"
#include "internal.h"

namespace cusim {

Stats stats;
cudaError_t sticky_error = cudaSuccess;
std::mt19937 generator(unsigned(setting("CUSIM_SEED", 1)));

namespace {
std::string complaints;
cudaError_t last_error = cudaSuccess;
constexpr size_t kLongestReport = 20000;

int devices() { return int(setting("CUSIM_DEVICES", 1)); }
int driver() { return int(setting("CUSIM_DRIVER", 13000)); }
constexpr int kRuntime = 13000;
thread_local int current = 0;
thread_local cudaStreamCaptureMode capture_mode = cudaStreamCaptureModeGlobal;
int architecture() { return int(setting("CUSIM_ARCH", 90)); }
}  // namespace

long setting(const char* variable, long otherwise) {
  const char* const value = std::getenv(variable);
  return value && *value ? std::strtol(value, nullptr, 0) : otherwise;
}

void complain(const char* format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (complaints.size() < kLongestReport) complaints += std::string(line) + "\n";
  if (setting("CUSIM_VERBOSE", 0)) std::fprintf(stderr, "cusim: %s\n", line);
}

int current_device() { return current; }

bool may_allocate() {
  if (!capturing || capture_mode == cudaStreamCaptureModeRelaxed) return true;
  complain("allocation while a graph is captured");
  return false;
}

OnDevice::OnDevice(int device) : before_(current) { current = device; }
OnDevice::~OnDevice() { current = before_; }

const char* report() { return complaints.c_str(); }
void fail_allocation(long n) { limit_allocations(n); }

cudaError_t fail_with(cudaError_t error) { return last_error = error; }

void forget_errors() {
  sticky_error = last_error = cudaSuccess;
  complaints.clear();
}

int most_shared_bytes() {
  switch (architecture()) {
    case 80:
      return 166912;
    case 90:
    case 100:
      return 232448;
    default:
      return 101376;
  }
}

}  // namespace cusim

using namespace cusim;

extern "C" {
cudaError_t cudaGetDeviceCount(int* n) {
  *n = devices();
  if (driver() / 1000 < kRuntime / 1000) return fail_with(cudaErrorInsufficientDriver);
  return *n ? cudaSuccess : fail_with(cudaErrorNoDevice);
}
cudaError_t cudaGetDevice(int* device) {
  *device = current;
  return devices() ? cudaSuccess : fail_with(cudaErrorNoDevice);
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= devices()) return fail_with(cudaErrorInvalidDevice);
  current = device;
  stats.devices_set++;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = devices() ? driver() : 0;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kRuntime;
  return cudaSuccess;
}
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, capture_mode);
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = 4;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = architecture() / 10;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = architecture() % 10;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = most_shared_bytes();
      return cudaSuccess;
  }
  return fail_with(cudaErrorInvalidValue);
}
cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = sticky_error;
  return error;
}
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    default:
      return "another cudaError";
  }
}
const char* cudaGetErrorString(cudaError_t error) { return cudaGetErrorName(error); }
}
