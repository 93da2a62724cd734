"""Answers and times on a GPU, in one JSON.

    python -m benchmarks.gpu.measure --json gpu.json       needs torch and a CUDA device
    python -m benchmarks.gpu.measure --simulator MODULE    tiny, on the simulator of the tests: does
                                                           it still run? Its times mean nothing

Answers are compared with the CPU engine first, assignments also with those that the simulator of
the tests found (answers.py). Times are medians of CUDA events on an idle device;
peers see the same arrays. Fractions are of the copy bandwidth and of the GEMM rate that this run
measured.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import likewise as lw
from benchmarks.gpu import answers
from benchmarks.gpu.answers import plain

Array = NDArray[Any]


class Sizes(NamedTuple):
    pairs: int
    width: int
    layers: int
    samples: int
    compared: int
    """Of a batch, what the CPU computes too."""


FULL = Sizes(pairs=1000, width=512, layers=200, samples=2048, compared=8)
TINY = Sizes(pairs=3, width=32, layers=4, samples=80, compared=2)


class TorchDevice:
    """Arrays of torch on the current CUDA device."""

    def __init__(self) -> None:
        import torch

        self.torch = torch
        self.name = torch.cuda.get_device_name()
        torch.backends.cuda.matmul.allow_tf32 = False

    def put(self, array: Array) -> Any:
        return self.torch.from_numpy(array).cuda()

    def get(self, array: Any) -> Array:
        return np.asarray(array.cpu().numpy())

    def seconds(self, run: Callable[[], Any], rounds: int = 5) -> float:
        """Median, after one call that is not counted."""
        events = [self.torch.cuda.Event(enable_timing=True) for _ in range(2)]
        times = []
        run()
        for _ in range(rounds):
            events[0].record()
            run()
            events[1].record()
            self.torch.cuda.synchronize()
            times.append(events[0].elapsed_time(events[1]) / 1e3)
        return statistics.median(times)

    def rates(self) -> dict[str, float]:
        """Bytes and operations per second of a copy and of products."""
        torch = self.torch
        big = torch.empty(1 << 28, dtype=torch.float32, device="cuda")
        other = torch.empty_like(big)
        found = {"copy": 2 * big.nbytes / self.seconds(lambda: other.copy_(big))}
        for dtype in (torch.float32, torch.float64):
            a = torch.randn(8192, 8192, dtype=dtype, device="cuda")
            found[str(dtype).partition(".")[2]] = 2 * 8192**3 / self.seconds(lambda a=a: a @ a)
        return found


class Simulator:
    """Stands for a device where there is none."""

    name = "simulator (times mean nothing)"

    def __init__(self, module: str) -> None:
        sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
        import simulated

        simulated.load(module)
        self.put, self.get = simulated.array, simulated.numpy

    def seconds(self, run: Callable[[], Any], rounds: int = 1) -> float:
        start = time.perf_counter()
        for _ in range(rounds):
            run()
        return (time.perf_counter() - start) / rounds

    def rates(self) -> dict[str, float]:
        return {}


class Case(NamedTuple):
    """One workload: our time, operations, agreement with the CPU, and what peers take."""

    name: str
    seconds: float
    operations: float
    """Of its products."""
    moved: float
    """Bytes that it must read at least."""
    error: float
    peers: dict[str, float]


def procrustes(device: Any, sizes: Sizes) -> Case:
    """Batch of pairs (n = d), float32."""
    rng = np.random.default_rng(0)
    shape = (sizes.pairs, sizes.width, sizes.width)
    x, y = (rng.standard_normal(shape, dtype=np.float32) for _ in range(2))
    run = plain(lw.procrustes)
    there = device.put(x), device.put(y)
    some = slice(sizes.compared)
    error = np.abs(device.get(run(*there))[some] - run(x[some], y[some])).max()
    peers = {}
    if isinstance(device, TorchDevice):
        products = there[0].mT @ there[1]
        few = products[: max(sizes.pairs // 50, 1)]
        seconds = device.seconds(lambda: device.torch.linalg.svdvals(few), rounds=1)
        peers["torch.linalg.svdvals of ready products, scaled"] = seconds * sizes.pairs / len(few)
    steps = 9 + 6  # of the polar iteration, three products each
    operations = sizes.pairs * 2.0 * sizes.width**3 * (2 + 3 * steps)
    seconds = device.seconds(lambda: run(*there, check_finite=False))
    return Case("Procrustes, pairs", seconds, operations, x.nbytes * 2.0, float(error), peers)


def assignment(device: Any, sizes: Sizes) -> Case:
    """Batch of square costs, float32; optima are unique, so pairs must be the CPU's."""
    shape = (sizes.pairs, sizes.width, sizes.width)
    cost = np.random.default_rng(1).standard_normal(shape, dtype=np.float32)
    there = device.put(cost)
    few = cost[: sizes.compared]
    found, expected = plain(lw.assignment)(there), plain(lw.assignment)(few)
    some = slice(sizes.compared)
    if not np.array_equal(device.get(found.col_ind)[some], expected.col_ind):
        raise AssertionError("assignments differ from the CPU's")
    total = np.asarray(expected.cost)
    error = np.abs(device.get(found.cost)[some] / total - 1).max()
    gap = np.abs(device.get(found.gap) / device.get(found.cost)).max()
    peers = {}
    if isinstance(device, TorchDevice):
        for module, function in (
            ("torch_linear_assignment", "batch_linear_assignment"),
            ("torch_lap_cuda", "solve_lap"),
        ):
            if importlib.util.find_spec(module):
                solve = getattr(importlib.import_module(module), function)
                peers[module] = device.seconds(lambda solve=solve: solve(there), rounds=1)
    run = plain(lw.linear_sum_assignment)
    seconds = device.seconds(lambda: run(there, check_finite=False))
    return Case(
        "assignment, batch", seconds, 0.0, float(cost.nbytes), float(max(error, gap)), peers
    )


def kernels(device: Any, sizes: Sizes) -> Case:
    """Linear CKA of all pairs of layers, float32."""
    rng = np.random.default_rng(2)
    shape = (sizes.samples, sizes.width)
    layers = [rng.standard_normal(shape, dtype=np.float32) for _ in range(sizes.layers)]
    there = [device.put(layer) for layer in layers]
    run = plain(lw.pairwise)
    few = sizes.compared
    error = np.abs(device.get(run(there[:few], "cka")) - run(layers[:few], "cka")).max()
    peers = {}
    if isinstance(device, TorchDevice):
        peers["plain torch"] = device.seconds(lambda: torch_cka(device.torch, there), rounds=3)
    n, pairs = sizes.samples, sizes.layers**2
    operations = 2.0 * n * n * (sizes.width * sizes.layers + pairs)
    seconds = device.seconds(lambda: run(there, "cka", check_finite=False))
    moved = float(sum(layer.nbytes for layer in layers))
    return Case("linear CKA, all pairs", seconds, operations, moved, float(error), peers)


def torch_cka(torch: Any, layers: list[Any]) -> Any:
    """What one writes without a package: all Gram matrices, one product."""
    grams = []
    for layer in layers:
        centred = layer - layer.mean(dim=0)
        grams.append((centred @ centred.T).ravel())
    stacked = torch.stack(grams)
    products = stacked @ stacked.T
    norms = products.diagonal().sqrt()
    return products / norms[:, None] / norms[None]


def grid(device: Any, sizes: Sizes, measure: str) -> Case:
    """All pairs of a few small layers, float64, by any measure."""
    rng = np.random.default_rng(3)
    shape = (sizes.samples // 4, sizes.width // 8)
    layers = [rng.standard_normal(shape) for _ in range(12)]
    there = [device.put(layer) for layer in layers]
    run = plain(lw.pairwise)
    options = {"k": 3} if "knn" in measure else {}
    few = sizes.compared
    expected = run(layers[:few], measure, **options)
    error = np.abs(device.get(run(there[:few], measure, **options)) - expected).max()
    seconds = device.seconds(lambda: run(there, measure, check_finite=False, **options), rounds=1)
    moved = float(sum(layer.nbytes for layer in layers))
    return Case(f"{measure}, 12 layers", seconds, 0.0, moved, float(error), {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--simulator", metavar="MODULE")
    options = parser.parse_args()
    device: Any = Simulator(options.simulator) if options.simulator else TorchDevice()
    sizes = TINY if options.simulator else FULL
    rates = device.rates()
    print(device.name, {name: f"{rate:.3g}/s" for name, rate in rates.items()})
    saved_error = answers.worst(device)
    print(f"assignments as saved by the simulator: error {saved_error:.1e}")
    cases = [measure(device, sizes) for measure in (assignment, kernels, procrustes)]
    cases += [grid(device, sizes, measure) for measure in lw.measures()]
    for case in cases:
        share = ""
        if rates:
            work, traffic = case.operations / rates["float32"], case.moved / rates["copy"]
            share = f"  {work / case.seconds:.0%} of the GEMM rate, "
            share += f"{traffic / case.seconds:.0%} of the copy bandwidth"
        print(f"{case.name:32}{case.seconds * 1e3:10.3f} ms  error {case.error:.1e}{share}")
        for peer, seconds in case.peers.items():
            print(f"  {peer}: {seconds / case.seconds:.1f} times as long")
    if options.json:
        record = {"device": device.name, "sizes": sizes._asdict(), "rates": rates}
        record["saved assignments"] = {"error": saved_error}
        record["cases"] = [case._asdict() for case in cases]
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    if saved_error > 1e-12:
        raise SystemExit("assignments differ from those of the simulator")
    if worst := [case.name for case in cases if not case.error < 1e-4]:
        raise SystemExit(f"answers differ from the CPU's: {worst}")


if __name__ == "__main__":
    main()
