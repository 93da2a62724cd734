"""Times and answers on a GPU, one line of JSON per workload as soon as it is measured.

    python -m benchmarks.gpu.measure                       needs torch and a CUDA device
    python -m benchmarks.gpu.measure --simulator MODULE    tiny, on the simulator of the tests: does
                                                           it still run? Its times mean nothing
    python -m benchmarks.gpu.measure --only assignment     workloads with this in their names

``error`` is the difference from the CPU's answer for a few items, ``seconds`` a median by CUDA
events, ``peers`` what others take for the same arrays, ``kernels`` the seconds in those kernels
that take longest, ``operations`` of products and ``moved`` bytes that must be read: to be divided
by the rates that the first lines give.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import likewise as lw
from benchmarks.gpu import answers, rates
from benchmarks.gpu.device import Line, Simulator, TorchDevice, plain, run_apart


class Problem:
    """Sizes and arrays of a workload: as they are meant, or tiny on the simulator."""

    def __init__(self, device: Any) -> None:
        self.device = device

    def size(self, full: int, tiny: int) -> int:
        return tiny if self.device.tiny else full

    def measured(
        self,
        run: Callable[..., Any],
        given: list[Any],
        error: float,
        operations: float = 0.0,
        peers: dict[str, Callable[[], Any]] | None = None,
        scale: float = 1.0,
    ) -> Line:
        """Of ``run(*given)``; peers get a share of the work, and ``scale`` makes up for it."""
        device = self.device

        def call() -> Any:
            return run(*given, check_finite=False)

        line: Line = {"seconds": device.seconds(call), "error": error, "operations": operations}
        line["kernels"] = device.kernels(call)
        if not device.tiny:
            line["peers"] = {
                name: scale * device.seconds(peer, rounds=1) for name, peer in (peers or {}).items()
            }
        if not error < 1e-3:
            line["failed"] = "the answer is not the CPU's"
        return line


def worst(ours: Any, expected: Any) -> float:
    return float(np.max(np.abs(np.asarray(ours) - expected) / np.maximum(1, np.abs(expected))))


def saved_assignments(p: Problem) -> Line:
    error = answers.worst(p.device)
    return {"error": error} | ({} if error < 1e-12 else {"failed": "not those of the simulator"})


def nuclear(p: Problem, rows: int, cols: int, dtype: str, function: str) -> Line:
    """Of 1000 matrices, by the polar iteration (nuclear_norm), by the sum of singular values, which
    the engine's switch chooses (by values), or those values (svdvals)."""
    function, _, way = function.partition(" by ")
    os.environ["LIKEWISE_NUCLEAR_NORMS"] = way  # read once by a process, and each case has its own
    count = p.size(1000, 3)
    rows, cols = p.size(rows, 40), p.size(cols, 20)
    a = p.device.normal(0, count, rows, cols, dtype=dtype)
    run = plain(getattr(lw, function))
    expected = np.linalg.svd(p.device.first(3, a), compute_uv=False)
    if function == "nuclear_norm":
        expected = expected.sum(axis=-1)
    error = worst(p.device.first(3, run(a)), expected)
    peers = {"torch svdvals": partial(_norms, p, a)}
    return p.measured(run, [a], error, peers=peers, scale=count / 20)


def _norms(p: Problem, a: Any) -> Any:
    return p.device.torch.linalg.svdvals(a[:20]).sum(dim=-1)


def assignment(p: Problem, kind: str) -> Line:
    """1000 square costs, float32: normal, whole numbers with ties, or distances in a plane."""
    count, size = p.size(1000, 3), p.size(512, 32)
    cost = p.device.normal(1, count, size, size)
    host = p.device.get(cost)
    if kind == "whole":
        host = np.rint(20 * host).astype(np.float32)
    if kind == "distances":
        points = host[:, :, :4].astype(np.float64)
        square = ((points[:, :, None, :2] - points[:, None, :, 2:]) ** 2).sum(-1, dtype=np.float32)
        host = np.sqrt(square, dtype=np.float32)
    cost = p.device.put(np.ascontiguousarray(host))
    found = plain(lw.assignment)(cost)
    expected = plain(lw.assignment)(host[:8])
    error = worst(p.device.get(found.cost)[:8], expected.cost)
    same = np.array_equal(p.device.get(found.col_ind)[:8], expected.col_ind)
    if kind == "normal" and not same:  # optima are unique
        error = 1.0
    peers: dict[str, Callable[[], Any]] = {}
    for module, function in (
        ("torch_linear_assignment", "batch_linear_assignment"),
        ("torch_lap_cuda", "solve_lap"),
    ):
        if importlib.util.find_spec(module):
            peers[module] = partial(getattr(importlib.import_module(module), function), cost)
    return p.measured(plain(lw.linear_sum_assignment), [cost], error, peers=peers)


def transport(p: Problem) -> Line:
    """1000 transports between 512 and 768 units."""
    cost = p.device.normal(2, p.size(1000, 2), p.size(512, 16), p.size(768, 24))
    host = p.device.first(2, cost)
    run = plain(lw.optimal_transport)
    error = worst((p.device.first(2, run(cost)) * host).sum((1, 2)), (run(host) * host).sum((1, 2)))
    return p.measured(run, [cost], error)


def grid(
    p: Problem,
    measure: str,
    count: int,
    shape: tuple[int, int],
    dtype: str = "float32",
    **options: Any,
) -> Line:
    """All pairs of equally large items by a measure; the CPU does the first two."""
    count, n, d = p.size(count, 3), p.size(shape[0], 80), p.size(shape[1], 12)
    items = [p.device.normal(seed, n, d, dtype=dtype) for seed in range(count)]
    few = [p.device.get(item) for item in items[:2]]
    run = partial(plain(lw.pairwise), measure=measure, **options)
    error = worst(p.device.get(run(items[:2])), run(few))
    peers: dict[str, Callable[[], Any]] = {}
    if measure == "cka" and not options and not p.device.tiny:
        peers["plain torch"] = partial(_torch_cka, p.device.torch, items)
    operations = 2.0 * n * n * (d * count + count**2) if measure == "cka" else 0.0
    return p.measured(run, [items], error, operations, peers)


def _torch_cka(torch: Any, items: list[Any]) -> Any:
    """What one writes without a package: all Gram matrices, one product."""
    grams = []
    for item in items:
        centred = item - item.mean(dim=0)
        grams.append((centred @ centred.T).ravel())
    stacked = torch.stack(grams)
    products = stacked @ stacked.T
    norms = products.diagonal().sqrt()
    return products / norms[:, None] / norms[None]


def rotation(p: Problem, size: int, rank: int = 0) -> Line:
    """One orthogonal_procrustes of square matrices, or of some of lower rank."""
    size, rank = p.size(size, 40), p.size(rank, 36 if rank else 0)
    x, y = (p.device.normal(seed, rank or size, size) for seed in (3, 4))
    run = plain(lw.orthogonal_procrustes)
    found = p.device.get(run(x, y)[0]).astype(np.float64)
    error = worst(found.T @ found, np.eye(size))
    return p.measured(run, [x, y], error)


def factors(p: Problem, rows: int, cols: int) -> Line:
    """One polar decomposition."""
    a = p.device.normal(15, p.size(rows, 90), p.size(cols, 70))
    u, stretch = map(p.device.get, plain(lw.polar)(a))
    return p.measured(plain(lw.polar), [a], worst(u.astype(np.float64) @ stretch, p.device.get(a)))


def one_pair(p: Problem, measure: str, size: int, **options: Any) -> Line:
    """Twice as many samples as units, float64."""
    n, d = p.size(2 * size, 90), p.size(size, 70)
    x, y = (p.device.normal(seed, n, d, dtype="float64") for seed in (16, 17))
    run = partial(plain(getattr(lw, measure)), **options)
    error = worst(p.device.get(run(x, y)), run(p.device.get(x), p.device.get(y)))
    return p.measured(run, [x, y], error)


def streamed_ridge(p: Problem) -> Line:
    """Predictivity between 8 items from sums over their samples."""
    n, d = p.size(5000, 60), p.size(512, 8)
    items = [p.device.normal(seed, n, d, dtype="float64") for seed in range(p.size(8, 2))]
    few = [p.device.get(item) for item in items[:2]]

    def scores(given: list[Any], check_finite: bool = True) -> Any:
        stream = lw.scale.Accumulator("linear_predictivity", cv=5)
        stream.update(given)
        return stream.compute()

    error = worst(p.device.get(scores(items[:2])), scores(few))
    return p.measured(scores, [items], error)


def gradient(p: Problem, measure: str, size: int) -> Line:
    """Of one pair, n = d."""
    size = p.size(size, 24)
    x, y = (p.device.normal(seed, size, size) for seed in (5, 6))
    found = lw.measure(measure).gradients(x, y)[1]
    expected = lw.measure(measure).gradients(p.device.get(x), p.device.get(y))
    largest = np.abs(expected[1]).max()
    error = worst(p.device.get(found) / largest, expected[1] / largest)
    return p.measured(partial(_gradients, measure), [x, y], error)


def _gradients(measure: str, x: Any, y: Any, check_finite: bool) -> Any:
    return lw.measure(measure).gradients(x, y, check_finite=check_finite)


def pairs(p: Problem) -> Line:
    """Procrustes of 1000 pairs, n = d = 512, float32."""
    count, size = p.size(1000, 3), p.size(512, 32)
    x, y = (p.device.normal(seed, count, size, size) for seed in (7, 8))
    run = plain(lw.procrustes)
    error = worst(p.device.first(2, run(x, y)), run(*(p.device.first(2, a) for a in (x, y))))
    steps = 9 + 6  # of the polar iteration, three products each
    return p.measured(run, [x, y], error, count * 2.0 * size**3 * (2 + 3 * steps))


def lasso(p: Problem) -> Line:
    """Paths of 2000 samples, 512 units on 64 targets."""
    n, d, targets = p.size(2000, 60), p.size(512, 8), p.size(64, 3)
    x = p.device.normal(9, n, d, dtype="float64")
    noise = p.device.get(p.device.normal(10, n, targets, dtype="float64"))
    y = p.device.get(x)[:, :targets] + noise
    there = p.device.put(y)
    run = partial(plain(lw.sparse_predictivity), cv=3)
    error = worst(p.device.get(run(x, there).score), run(p.device.get(x), y).score)
    return p.measured(run, [x, there], error)


def draws(p: Problem, measure: str) -> Line:
    """A permutation test of 1000 draws."""
    n, d = p.size(1000, 40), p.size(256, 6)
    x, y = (p.device.normal(seed, n, d) for seed in (11, 12))
    run = partial(plain(lw.permutation_test), measure=measure, n=p.size(1000, 5))
    few = partial(plain(lw.permutation_test), measure=measure, n=5)
    error = worst(p.device.get(few(x, y).null), few(p.device.get(x), p.device.get(y)).null)
    return p.measured(run, [x, y], error)


def offload(p: Problem) -> Line:
    """Items in host memory, more of them than one run holds."""
    n, d = p.size(4096, 40), p.size(1024, 6)
    rng = np.random.default_rng(13)
    items = [rng.standard_normal((n, d), dtype=np.float32) for _ in range(p.size(60, 4))]
    run = partial(plain(lw.pairwise), measure="cka")
    error = worst(run(items[:2], device="cuda"), run(items[:2]))
    return p.measured(partial(run, device="cuda"), [items], error)


def workloads(device: Any) -> dict[str, Callable[[], Line]]:
    """In the order of what they tell; most important first."""
    p = Problem(device)
    found: dict[str, Callable[[], Line]] = {}
    if not device.tiny:
        found["rate of copies"] = partial(rates.copies, device)
        for dtype, pedantic in (("float32", True), ("float64", False), ("float64", True)):
            name = f"rate of {dtype} products of 512{', pedantic' * pedantic}"
            found[name] = partial(rates.products, device, dtype, 512, 200, pedantic)
        for size, count in ((64, 256), (128, 64), (256, 32), (512, 16), (1024, 5)):
            found[f"XsyevBatched {size}, {count} of them"] = partial(
                rates.eigen, device, size, count
            )
    found["assignments as saved"] = partial(saved_assignments, p)
    for kind in ("normal", "whole", "distances"):
        found[f"assignment, {kind}"] = partial(assignment, p, kind)
    for rows, cols, dtype in (
        (64, 64, "float32"),
        (512, 512, "float32"),
        (2048, 512, "float32"),
        (512, 512, "float64"),
    ):
        for function in ("nuclear_norm", "nuclear_norm by values", "svdvals"):
            if dtype == "float64" and function == "nuclear_norm by values":
                continue  # the switch is for float32
            name = f"{function} of 1000 {rows} x {cols} {dtype}"
            found[name] = partial(nuclear, p, rows, cols, dtype, function)
    found["linear CKA, 200 items"] = partial(grid, p, "cka", 200, (2048, 512))
    found["RBF CKA, 50 items"] = partial(grid, p, "cka", 50, (2048, 256), kernel="rbf")
    found["Procrustes of pairs"] = partial(pairs, p)
    found["orthogonal_procrustes 512"] = partial(rotation, p, 512)
    found["gradient of procrustes 512"] = partial(gradient, p, "procrustes", 512)
    found["gradient of cka 512"] = partial(gradient, p, "cka", 512)
    found["orthogonal_procrustes 512 of rank 500"] = partial(rotation, p, 512, 500)
    found["polar of 2048 x 512"] = partial(factors, p, 2048, 512)
    found["shape distance 512"] = partial(one_pair, p, "shape_distance", 512, alpha=0.5)
    found["CCA 512"] = partial(one_pair, p, "cca", 512)
    found["ridge, 30 items"] = partial(grid, p, "linear_predictivity", 30, (5000, 512))
    found["ridge of sums, 8 items"] = partial(streamed_ridge, p)
    found["mutual k-NN, 50 items"] = partial(grid, p, "mutual_knn", 50, (5000, 256), k=5)
    found["RSA, 50 items"] = partial(grid, p, "rsa", 50, (1000, 256))
    found["transport"] = partial(transport, p)
    found["lasso"] = partial(lasso, p)
    found["permutation test of cka"] = partial(draws, p, "cka")
    found["items on the host"] = partial(offload, p)
    found["orthogonal_procrustes 2048"] = partial(rotation, p, 2048)
    found["gradient of procrustes 2048"] = partial(gradient, p, "procrustes", 2048)
    for measure in lw.measures():
        options = {"k": 3} if "knn" in measure else {}
        small = partial(grid, p, measure, 12, (512, 64), "float64", **options)
        found[f"{measure}, 12 small items"] = small
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulator", metavar="MODULE")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    device: Any = Simulator(options.simulator) if options.simulator else TorchDevice()
    if not run_apart(workloads(device), 25, options.only):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
