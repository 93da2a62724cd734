"""CKA: all pairs, linear and RBF, working memory, two threads."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from . import peers
from .data import Array, mixed_widths
from .reference import centred, cka_error, linear_gram, rbf_gram, unbiased
from .tables import SHARE, Row, Table
from .timing import Contestant, Race, peer, two_threads

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
def test_linear(race: Race, workload: Workload, dtype: str) -> None:
    items = mixed_widths(*workload, dtype)
    units = count_pairs(items)
    contestants = [
        ours(items, estimator="unbiased"),
        pytorch_cka(items, units=units, goal=5.0 if dtype == "float32" else 8.0),
        flattened_grams(items, units=units),
        ckatorch(items[:4], units=10, how=f"loop over the pairs of {FIRST}; works in float64"),
    ]
    if dtype == "float32":  # all that torch-cka takes
        how = f"its HSIC in the loop of its compare(), {FIRST}"
        contestants.append(torch_cka(items[:4], units=10, how=how))
    race(
        f"CKA, linear, unbiased, all pairs, {dtype}: {words(workload)}",
        contestants,
        **common(items, linear_gram, unbiased),
    )


@pytest.mark.sizes("workload", full=[(50, 1024, (256,))], quick=TINY_STACKS)
@DTYPES
def test_rbf(race: Race, workload: Workload, dtype: str) -> None:
    items = mixed_widths(*workload, dtype)
    bandwidth = float(np.sqrt(workload[2][0]))
    gram = partial(rbf_gram, bandwidth=bandwidth)
    race(
        f"CKA, RBF, biased, all pairs, {dtype}: {words(workload)}",
        [
            ours(items, kernel="rbf", bandwidth=bandwidth),
            cached_kernels(items, gram, units=count_pairs(items)),
        ],
        **common(items, gram, centred),
    )


@pytest.mark.sizes("workload", full=[(50, 512, (64, 256, 768))], quick=TINY_STACKS)
def test_biased(race: Race, workload: Workload) -> None:
    items = mixed_widths(*workload, "float64")
    race(
        f"CKA, linear, biased, all pairs, float64: {words(workload)}",
        [ours(items), repsim(items[:3], units=6, how="first 3 items, scaled")],
        **common(items, linear_gram, centred),
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
def test_two_threads(race: Race, workload: Workload, kernel: str, dtype: str) -> None:
    items = mixed_widths(*workload, dtype)
    bandwidth = float(np.sqrt(workload[2][0]))
    options: dict[str, Any] = {"estimator": "unbiased", "kernel": kernel, "bandwidth": bandwidth}
    two_threads(
        race,
        f"CKA, two threads against one, {kernel}, {dtype}: {words(workload)}",
        lambda **fields: ours(items, fields, **options),
        **common(
            items,
            linear_gram if kernel == "linear" else partial(rbf_gram, bandwidth=bandwidth),
            unbiased,
        ),
    )


FIRST = "the first 4 items, scaled"


def words(workload: Workload) -> str:
    count, n, widths = workload
    return f"{count} items, n = {n}, d = {' '.join(map(str, widths))}"


def common(
    items: Sequence[Array], gram: Callable[[Array], Array], centre: Callable[[Array], Array]
) -> dict[str, Any]:
    return {
        "unit": "pair",
        "error": cka_error(items, gram, centre),
        "tolerance": 1e-5 if items[0].dtype == np.float32 else 1e-11,
    }


def count_pairs(items: Sequence[Array]) -> int:
    """Pairs of a symmetric comparison, an item with itself included."""
    return len(items) * (len(items) + 1) // 2


def ours(
    items: Sequence[Array], fields: Mapping[str, Any] = MappingProxyType({}), **options: Any
) -> Contestant:
    return Contestant(
        build=lambda lw: partial(lw.pairwise, items, "cka", **options),
        answer=np.asarray,
        units=count_pairs(items),
        **fields,
    )


def tensors_of(items: Sequence[Array]) -> list[Any]:
    import torch

    return [torch.from_numpy(item) for item in items]


@peer(
    "cka",
    "pytorch-cka",
    answer=lambda scores: scores.numpy(),
    how="cka_from_features of the list with itself",
)
def pytorch_cka(cka: Any, items: Sequence[Array]) -> Callable[[], Any]:
    tensors = tensors_of(items)
    return partial(cka.cka_from_features, tensors, tensors)


@peer(
    "torch",
    "own rewrite in torch",
    answer=lambda scores: scores.numpy(),
    how="all centred Grams stored flat, one GEMM",
)
def flattened_grams(torch: Any, items: Sequence[Array]) -> Callable[[], Any]:
    tensors = tensors_of(items)
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


@peer("numpy", "own rewrite in NumPy", goal=6.0, how="cached kernels + one GEMM")
def cached_kernels(
    numpy: Any, items: Sequence[Array], gram: Callable[[Array], Array]
) -> Callable[[], Array]:
    def run() -> Array:
        flat = numpy.stack([centred(gram(item)).ravel() for item in items])
        products = flat @ flat.T
        norms = numpy.sqrt(products.diagonal())
        return products / numpy.outer(norms, norms)

    return run


@peer("ckatorch", "ckatorch cka_base")
def ckatorch(ckatorch: Any, items: Sequence[Array]) -> Callable[[], Array]:
    tensors = tensors_of(items)

    def run() -> Array:
        scores = np.ones((len(items), len(items)))
        for i, j in itertools.combinations_with_replacement(range(len(items)), 2):
            score = ckatorch.cka_base(tensors[i], tensors[j], unbiased=True)
            scores[i, j] = scores[j, i] = score.item()
        return scores

    return run


@peer("torch_cka", "torch-cka")
def torch_cka(torch_cka: Any, items: Sequence[Array]) -> Callable[[], Array]:
    tensors = tensors_of(items)
    hooked = torch_cka.CKA.__new__(torch_cka.CKA)  # its __init__ wants two models to hook
    hooked.device = "cpu"

    def gram(tensor: Any) -> Any:
        return (tensor @ tensor.t()).fill_diagonal_(0.0)

    def run() -> Array:
        scores = np.empty((len(items), len(items)))
        for i, x in enumerate(tensors):
            k = gram(x)
            hsic_k = hooked._HSIC(k, k)
            for j, y in enumerate(tensors):
                other = gram(y)
                norm = np.sqrt(hsic_k * hooked._HSIC(other, other))
                scores[i, j] = hooked._HSIC(k, other) / norm
        return scores

    return run


@peer("repsim", "repsim")
def repsim(repsim: Any, items: Sequence[Array]) -> Callable[[], Any]:
    return partial(repsim.cka, items, "linear", "gretton")


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
