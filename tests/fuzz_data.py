"""Random representations: shapes, values, sizes, types and layouts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Case(NamedTuple):
    """Two representations, and how they were made."""

    x: Array
    y: Array
    kind: str

    def is_denormal(self) -> bool:
        return any(np.abs(side).max() < np.finfo(side.dtype).tiny for side in (self.x, self.y))


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
    scales = (
        [0, 0, 0, 0, -300, 300, -498, 498, -1060]
        if dtype == np.float64
        else [0, 0, 0, -60, 60, -140]
    )
    scale = 2.0 ** int(rng.choice(scales))
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
