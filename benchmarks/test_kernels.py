"""CKA: all pairs, linear and RBF, working memory, two threads."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from . import peers
from .data import Array, mixed_widths
from .reference import centred, cka_error, linear_gram, rbf_gram, unbiased
from .tables import SHARE, Row, Table
from .timing import Contestant

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")

Workload = tuple[int, int, tuple[int, ...]]

STACKS: list[Workload] = [
    (50, 512, (64, 256, 768)),
    (60, 1024, (64, 256, 512, 1024)),
    (100, 1024, (128,)),
]
TINY_STACKS: list[Workload] = [(5, 48, (8, 16))]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.mark.sizes("workload", full=STACKS, quick=TINY_STACKS)
@DTYPES
def test_linear(race: Callable[..., None], workload: Workload, dtype: str) -> None:
    items = mixed_widths(*workload, dtype)
    contestants = [
        ours(items, estimator="unbiased"),
        pytorch_cka(items, goal=5.0 if dtype == "float32" else 8.0),
        flattened_grams(items),
        ckatorch(items[:4]),
    ]
    if dtype == "float32":  # all that torch-cka takes
        contestants.append(torch_cka(items[:4]))
    race(
        f"CKA, linear, unbiased, all pairs, {dtype}: {words(workload)}",
        contestants,
        unit="pair",
        error=cka_error(items, linear_gram, unbiased),
        tolerance=tolerance(dtype),
    )


@pytest.mark.sizes("workload", full=[(50, 1024, (256,))], quick=TINY_STACKS)
@DTYPES
def test_rbf(race: Callable[..., None], workload: Workload, dtype: str) -> None:
    items = mixed_widths(*workload, dtype)
    bandwidth = float(np.sqrt(workload[2][0]))
    gram = partial(rbf_gram, bandwidth=bandwidth)
    race(
        f"CKA, RBF, biased, all pairs, {dtype}: {words(workload)}",
        [
            ours(items, estimator="biased", kernel="rbf", bandwidth=bandwidth),
            cached_kernels(items, gram, goal=6.0),
        ],
        unit="pair",
        error=cka_error(items, gram, centred),
        tolerance=tolerance(dtype),
    )


@pytest.mark.sizes("workload", full=[(50, 512, (64, 256, 768))], quick=TINY_STACKS)
def test_biased(race: Callable[..., None], workload: Workload) -> None:
    items = mixed_widths(*workload, "float64")
    race(
        f"CKA, linear, biased, all pairs, float64: {words(workload)}",
        [ours(items, estimator="biased"), repsim(items[:3])],
        unit="pair",
        error=cka_error(items, linear_gram, centred),
        tolerance=tolerance("float64"),
    )


@pytest.mark.sizes("workload", full=STACKS[1:], quick=TINY_STACKS)
@DTYPES
def test_working_memory(report: Callable[[Table], None], workload: Workload, dtype: str) -> None:
    """Most memory in use above the inputs, each contestant in a process of its own."""
    baseline = peak_memory("likewise", workload, dtype)
    try:
        peers.load("cka")
    except ImportError as missing:
        rival = Row(name="pytorch-cka", how=f"not here ({missing}): {peers.how_to_get('cka')}")
    else:
        value = peak_memory("cka", workload, dtype)
        share = SHARE.of(baseline, value)
        rival = Row(name="pytorch-cka", value=value, comparison=share, goal=0.05)
    rows = [Row(name="likewise", value=baseline), rival]
    title = f"CKA, linear, unbiased, working memory, {dtype}: {words(workload)}"
    report(Table(title, "call", "memory", SHARE, rows))


@pytest.mark.sizes("workload", full=STACKS[1:], quick=TINY_STACKS)
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@DTYPES
def test_two_threads(
    race: Callable[..., None], workload: Workload, kernel: str, dtype: str
) -> None:
    items = mixed_widths(*workload, dtype)
    bandwidth = float(np.sqrt(workload[2][0]))
    options: dict[str, Any] = {"estimator": "unbiased", "kernel": kernel, "bandwidth": bandwidth}
    gram = linear_gram if kernel == "linear" else partial(rbf_gram, bandwidth=bandwidth)
    race(
        f"CKA, two threads against one, {kernel}, {dtype}: {words(workload)}",
        [
            ours(items, name="likewise, 2 threads", threads=2, **options),
            ours(items, name="likewise, 1 thread", goal=1.8, **options),
        ],
        unit="pair",
        error=cka_error(items, gram, unbiased),
        tolerance=tolerance(dtype),
        clock="wall",
    )


def words(workload: Workload) -> str:
    count, n, widths = workload
    return f"{count} items, n = {n}, d = {' '.join(map(str, widths))}"


def tolerance(dtype: str) -> float:
    return 1e-5 if dtype == "float32" else 1e-11


def count_pairs(count: int) -> int:
    """Pairs of a symmetric comparison, an item with itself included."""
    return count * (count + 1) // 2


def ours(
    items: Sequence[Array],
    name: str = "likewise",
    threads: int = 1,
    goal: float | None = None,
    **options: Any,
) -> Contestant:
    return Contestant(
        name=name,
        module="likewise",
        build=lambda lw: partial(lw.pairwise, items, "cka", **options),
        answer=np.asarray,
        units=count_pairs(len(items)),
        threads=threads,
        goal=goal,
    )


def pytorch_cka(items: Sequence[Array], goal: float) -> Contestant:
    def build(cka: Any) -> Callable[[], Any]:
        import torch

        tensors = [torch.from_numpy(item) for item in items]
        return partial(cka.cka_from_features, tensors, tensors)

    return Contestant(
        name="pytorch-cka",
        module="cka",
        build=build,
        answer=lambda scores: scores.numpy(),
        units=count_pairs(len(items)),
        goal=goal,
        how="cka_from_features of the list with itself",
    )


def flattened_grams(items: Sequence[Array]) -> Contestant:
    def build(torch: Any) -> Callable[[], Any]:
        tensors = [torch.from_numpy(item) for item in items]
        n = len(tensors[0])

        def run() -> Any:
            flat = torch.empty(len(tensors), n, n, dtype=tensors[0].dtype)
            for gram, tensor in zip(flat, tensors, strict=True):
                centred_item = tensor - tensor.mean(dim=0)
                torch.mm(centred_item, centred_item.T, out=gram)
                gram.fill_diagonal_(0)
                means = gram.sum(dim=0) / (n - 2)
                means -= means.sum() / (2 * (n - 1))
                gram -= means
                gram -= means[:, None]
                gram.fill_diagonal_(0)
            flat = flat.reshape(len(tensors), -1)
            products = flat @ flat.T
            norms = products.diagonal().sqrt()
            return products / torch.outer(norms, norms)

        return run

    return Contestant(
        name="own rewrite in torch",
        module="torch",
        build=build,
        answer=lambda scores: scores.numpy(),
        units=count_pairs(len(items)),
        how="all centred Grams stored flat, one GEMM",
    )


def cached_kernels(
    items: Sequence[Array], gram: Callable[[Array], Array], goal: float
) -> Contestant:
    def build(numpy: Any) -> Callable[[], Array]:
        def run() -> Array:
            flat = numpy.stack([centred(gram(item)).ravel() for item in items])
            products = flat @ flat.T
            norms = numpy.sqrt(products.diagonal())
            return products / numpy.outer(norms, norms)

        return run

    return Contestant(
        name="own rewrite in NumPy",
        module="numpy",
        build=build,
        units=count_pairs(len(items)),
        goal=goal,
        how="cached kernels + one GEMM",
    )


def ckatorch(items: Sequence[Array]) -> Contestant:
    def build(ckatorch: Any) -> Callable[[], Any]:
        import torch

        tensors = [torch.from_numpy(item) for item in items]

        def run() -> Array:
            scores = np.ones((len(items), len(items)))
            for i, j in itertools.combinations_with_replacement(range(len(items)), 2):
                score = ckatorch.cka_base(tensors[i], tensors[j], unbiased=True)
                scores[i, j] = scores[j, i] = score.item()
            return scores

        return run

    return Contestant(
        name="ckatorch cka_base",
        module="ckatorch",
        build=build,
        units=count_pairs(len(items)),
        how=f"loop over the pairs of the first {len(items)} items, scaled; works in float64",
    )


def torch_cka(items: Sequence[Array]) -> Contestant:
    def build(torch_cka: Any) -> Callable[[], Array]:
        import torch

        tensors = [torch.from_numpy(item) for item in items]
        peer = torch_cka.CKA.__new__(torch_cka.CKA)  # its __init__ wants two models to hook
        peer.device = "cpu"

        def gram(tensor: Any) -> Any:
            return (tensor @ tensor.t()).fill_diagonal_(0.0)

        def run() -> Array:
            scores = np.empty((len(items), len(items)))
            for i, x in enumerate(tensors):
                k = gram(x)
                hsic_k = peer._HSIC(k, k)
                for j, y in enumerate(tensors):
                    other = gram(y)
                    norm = np.sqrt(hsic_k * peer._HSIC(other, other))
                    scores[i, j] = peer._HSIC(k, other) / norm
            return scores

        return run

    return Contestant(
        name="torch-cka",
        module="torch_cka",
        build=build,
        units=count_pairs(len(items)),
        how=f"its HSIC in the loop of its compare(), first {len(items)} items, scaled",
    )


def repsim(items: Sequence[Array]) -> Contestant:
    return Contestant(
        name="repsim",
        module="repsim",
        build=lambda repsim: partial(repsim.cka, items, "linear", "gretton"),
        units=count_pairs(len(items)),
        how=f"first {len(items)} items, scaled",
    )


def peak_memory(module: str, workload: Workload, dtype: str) -> float:
    """Bytes, from a fresh process of `memory.py`."""
    arguments = [module, json.dumps(workload), dtype]
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "LIKEWISE_NUM_THREADS": "1"},
    )
    return float(finished.stdout)
