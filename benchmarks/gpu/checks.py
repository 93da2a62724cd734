"""What only a real device shows: streams, threads, graphs, CuPy. One line of JSON per check.

python -m benchmarks.gpu.checks            needs torch and a CUDA device
python -m benchmarks.gpu.checks --cpu      the checks that need none, on the CPU's tensors
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import torch

import likewise as lw
from benchmarks.gpu.device import run_apart

Line = dict[str, Any]
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cka": lambda x, y, **o: lw.cka(x, y, **o),
    "procrustes": lambda x, y, **o: lw.procrustes(x, y, **o),
    "permutation_match": lambda x, y, **o: lw.permutation_match(x, y, **o).score,
    "mutual_knn": lambda x, y, **o: lw.mutual_knn(x, y, k=5, **o),
    "rsa": lambda x, y, **o: lw.rsa(x, y, **o),
    "polar": lambda x, y, **o: lw.polar(x, **o)[0],
}


def pair(seed: int, n: int, d: int, device: str) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    return x.to(device), y.to(device)


def same(ours: Any, expected: Any, what: str = "") -> None:
    torch.testing.assert_close(
        torch.as_tensor(ours).cpu().double(), torch.as_tensor(expected).cpu().double(),
        rtol=1e-7, atol=1e-9, msg=lambda text: f"{what} {text}",
    )  # fmt: skip


def gradients(device: str) -> Line:
    """Those of tensors that require grad, by autograd."""
    found = []
    for where in ("cpu", device):
        x, y = (a.requires_grad_() for a in pair(0, 90, 20, where))
        (lw.cka(x, y) + lw.procrustes(x, y)).backward()
        found += [x.grad, y.grad]
    same(found[2], found[0])
    same(found[3], found[1])
    return {}


def threads(device: str) -> Line:
    """Fifty that call different functions on different sizes at once."""
    # Sizes whose decompositions ask for less and for more shared memory than is there unasked.
    jobs = [(name, 60 + 13 * k, 6 + 9 * k) for k in range(5) for name in FUNCTIONS for _ in "ab"]

    def run(job: tuple[str, int, int], where: str) -> Any:
        name, n, d = job
        stream = torch.cuda.Stream() if where == "cuda" else None
        with torch.cuda.stream(stream):
            found = FUNCTIONS[name](*pair(d, n, d, where))
        return found.cpu()

    expected = {job: run(job, "cpu") for job in set(jobs)}
    with ThreadPoolExecutor(50) as pool:
        for job, found in zip(jobs, pool.map(partial(run, where=device), jobs), strict=True):
            same(found, expected[job], str(job))
    return {}


def freed(name: str) -> Line:
    """Inputs that are freed and their memory reused while another stream still computes."""
    expected = [FUNCTIONS[name](*pair(seed, 200, 40, "cpu")) for seed in range(20)]
    streams = [torch.cuda.Stream() for _ in range(2)]
    found = []
    for seed in range(20):
        with torch.cuda.stream(streams[seed % 2]):
            torch.cuda._sleep(2_000_000)
            found.append(FUNCTIONS[name](*pair(seed, 200, 40, "cuda"), check_finite=False))
            torch.full((2, 200, 40), float("nan"), dtype=torch.float64, device="cuda")
    torch.cuda.synchronize()
    for ours, theirs in zip(found, expected, strict=True):
        same(ours, theirs)
    return {}


def waits(name: str) -> Line:
    """Whether a call with check_finite=False returns before the device has done its work."""
    x, y = pair(0, 200, 40, "cuda")
    FUNCTIONS[name](x, y, check_finite=False)
    torch.cuda.synchronize()
    torch.cuda._sleep(int(1e9))  # half a second
    start = time.perf_counter()
    FUNCTIONS[name](x, y, check_finite=False)
    seconds = time.perf_counter() - start
    return {"waits": seconds > 0.2, "seconds": seconds}


def graph(name: str, warm: bool) -> Line:
    """Captured, and replayed on other numbers; also where the captured call is the first one."""
    x, y = pair(0, 200, 40, "cuda")
    if warm:
        FUNCTIONS[name](x, y, check_finite=False)
    torch.cuda.synchronize()
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        out = FUNCTIONS[name](x, y, check_finite=False)
    for seed in (1, 2):
        for into, new in zip((x, y), pair(seed, 200, 40, "cuda"), strict=True):
            into.copy_(new)
        captured.replay()
        torch.cuda.synchronize()
        same(out, FUNCTIONS[name](*pair(seed, 200, 40, "cpu")))
    return {}


def cupy(name: str) -> Line:
    import cupy

    x, y = (a.numpy() for a in pair(0, 200, 40, "cpu"))
    for stream in (cupy.cuda.Stream.null, cupy.cuda.Stream(non_blocking=True)):
        with stream:
            found = FUNCTIONS[name](cupy.asarray(x), cupy.asarray(y))
            if not isinstance(found, cupy.ndarray):
                raise TypeError(f"a CuPy array in, {type(found)} out")
            same(cupy.asnumpy(found), FUNCTIONS[name](x, y))
    return {}


def second_device() -> Line:
    """Tensors of a device that is not the current one."""
    if torch.cuda.device_count() < 2:
        return {"left out": "there is one device"}
    for name, function in FUNCTIONS.items():
        x, y = pair(0, 200, 40, "cuda:1")
        found = function(x, y)
        if found.device != x.device or torch.cuda.current_device() != 0:
            raise RuntimeError(f"{name}: on {found.device}, then {torch.cuda.current_device()}")
        same(found, function(*pair(0, 200, 40, "cpu")), name)
    return {"bytes of the first": torch.cuda.device_memory_used(0)}


def offload() -> Line:
    items = [np.random.default_rng(k).standard_normal((300, 20 + k)) for k in range(12)]
    same(lw.pairwise(items, "cka", device="cuda"), lw.pairwise(items, "cka"))
    return {}


def context() -> Line:
    """Memory of the device that a process takes before its first array: is the engine's loaded?"""
    before = torch.cuda.mem_get_info()[0]
    FUNCTIONS["polar"](*pair(0, 100, 80, "cuda"))
    torch.cuda.synchronize()
    return {"bytes": before - torch.cuda.mem_get_info()[0], "why_not": lw.cuda.why_not()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    device = "cpu" if options.cpu else "cuda"
    checks: dict[str, Callable[[], Line]] = {
        "gradients": partial(gradients, device),
        "threads": partial(threads, device),
    }
    if not options.cpu:
        checks |= {"context": context, "offload": offload, "second device": second_device}
        for name in FUNCTIONS:
            checks[f"inputs freed, {name}"] = partial(freed, name)
            checks[f"wait of {name}"] = partial(waits, name)
            checks[f"cupy, {name}"] = partial(cupy, name)
            checks[f"graph of {name}"] = partial(graph, name, True)
            checks[f"graph of {name}, first call"] = partial(graph, name, False)
    if not run_apart(checks, 30, options.only):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
