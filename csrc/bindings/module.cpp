#include <pybind11/pybind11.h>
#if defined(__APPLE__)
#include <pthread.h>
#else
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "core/error.h"
#include "core/parallel.h"
#include "linalg/linalg.h"

namespace likewise::bindings {

void register_assignment(pybind11::module_& m);
void register_at_once(pybind11::module_& m);
void register_cca(pybind11::module_& m);
void register_core(pybind11::module_& m);
void register_information(pybind11::module_& m);
void register_kernels(pybind11::module_& m);
void register_linalg(pybind11::module_& m);
void register_moments(pybind11::module_& m);
void register_neighbours(pybind11::module_& m);
void register_procrustes(pybind11::module_& m);
void register_regression(pybind11::module_& m);
void register_rsa(pybind11::module_& m);
void register_transport(pybind11::module_& m);

namespace {

// Sets MemoryError. `bytes` were asked for at once; 0: unknown.
void set_memory_error(size_t bytes) {
  try {
    const auto text = pybind11::module_::import("likewise.errors").attr("out_of_memory")(bytes);
    PyErr_SetObject(PyExc_MemoryError, text.ptr());
  } catch (pybind11::error_already_set& error) {
    error.restore();
  }
}

bool on_main_thread() {
#if defined(__APPLE__)
  return pthread_main_np() != 0;
#else
  return syscall(SYS_gettid) == getpid();
#endif
}

// Only Python's main thread handles signals; the others need not wait for the GIL to learn that.
bool ctrl_c_pending() {
  if (!on_main_thread()) return false;
  const pybind11::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;
}

}  // namespace
}  // namespace likewise::bindings

// Table of contents: one register_<topic> per file of this folder.
PYBIND11_MODULE(_cpu_engine, m) {
  namespace lb = likewise::bindings;
  namespace py = pybind11;

  likewise::use_one_blas_thread();
  likewise::set_interrupt_hook(&lb::ctrl_c_pending);
  py::register_exception<likewise::ConvergenceError>(m, "EngineConvergenceError");
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const likewise::Interrupted&) {
      // PyErr_CheckSignals has set KeyboardInterrupt (or what the user's handler raised).
      if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
    } catch (const likewise::AllocationError& error) {
      lb::set_memory_error(error.bytes());
    } catch (const std::bad_alloc&) {
      lb::set_memory_error(0);
    } catch (const std::length_error&) {  // of a vector that no memory could hold
      lb::set_memory_error(0);
    }
  });

  lb::register_assignment(m);
  lb::register_at_once(m);
  lb::register_cca(m);
  lb::register_core(m);
  lb::register_information(m);
  lb::register_kernels(m);
  lb::register_linalg(m);
  lb::register_moments(m);
  lb::register_neighbours(m);
  lb::register_procrustes(m);
  lb::register_regression(m);
  lb::register_rsa(m);
  lb::register_transport(m);
}

// pybind11 would wait for ever in a sub-interpreter that shares the main one's lock.
extern "C" PYBIND11_EXPORT PyObject* PyInit__cpu() {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return PyInit__cpu_engine();
  PyErr_SetString(PyExc_ImportError, "likewise cannot be imported in a sub-interpreter");
  return nullptr;
}
