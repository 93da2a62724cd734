"""Random data against every measure and function: what promises a number must give it.

Measures have oracles (``fuzz_oracles.py``) and paths that must agree with one another; other
functions have a check each (``fuzz_functions.py``). ``python tests/fuzz.py --calls 200000`` is the
long form, ``tests/test_fuzz.py`` the short one. A case is made of its name and a seed alone:
``python tests/fuzz.py --measure cka --seed 7`` runs it again.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from typing import Any

import fuzz_functions
import numpy as np
from fuzz_data import Array, Case, layouts, make_case
from fuzz_oracles import ORACLES
from reference.exact import Undecided
from variants import first, paths

import likewise as lw

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
        for comparison in ("spearman", "corr", "kendall", "cosine_cov", "tau-a", "rho-a", "bures")
    ],
    "shape_distance": [{"alpha": 0.0}, {"alpha": 0.5}, {"alpha": 1.0, "center": False}],
    "soft_match": [{}, {"mass": 0.5}, {"score": "distance"}],
    "svcca": [{"variance": 0.9}],
}

# Values of what is asked of all paths: the same number, up to this share of max(1, |score|).
# Float64: angles near 0 are roots of what sums give (1e-14). Float32: products of float32 units
# are rounded to 6e-8 each, angles near 0 are known to 3e-5 (design of near identity).
TOLERANCE = {np.dtype(np.float64): 2e-7, np.dtype(np.float32): 2e-4}


def _size(name: str, options: dict[str, Any], case: Case) -> float:
    """What the score is made of, of which it may be a small difference."""
    if name != "hsic" and options.get("scale", True):
        return 1.0
    sizes = []
    for side in (case.x, case.y):
        wide = side.astype(np.longdouble)
        sizes.append(((wide - wide.mean(axis=0)) ** 2).sum())
    with np.errstate(over="ignore"):
        if name == "hsic":
            return float(np.float64(sizes[0] * sizes[1] / len(case.x) ** 2))
        return float(np.sqrt(sum(sizes)))


_NEIGHBOURS = ("mutual_knn", "jaccard_knn", "cknna")


def _arbitrary(x: Array, y: Array) -> bool:
    """Whether canonical correlations are equal: their variates are then any of a space."""
    correlations = lw.canonical_correlations(x.astype(np.float64), y.astype(np.float64))
    return bool(np.any(-np.diff(correlations) < 1e-5))


class Runner(ABC):
    """Runs cases and counts the calls, what was found and where nothing could be asked."""

    def __init__(self, name: str) -> None:
        self.name, self.calls = name, 0
        self.findings: list[str] = []
        self.refused: Counter[str] = Counter()
        self.undecided: Counter[str] = Counter()
        self._where = ""

    def run(self, seed: int) -> None:
        """One case; what is found is kept in :attr:`findings`."""
        rng = np.random.default_rng([sum(map(ord, self.name)), seed])
        self._where = f"{self.name} seed {seed}"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", lw.LikewiseWarning)
            try:
                self._run(rng)
            except Undecided as why:
                self.undecided[str(why)] += 1

    @abstractmethod
    def _run(self, rng: np.random.Generator) -> None:
        """What is asked of one case."""

    def _call(
        self, what: str, function: Callable[..., Any], *arguments: Any, **options: Any
    ) -> Any:
        """What a call gives; None where it refuses, which it says in a sentence of its own."""
        self.calls += 1
        try:
            return function(*arguments, **options)
        except (ValueError, lw.ConvergenceError) as error:
            if ": " not in str(error) or len(str(error)) < 20:
                self._found(what, f"refused without a word: {error!r}")
            self.refused[str(error).partition(":")[0]] += 1
        except Exception as error:
            self._found(what, f"{type(error).__name__}: {error}")
        return None

    def _found(self, what: str, said: str) -> None:
        self.findings.append(f"{self._where}: {what}: {said}")

    def __str__(self) -> str:
        notes = f"undecided {dict(self.undecided)}, refused {dict(self.refused)}"
        return f"{self.name}: {self.calls} calls, {len(self.findings)} findings, {notes}"


class Functions(Runner):
    """Cases of a function of ``fuzz_functions.py``."""

    def _run(self, rng: np.random.Generator) -> None:
        def call(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
            found = self._call("call", function, *arguments, **options)
            if found is None:
                raise Undecided("refused")
            return found

        try:
            fuzz_functions.FUNCTIONS[self.name](rng, call)
        except (AssertionError, IndexError) as error:  # indices are results too
            self._found("check", str(error).strip()[:400])


class Fuzz(Runner):
    """Cases of a measure: its oracle, and all paths to its score."""

    def _run(self, rng: np.random.Generator) -> None:
        variants = VARIANTS.get(self.name, [{}])
        options = variants[int(rng.integers(len(variants)))]
        measure: Any = lw.measure(self.name, **options)
        case = make_case(rng, measure.min_samples)
        self._size = _size(self.name, options, case)
        self._where += f" {options or ''}: {case.kind}"
        if options.get("estimator") == "unbiased" and case.is_denormal():
            # Its sums hold for samples about their mean, which is rounded to the smallest number.
            raise Undecided("the mean of denormal samples")
        self._check(rng, measure, options, case)

    def _check(
        self, rng: np.random.Generator, measure: Any, options: dict[str, Any], case: Case
    ) -> None:
        x, y = case.x, case.y
        score = self._score("call", measure, x, y)
        if score is None:
            return
        low, high = measure.range
        if not np.isnan(score) and not low - 1e-6 <= score <= high * (1 + 1e-6) + 1e-6:
            self._found("range", f"{score} is not within [{low}, {high}]")
        try:
            with np.errstate(all="ignore"):
                expected = ORACLES[self.name](x, y, **options)
        except Undecided as why:
            self.undecided[str(why)] += 1
        else:
            self._same("oracle", expected, score, x.dtype)
            self._precisions(measure, case, score)
        self._layouts(rng, measure, case, score)
        self._dtypes(measure, case)
        self._paths(measure, case, score)
        self._rearranged(rng, measure, case, score)

    def _layouts(self, rng: np.random.Generator, measure: Any, case: Case, score: float) -> None:
        pairs = list(zip(layouts(rng, case.x), layouts(rng, case.y), strict=True))
        (name, a), (_, b) = pairs[int(rng.integers(len(pairs)))]
        self._same(name, self._score(name, measure, a, b), score, case.x.dtype)

    def _dtypes(self, measure: Any, case: Case) -> None:
        """Narrow floats are widened and integers become float64, bit by bit the same."""
        small = np.abs(case.x).max(initial=0) < 100 and np.abs(case.y).max(initial=0) < 100
        for narrow, wide in ((np.float16, np.float32), (np.int8, np.float64)):
            sides = [s.astype(narrow) for s in (case.x, case.y) if small]
            if not sides or case.x.dtype != wide:
                continue
            expected = self._score(str(wide), measure, *(s.astype(wide) for s in sides))
            found = self._score(str(narrow), measure, *sides)
            if expected is not None:
                self._same(narrow.__name__, found, expected, wide)

    def _paths(self, measure: Any, case: Case, score: float) -> None:
        x, y = case.x, case.y
        found = self._call("paths", paths, measure, x, y)
        self.calls += len(found or ())
        for path, one in (found or {}).items():
            arbitrary = path in ("stream", "reordered") and self.name == "pwcca"
            if not (arbitrary and _arbitrary(x, y)):
                self._same(path, one, score, x.dtype)
        # Beside others that are constant.
        spare = np.full_like(x, 3.0)
        batch = self._call("batch", measure, np.stack([spare, x]), y)
        if batch is not None:
            self._same("batch", float(first(batch)[1]), score, x.dtype)
        grid = self._call("pairwise", lw.pairwise, [x, y, spare], measure)
        if grid is not None:
            self._same("pairwise", float(grid[0, 1]), score, x.dtype)

    def _precisions(self, measure: Any, case: Case, score: float) -> None:
        if case.x.dtype != np.float32:
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
            scaled = 4 * x, 8 * y if np.abs(y).max() < np.finfo(y.dtype).tiny else y / 8
            self._same("scale", self._score("scale", measure, *scaled), score, x.dtype)
        if "permutation" in measure.invariances and self.name != "pwcca":
            units = rng.permutation(y.shape[1])
            self._same("units", self._score("units", measure, x, y[:, units]), score, x.dtype)

    def _score(self, what: str, function: Callable[..., Any], x: Array, y: Array) -> float | None:
        found = self._call(what, function, x, y)
        return None if found is None else float(first(found))

    def _same(self, what: str, found: float | None, score: float, dtype: Any) -> None:
        if found is None:
            self._found(what, f"refuses what the call scores {score!r}")
            return
        kind = np.finfo(dtype)
        bound = max(TOLERANCE[kind.dtype] * max(abs(score), self._size), float(kind.tiny))
        beyond = not (np.isfinite(found) and np.isfinite(score))
        if beyond and self._size * 1e-14 > float(kind.max):
            return  # so is its rounding
        both_undefined = np.isnan(found) and np.isnan(score)
        if not both_undefined and found != score and not abs(found - score) <= bound:
            self._found(what, f"{found!r}, the call {score!r}")


def runner(name: str) -> Runner:
    return Fuzz(name) if name in lw.measures() else Functions(name)


def names() -> list[str]:
    """Measures, and functions that are none."""
    return [*lw.measures(), *fuzz_functions.FUNCTIONS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--measure", choices=lw.measures())
    parser.add_argument("--function", choices=list(fuzz_functions.FUNCTIONS))
    parser.add_argument("--seed", type=int, help="this case alone")
    given = parser.parse_args()
    chosen = [name for name in (given.measure, given.function) if name] or names()
    runs = []
    for name in chosen:
        run = runner(name)
        for seed in itertools.count() if given.seed is None else [given.seed]:
            run.run(seed)
            if run.calls >= given.calls / len(chosen):
                break
        runs.append(run)
        print(run, *run.findings[:20], sep="\n    ", flush=True)
    return min(sum(len(run.findings) for run in runs), 1)


if __name__ == "__main__":
    sys.exit(main())
