#include "core/cuda/context.h"

#include <string>

namespace likewise::cuda {

namespace {

constexpr int kLeastCapability = 80;

// Drivers serve every runtime of their own major version of CUDA, and older ones.
std::string driver_too_old() {
  int runtime = 0, driver = 0;
  check(cudaRuntimeGetVersion(&runtime), "version");
  check(cudaDriverGetVersion(&driver), "version");
  const auto named = [](int version) {
    return "CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  };
  return "this build needs an NVIDIA driver for " + named(runtime) + ", version " +
         (runtime >= 13000 ? "580" : "525") + " or newer, and " +
         (driver > 0 ? "that of this machine is for " + named(driver) : "there is none");
}

}  // namespace

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // it is reported here, and not again by the next call
  std::string text = std::string("CUDA ") + what + ": " + cudaGetErrorString(error);
  if (error == cudaErrorNoKernelImageForDevice) {
    text = "this build of likewise has no kernels for this GPU; build it again on this machine";
  }
  throw DeviceError(text);
}

std::string why_not(int device) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();
    if (error == cudaErrorInsufficientDriver) return driver_too_old();
    return std::string("no CUDA device can be used: ") + cudaGetErrorString(error);
  }
  if (count == 0) return "there is no CUDA device";
  if (device >= count) {
    return "there is no CUDA device " + std::to_string(device) + ", the last one is " +
           std::to_string(count - 1);
  }
  int major = 0, minor = 0;
  if (device < 0) check(cudaGetDevice(&device), "device");
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "device");
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "device");
  if (10 * major + minor >= kLeastCapability) return "";
  return "the CUDA device has compute capability " + std::to_string(major) + "." +
         std::to_string(minor) + ", likewise needs 8.0";
}

CurrentDevice::CurrentDevice(int device) {
  check(cudaGetDevice(&before_), "device");
  changed_ = before_ != device;
  if (changed_) check(cudaSetDevice(device), "device");
}

CurrentDevice::~CurrentDevice() {
  if (changed_) cudaSetDevice(before_);
}

}  // namespace likewise::cuda
