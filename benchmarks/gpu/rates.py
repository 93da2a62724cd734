"""What the device itself does: copies, products by cuBLAS, eigenvalues by cuSOLVER."""

from __future__ import annotations

import ctypes
import time

from benchmarks.gpu.device import Line, TorchDevice


def copies(device: TorchDevice) -> Line:
    torch = device.torch
    big = torch.empty(1 << 28, dtype=torch.float32, device="cuda")
    other = torch.empty_like(big)
    seconds = device.seconds(lambda: other.copy_(big))
    return {"device": torch.cuda.get_device_name(), "rate": 2 * big.nbytes / seconds}


def products(device: TorchDevice, dtype: str, size: int, count: int, pedantic: bool) -> Line:
    """cuBLAS called as the engine calls it, and with its default mathematics."""
    torch = device.torch
    blas = ctypes.CDLL("libcublas.so.13")
    a, b, c = (device.normal(seed, count, size, size, dtype=dtype) for seed in range(3))
    handle, real = ctypes.c_void_p(), ctypes.c_float if dtype == "float32" else ctypes.c_double
    one, zero = real(1), real(0)
    stride, long = ctypes.c_longlong(size * size), ctypes.c_void_p
    call = blas.cublasSgemmStridedBatched if dtype == "float32" else blas.cublasDgemmStridedBatched
    done = [
        blas.cublasCreate_v2(ctypes.byref(handle)),
        blas.cublasSetMathMode(handle, 2 * pedantic),
    ]
    stream = long(torch.cuda.current_stream().cuda_stream)
    done.append(blas.cublasSetStream_v2(handle, stream))

    def run() -> None:
        done.append(
            call(
                handle, 0, 0, size, size, size, ctypes.byref(one), long(a.data_ptr()), size, stride,
                long(b.data_ptr()), size, stride, ctypes.byref(zero), long(c.data_ptr()), size,
                stride, count,
            )
        )  # fmt: skip

    seconds = device.seconds(run)
    line: Line = {"rate": 2.0 * count * size**3 / seconds, "seconds": seconds}
    return line | ({"failed": f"cuBLAS: {done}"} if any(done) else {})


def eigen(device: TorchDevice, size: int, count: int) -> Line:
    """cuSOLVER's XsyevBatched on float64: its time, its workspace, and whether the call waits."""
    torch = device.torch
    solver = ctypes.CDLL("libcusolver.so.12")
    a = device.normal(0, count, size, size, dtype="float64")
    a = (a + a.mT).contiguous()
    values = torch.empty(count, size, dtype=torch.float64, device="cuda")
    info = torch.empty(count, dtype=torch.int32, device="cuda")
    handle, options = ctypes.c_void_p(), ctypes.c_void_p()
    there, here = ctypes.c_size_t(), ctypes.c_size_t()
    long, pointer = ctypes.c_int64, ctypes.c_void_p
    done = [
        solver.cusolverDnCreate(ctypes.byref(handle)),
        solver.cusolverDnCreateParams(ctypes.byref(options)),
        solver.cusolverDnSetStream(handle, pointer(torch.cuda.current_stream().cuda_stream)),
    ]
    matrix = [handle, options, 1, 0, long(size), 1, pointer(a.data_ptr()), long(size), 1]
    matrix += [pointer(values.data_ptr()), 1]
    done.append(
        solver.cusolverDnXsyevBatched_bufferSize(
            *matrix, ctypes.byref(there), ctypes.byref(here), long(count)
        )
    )
    space = torch.empty(max(there.value, 1), dtype=torch.uint8, device="cuda")
    host = ctypes.create_string_buffer(max(here.value, 1))

    def run() -> None:
        done.append(
            solver.cusolverDnXsyevBatched(
                *matrix, pointer(space.data_ptr()), there, host, here, pointer(info.data_ptr()),
                long(count),
            )
        )  # fmt: skip

    seconds = device.seconds(run, rounds=2)
    torch.cuda._sleep(int(1e9))  # half a second
    start = time.perf_counter()
    run()
    called = time.perf_counter() - start
    line: Line = {"seconds": seconds, "workspace": there.value, "on host": here.value}
    line |= {"waits": called > 0.25, "call": called}
    return line | ({"failed": f"cuSOLVER: {done}"} if any(done) else {})
