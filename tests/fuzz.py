"""Random data against every measure: what promises the same number must give it.

``python tests/fuzz.py --calls 200000`` is the long form, ``tests/test_fuzz.py`` the short one. A
case is made of its measure and a seed alone: ``python tests/fuzz.py --measure cka --seed 7`` runs
it again.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import likewise as lw

Array = np.ndarray

# Options that lead to other code, by measure.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "cca": [{}, {"regularization": 0.1}],
    "cka": [
        {},
        {"estimator": "unbiased"},
        {"kernel": "rbf"},
        {"kernel": "rbf", "bandwidth": 2.0, "estimator": "unbiased"},
        {"kernel": "polynomial"},
    ],
    "hsic": [{}, {"estimator": "unbiased"}, {"kernel": "rbf"}],
    "linear_predictivity": [{"cv": 2}],
    "mutual_knn": [{"k": 2}, {"k": 3, "metric": "euclidean"}],
    "jaccard_knn": [{"k": 2}],
    "cknna": [{"k": 3}],
    "procrustes": [{}, {"score": "similarity"}, {"score": "euclidean", "scale": False}],
    "rsa": [
        {"dissimilarity": dissimilarity, "comparison": comparison}
        for dissimilarity in ("correlation", "cosine", "euclidean", "sqeuclidean")
        for comparison in ("spearman", "corr", "kendall", "cosine_cov")
    ],
    "shape_distance": [{"alpha": 0.0}, {"alpha": 0.5}, {"alpha": 1.0, "center": False}],
    "soft_match": [{}, {"mass": 0.5}],
    "svcca": [{"variance": 0.9}],
}

# Values of what is asked of all paths: the same number, up to this share of max(1, |score|).
# Float64: angles near 0 are roots of what sums give (1e-14). Float32: products of float32 units
# are rounded to 6e-8 each, angles near 0 are known to 3e-5 (design of near identity).
TOLERANCE = {np.dtype(np.float64): 2e-7, np.dtype(np.float32): 2e-4}


def _size_of_hsic(case: Case) -> float:
    """What the terms of HSIC are made of, of which it may be a small difference."""
    sizes = []
    for side in (case.x, case.y):
        wide = side.astype(np.longdouble)
        sizes.append(((wide - wide.mean(axis=0)) ** 2).sum() / len(wide))
    with np.errstate(over="ignore"):
        return float(np.float64(sizes[0] * sizes[1]))


_NEIGHBOURS = ("mutual_knn", "jaccard_knn", "cknna")


class Case(NamedTuple):
    """Two representations, and how they were made."""

    x: Array
    y: Array
    kind: str


def _gaussian(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.standard_normal((n, d))


def _integers(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.integers(-2, 3, (n, d)).astype(float)


def _repeats(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.standard_normal((max(2, n // 2), d))[rng.integers(max(2, n // 2), size=n)]


def _constant_units(rng: np.random.Generator, n: int, d: int) -> Array:
    x = rng.standard_normal((n, d))
    x[:, rng.random(d) < 0.5] = rng.standard_normal()
    return x


def _constant(rng: np.random.Generator, n: int, d: int) -> Array:
    return np.full((n, d), rng.standard_normal())


def _offset(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.standard_normal((n, d)) + 10.0 ** rng.integers(1, 4) * rng.standard_normal(d)


def _massive_unit(rng: np.random.Generator, n: int, d: int) -> Array:
    x = rng.standard_normal((n, d))
    x[:, rng.integers(d)] += 1e4
    return x


def _mixed_scales(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.standard_normal((n, d)) * 10.0 ** rng.integers(-3, 4, d)


def _rank_one(rng: np.random.Generator, n: int, d: int) -> Array:
    # Whole numbers: their products are exact, and so is the rank.
    return np.outer(rng.integers(-9, 10, n), rng.integers(1, 10, d)).astype(float)


def _rare(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.standard_normal((n, d)) * (rng.random((n, d)) < 0.2)


def _signs(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.choice([-1.0, 1.0], (n, d))


def _one_sample(rng: np.random.Generator, n: int, d: int) -> Array:
    x = np.ones((n, d))
    x[rng.integers(n), rng.integers(d)] = rng.choice([9.0, -3.0])
    return x


DATA: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "gaussian": _gaussian,
    "integers": _integers,
    "repeats": _repeats,
    "constant units": _constant_units,
    "constant": _constant,
    "offset": _offset,
    "massive unit": _massive_unit,
    "mixed scales": _mixed_scales,
    "rank one": _rank_one,
    "rare": _rare,
    "signs": _signs,
    "one sample": _one_sample,
}


def make_case(rng: np.random.Generator, min_samples: int) -> Case:
    """Two representations of random sizes, values, scale and type."""
    n = int(rng.integers(max(4, min_samples), 20))
    kinds = [str(rng.choice(list(DATA))) for _ in range(2)]
    dtype = rng.choice([np.float64, np.float32])
    scale = 2.0 ** int(rng.choice([0, 0, 0, -300, 300] if dtype == np.float64 else [0, 0, -60, 60]))
    sides = [DATA[kind](rng, n, int(rng.integers(1, 11))) for kind in kinds]
    x, y = (np.asarray(side * scale, dtype) for side in sides)
    return Case(x, y, f"{' and '.join(kinds)}, {x.shape} {y.shape} {x.dtype} at {scale:g}")


def layouts(rng: np.random.Generator, x: Array) -> Iterator[tuple[str, Array]]:
    """The same numbers in other places of memory."""
    yield "Fortran", np.asfortranarray(x)
    wide = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    wide[::2, 1::3] = x
    yield "strided", wide[::2, 1::3]
    yield "backwards", np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    yield "swapped", x.astype(x.dtype.newbyteorder())
    locked = x.copy()
    locked.flags.writeable = False
    yield "read-only", locked
    odd = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    odd[...] = x
    yield "unaligned", odd


def _arbitrary(x: Array, y: Array) -> bool:
    """Whether canonical correlations are equal: their variates are then any of a space."""
    correlations = lw.canonical_correlations(x.astype(np.float64), y.astype(np.float64))
    return bool(np.any(-np.diff(correlations) < 1e-5))


def _nearly_tied(x: Array) -> bool:
    """Whether dissimilarities differ by what ties in float32 and does not in float64."""
    wide = x.astype(np.longdouble)
    wide = wide - wide.mean(axis=0)
    largest = np.abs(wide).max() or 1
    for points in (wide / largest, _unit_norm(wide / largest)):
        squares = ((points[:, None] - points) ** 2).sum(axis=-1)
        ordered = np.sort(squares, axis=1)[:, 1:]
        gaps = np.diff(ordered, axis=1) / np.where(ordered[:, 1:] > 0, ordered[:, 1:], 1)
        if ((gaps > 1e-14) & (gaps < 1e-4)).any():
            return True
    return False


def _unit_norm(x: Array) -> Array:
    norms = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return x / np.where(norms > 0, norms, 1)


class Fuzz:
    """Runs cases of a measure and counts the calls and what was found."""

    def __init__(self, name: str) -> None:
        self.name, self.calls = name, 0
        self.findings: list[str] = []
        self.refused: Counter[str] = Counter()

    def run(self, seed: int) -> None:
        """One case; what is found is kept in :attr:`findings`."""
        rng = np.random.default_rng([sum(map(ord, self.name)), seed])
        variants = VARIANTS.get(self.name, [{}])
        options = variants[int(rng.integers(len(variants)))]
        measure: Any = lw.measure(self.name, **options)
        case = make_case(rng, measure.min_samples)
        self._size = _size_of_hsic(case) if self.name == "hsic" else 0.0
        self._where = f"{self.name}{options or ''} seed {seed}: {case.kind}"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", lw.LikewiseWarning)
            self._check(rng, measure, case)

    def _check(self, rng: np.random.Generator, measure: Any, case: Case) -> None:
        x, y = case.x, case.y
        score = self._score("call", measure, x, y)
        if score is None:
            return
        low, high = measure.range
        if not np.isnan(score) and not low - 1e-6 <= score <= high * (1 + 1e-6) + 1e-6:
            self._found("range", f"{score} is not within [{low}, {high}]")
        self._layouts(rng, measure, case, score)
        self._collections(measure, case, score)
        self._precisions(measure, case, score)
        self._rearranged(rng, measure, case, score)
        if getattr(measure, "differentiable", False):
            found = self._score("gradients", lambda a, b: measure.gradients(a, b).score, x, y)
            self._same("gradients", found, score, x.dtype)
        if measure.streamable and not (self.name == "pwcca" and _arbitrary(x, y)):
            self._streamed(rng, measure, case, score)

    def _layouts(self, rng: np.random.Generator, measure: Any, case: Case, score: float) -> None:
        pairs = list(zip(layouts(rng, case.x), layouts(rng, case.y), strict=True))
        (name, a), (_, b) = pairs[int(rng.integers(len(pairs)))]
        self._same(name, self._score(name, measure, a, b), score, case.x.dtype)

    def _collections(self, measure: Any, case: Case, score: float) -> None:
        x, y = case.x, case.y
        # Beside others, some of which are constant.
        spare = np.full_like(x, 3.0)
        for name, batch, others in (
            ("batch of x", np.stack([spare, x, 2 * x]), y),
            ("batch of y", x, np.stack([y, np.zeros_like(y)])),
        ):
            found = self._call(name, measure, batch, others)
            if found is not None:
                self._same(name, float(found[1 if batch.ndim > 2 else 0]), score, x.dtype)
        grid = self._call("pairwise", lw.pairwise, [x, y, spare], measure)
        if grid is not None:
            self._same("pairwise", float(grid[0, 1]), score, x.dtype)
        grid = self._call("cross", lw.cross, {"s": spare, "x": x}, {"y": y}, measure)
        if grid is not None:
            self._same("cross of mappings", float(grid["x", "y"]), score, x.dtype)

    def _precisions(self, measure: Any, case: Case, score: float) -> None:
        if case.x.dtype != np.float32:
            return
        if self.name in _NEIGHBOURS and (_nearly_tied(case.x) or _nearly_tied(case.y)):
            return
        wide = [side.astype(np.float64) for side in (case.x, case.y)]
        self._same("float64", self._score("float64", measure, *wide), score, case.x.dtype)
        mixed = self._score("mixed", measure, case.x, wide[1])
        self._same("mixed", mixed, score, case.x.dtype)

    def _rearranged(self, rng: np.random.Generator, measure: Any, case: Case, score: float) -> None:
        x, y = case.x, case.y
        # Several partners or neighbours may be best; variates of equal correlations are arbitrary.
        if self.name not in ("linear_predictivity", "pwcca", *_NEIGHBOURS):
            rows = rng.permutation(len(x))
            self._same(
                "order of samples", self._score("rows", measure, x[rows], y[rows]), score, x.dtype
            )
        if measure.symmetric:
            self._same("symmetry", self._score("swapped sides", measure, y, x), score, x.dtype)
        if "isotropic_scaling" in measure.invariances:
            self._same("scale", self._score("scale", measure, 4 * x, y / 8), score, x.dtype)
        if "permutation" in measure.invariances and self.name != "pwcca":
            units = rng.permutation(y.shape[1])
            self._same("units", self._score("units", measure, x, y[:, units]), score, x.dtype)

    def _streamed(self, rng: np.random.Generator, measure: Any, case: Case, score: float) -> None:
        if self.name == "linear_predictivity":  # folds of a stream are others
            return
        cuts = np.sort(rng.integers(0, len(case.x) + 1, size=2))
        parts = [p for p in np.split(np.arange(len(case.x)), cuts) if len(p)]

        def stream(x: Array, y: Array) -> Any:
            whole, other = (lw.scale.Accumulator(measure) for _ in range(2))
            for k, rows in enumerate(parts):
                (other if k == 1 else whole).update([x[rows]], [y[rows]])
            whole.merge(other)
            return whole.compute()[0, 0]

        self._same("stream", self._score("stream", stream, case.x, case.y), score, case.x.dtype)

    def _score(self, what: str, function: Callable[..., Any], x: Array, y: Array) -> float | None:
        found = self._call(what, function, x, y)
        return None if found is None else float(found)

    def _call(self, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a call gives; None where it refuses, which it says in a sentence of its own."""
        self.calls += 1
        try:
            found = function(*arguments)
        except (ValueError, lw.ConvergenceError) as error:
            if ": " not in str(error) or len(str(error)) < 20:
                self._found(what, f"refused without a word: {error!r}")
            self.refused[str(error).partition(":")[0]] += 1
            return None
        except Exception as error:
            self._found(what, f"{type(error).__name__}: {error}")
            return None
        return found[0] if isinstance(found, tuple) else found

    def _same(self, what: str, found: float | None, score: float, dtype: Any) -> None:
        if found is None:
            self._found(what, f"refuses what the call scores {score!r}")
            return
        bound = TOLERANCE[np.dtype(dtype)] * max(1.0, abs(score), self._size)
        if np.isinf(found) and self._size * 1e-14 > float(
            np.finfo(dtype).max
        ):  # so is its rounding
            return
        both_undefined = np.isnan(found) and np.isnan(score)
        if not both_undefined and found != score and not abs(found - score) <= bound:
            self._found(what, f"{found!r}, the call {score!r}")

    def _found(self, what: str, said: str) -> None:
        self.findings.append(f"{self._where}: {what}: {said}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--measure", choices=lw.measures())
    parser.add_argument("--seed", type=int, help="this case alone")
    given = parser.parse_args()
    runs = [Fuzz(name) for name in ([given.measure] if given.measure else lw.measures())]
    seeds = itertools.count() if given.seed is None else [given.seed]
    for seed in seeds:
        for run in runs:
            run.run(seed)
        if sum(run.calls for run in runs) >= given.calls:
            break
    for run in runs:
        print(f"{run.name}: {run.calls} calls, {len(run.findings)} findings, {dict(run.refused)}")
        for finding in run.findings[:20]:
            print("   ", finding)
    return min(sum(len(run.findings) for run in runs), 1)


if __name__ == "__main__":
    sys.exit(main())
