#include <pybind11/pybind11.h>

#include "core/cuda/pool.h"

// Built twice from the same text: for GPUs, and against the simulator of the tests.
#ifndef LIKEWISE_CUDA_MODULE
#define LIKEWISE_CUDA_MODULE _cuda
#endif

namespace likewise::bindings {

void register_assignment(pybind11::module_& m);
void register_cca(pybind11::module_& m);
void register_core(pybind11::module_& m);
void register_inference(pybind11::module_& m);
void register_kernels(pybind11::module_& m);
void register_linalg(pybind11::module_& m);
void register_moments(pybind11::module_& m);
void register_neighbours(pybind11::module_& m);
void register_offload(pybind11::module_& m);
void register_procrustes(pybind11::module_& m);
void register_reduce(pybind11::module_& m);
void register_regression(pybind11::module_& m);
void register_rsa(pybind11::module_& m);
void register_transport(pybind11::module_& m);
void register_units(pybind11::module_& m);
#ifdef CUSIM
void register_simulator(pybind11::module_& m);
#endif

}  // namespace likewise::bindings

// Table of contents: one register_<topic> per file of this folder.
PYBIND11_MODULE(LIKEWISE_CUDA_MODULE, m) {
  namespace lb = likewise::bindings;
  pybind11::register_exception<likewise::cuda::DeviceError>(m, "DeviceError", PyExc_RuntimeError);
  pybind11::register_exception<likewise::cuda::OutOfMemoryError>(m, "OutOfMemoryError",
                                                                 PyExc_MemoryError);
  lb::register_core(m);
  lb::register_assignment(m);
  lb::register_cca(m);
  lb::register_inference(m);
  lb::register_kernels(m);
  lb::register_linalg(m);
  lb::register_moments(m);
  lb::register_neighbours(m);
  lb::register_offload(m);
  lb::register_procrustes(m);
  lb::register_reduce(m);
  lb::register_regression(m);
  lb::register_rsa(m);
  lb::register_transport(m);
  lb::register_units(m);
#ifdef CUSIM
  lb::register_simulator(m);
#endif
}
