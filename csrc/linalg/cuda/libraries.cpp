#include "linalg/cuda/libraries.h"

#include <dlfcn.h>

#include <map>
#include <mutex>
#include <utility>

#include "core/cuda/context.h"

namespace likewise::cuda {
namespace {

std::mutex mutex;
std::vector<std::string> directories;
Blas loaded;
bool is_loaded = false;

constexpr const char* kBlasNames[] = {"libcublas.so.13", "libcublas.so.12"};
constexpr const char* kBlasLtNames[] = {"libcublasLt.so.13", "libcublasLt.so.12"};

void* open_blas() {
  std::string tried;
  for (const char* name : kBlasNames) {
    if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD)) return library;
  }
  for (const std::string& directory : directories) {
    for (int k = 0; k < 2; ++k) {
      // By its full path first, or cuBLAS might find one of another version by itself.
      dlopen((directory + "/" + kBlasLtNames[k]).c_str(), RTLD_NOW | RTLD_LOCAL);
      const std::string path = directory + "/" + kBlasNames[k];
      if (void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    }
  }
  for (const char* name : kBlasNames) {
    if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
    tried += std::string(tried.empty() ? "" : "; ") + dlerror();
  }
  throw DeviceError("cuBLAS is not installed (" + tried +
                    "); pip install nvidia-cublas, or import torch or cupy first");
}

template <class F>
void find(void* library, const char* name, F*& function) {
  function = reinterpret_cast<F*>(dlsym(library, name));
  if (!function) throw DeviceError(std::string("cuBLAS has no ") + name);
}

}  // namespace

void set_library_directories(std::vector<std::string> places) {
  const std::lock_guard lock(mutex);
  directories = std::move(places);
}

const Blas& blas() {
  const std::lock_guard lock(mutex);
  if (!is_loaded) {
    void* const library = open_blas();
    find(library, "cublasCreate_v2", loaded.create);
    find(library, "cublasSetStream_v2", loaded.set_stream);
    find(library, "cublasSetMathMode", loaded.set_math_mode);
    find(library, "cublasSgemmStridedBatched", loaded.sgemm);
    find(library, "cublasDgemmStridedBatched", loaded.dgemm);
    is_loaded = true;
  }
  return loaded;
}

void check_blas(int status, const char* what) {
  if (status == 0) return;
  const std::map<int, const char*> names{{1, "not initialized (no usable GPU or driver)"},
                                         {3, "out of memory"},
                                         {7, "invalid value"},
                                         {8, "architecture mismatch"},
                                         {13, "execution failed"},
                                         {14, "internal error"},
                                         {15, "not supported"}};
  const auto name = names.find(status);
  throw DeviceError(std::string("cuBLAS ") + what + ": " +
                    (name == names.end() ? "status " + std::to_string(status) : name->second));
}

BlasContext* blas_context(cudaStream_t stream) {
  static thread_local std::map<int, BlasContext*> contexts;  // kept: at exit the device may be gone
  int device = 0;
  check(cudaGetDevice(&device), "device");
  BlasContext*& context = contexts[device];
  if (!context) {
    check_blas(blas().create(&context), "create");
    check_blas(blas().set_math_mode(context, kPedanticMath), "math mode");
  }
  check_blas(blas().set_stream(context, stream), "stream");
  return context;
}

}  // namespace likewise::cuda
