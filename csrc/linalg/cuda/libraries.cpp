#include "linalg/cuda/libraries.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "core/cuda/context.h"

namespace likewise::cuda {
namespace {

// By the names it has with CUDA 13 and with CUDA 12.
struct Library {
  using Names = std::array<const char*, 2>;
  Names names;
  std::vector<Names> needs;
};
constexpr Library::Names kBlasNames{"libcublas.so.13", "libcublas.so.12"};
constexpr Library::Names kBlasLtNames{"libcublasLt.so.13", "libcublasLt.so.12"};
const Library kBlas{kBlasNames, {kBlasLtNames}};
const Library kSolver{{"libcusolver.so.12", "libcusolver.so.11"},
                      {kBlasLtNames,
                       kBlasNames,
                       {"libnvJitLink.so.13", "libnvJitLink.so.12"},
                       {"libcusparse.so.12", "libcusparse.so.12"}}};
constexpr int kHow = RTLD_NOW | RTLD_LOCAL;

std::mutex mutex;
std::vector<std::string> directories;
std::optional<Blas> loaded_blas;
std::optional<Solver> loaded_solver;
bool searched_solver = false;  // since the directories were set

// Null where there is none; `tried` then says why.
void* open_library(const Library& library, std::string& tried) {
  for (const char* name : library.names) {
    if (void* found = dlopen(name, kHow | RTLD_NOLOAD)) return found;
  }
  for (const std::string& directory : directories) {
    for (size_t k = 0; k < library.names.size(); ++k) {
      const std::string path = directory + "/";
      if (access((path + library.names[k]).c_str(), R_OK) != 0) continue;
      for (const Library::Names& needed : library.needs) {
        // By their full paths, or it might find others of another version, or none, by itself.
        if (!dlopen(needed[k], kHow | RTLD_NOLOAD)) dlopen((path + needed[k]).c_str(), kHow);
      }
      if (void* found = dlopen((path + library.names[k]).c_str(), kHow)) return found;
    }
  }
  for (const char* name : library.names) {
    if (void* found = dlopen(name, kHow)) return found;
    tried += std::string(tried.empty() ? "" : "; ") + dlerror();
  }
  return nullptr;
}

template <class F>
bool find(void* library, const char* name, F*& function) {
  function = reinterpret_cast<F*>(dlsym(library, name));
  return function != nullptr;
}

[[noreturn]] void fail(const char* library, const std::map<int, const char*>& names, int status,
                       const char* what) {
  const auto name = names.find(status);
  throw DeviceError(std::string(library) + " " + what + ": " +
                    (name == names.end() ? "status " + std::to_string(status) : name->second));
}

// As long as it lives this thread may allocate while one captures a graph, as libraries do that
// make a context.
class RelaxedCapture {
 public:
  RelaxedCapture() { exchange(); }
  ~RelaxedCapture() { exchange(); }
  RelaxedCapture(const RelaxedCapture&) = delete;

 private:
  void exchange() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

// Contexts of a library by device. A thread keeps one of each device it computed on and gives them
// back when it ends: there are as many as threads were at work at once. Never destroyed, for at
// exit the device may be gone.
template <class Made>
class Contexts {
 public:
  // This thread's on the current device, by `make()` where none is free.
  template <class Make>
  Made& of_this_thread(Make&& make) {
    static thread_local Borrowed borrowed{*this, {}};
    int device = 0;
    check(cudaGetDevice(&device), "device");
    if (const auto found = borrowed.contexts.find(device); found != borrowed.contexts.end()) {
      return found->second;
    }
    return borrowed.contexts.emplace(device, take(device, make)).first->second;
  }

 private:
  struct Borrowed {
    Contexts& from;
    std::map<int, Made> contexts;
    ~Borrowed() {
      const std::lock_guard lock(from.mutex_);
      for (const auto& [device, made] : contexts) from.free_[device].push_back(made);
    }
  };

  template <class Make>
  Made take(int device, Make&& make) {
    {
      const std::lock_guard lock(mutex_);
      std::vector<Made>& free = free_[device];
      if (!free.empty()) {
        const Made made = free.back();
        free.pop_back();
        return made;
      }
    }
    const RelaxedCapture relaxed;
    return make();
  }

  std::mutex mutex_;
  std::map<int, std::vector<Made>> free_;
};

}  // namespace

void set_library_directories(std::vector<std::string> places) {
  const std::lock_guard lock(mutex);
  directories = std::move(places);
  searched_solver = false;
}

const Blas& blas() {
  const std::lock_guard lock(mutex);
  if (loaded_blas) return *loaded_blas;
  std::string tried;
  void* const library = open_library(kBlas, tried);
  if (!library) {
    throw DeviceError("cuBLAS is not installed (" + tried +
                      "); pip install nvidia-cublas, or import torch or cupy first");
  }
  Blas found;
  const auto need = [&](const char* name, auto& function) {
    if (!find(library, name, function)) throw DeviceError(std::string("cuBLAS has no ") + name);
  };
  need("cublasCreate_v2", found.create);
  need("cublasSetStream_v2", found.set_stream);
  need("cublasSetMathMode", found.set_math_mode);
  need("cublasSgemmStridedBatched", found.sgemm);
  need("cublasDgemmStridedBatched", found.dgemm);
  return loaded_blas.emplace(found);
}

void check_blas(int status, const char* what) {
  if (status == 0) return;
  fail("cuBLAS",
       {{1, "not initialized (no usable GPU or driver)"},
        {3, "out of memory"},
        {7, "invalid value"},
        {8, "architecture mismatch"},
        {13, "execution failed"},
        {14, "internal error"},
        {15, "not supported"}},
       status, what);
}

BlasContext* blas_context(cudaStream_t stream) {
  static auto& contexts = *new Contexts<BlasContext*>;
  BlasContext* const context = contexts.of_this_thread([] {
    BlasContext* made = nullptr;
    check_blas(blas().create(&made), "create");
    return made;
  });
  check_blas(blas().set_stream(context, stream), "stream");
  return context;
}

const Solver* solver() {
  const std::lock_guard lock(mutex);
  if (loaded_solver || searched_solver) return loaded_solver ? &*loaded_solver : nullptr;
  searched_solver = true;
  std::string tried;
  void* const library = open_library(kSolver, tried);
  Solver found;
  const bool usable = library && find(library, "cusolverDnCreate", found.create) &&
                      find(library, "cusolverDnCreateParams", found.create_options) &&
                      find(library, "cusolverDnSetStream", found.set_stream) &&
                      find(library, "cusolverDnXsyevBatched_bufferSize", found.eigen_bytes) &&
                      find(library, "cusolverDnXsyevBatched", found.eigen);
  return usable ? &loaded_solver.emplace(found) : nullptr;
}

void check_solver(int status, const char* what) {
  if (status == 0) return;
  fail("cuSOLVER",
       {{1, "not initialized (no usable GPU or driver)"},
        {2, "out of memory"},
        {3, "invalid value"},
        {4, "architecture mismatch"},
        {6, "execution failed"},
        {7, "internal error"},
        {9, "not supported"}},
       status, what);
}

SolverCall solver_context(cudaStream_t stream) {
  static auto& contexts = *new Contexts<SolverCall>;
  const Solver& library = *solver();
  const SolverCall call = contexts.of_this_thread([&] {
    SolverCall made{};
    check_solver(library.create(&made.context), "create");
    check_solver(library.create_options(&made.options), "create");
    return made;
  });
  check_solver(library.set_stream(call.context, stream), "stream");
  return call;
}

}  // namespace likewise::cuda
