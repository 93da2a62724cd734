"""Inputs of the benchmarks, seeded, so that every run and every contestant sees the same arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating]


def representations(kind: str, count: int, n: int, d: int, dtype: DTypeLike) -> list[Array]:
    """`count` representations `(n, d)` of the same stimuli.

    "unrelated": networks that share nothing but the stimuli, whose latents have a power-law
    spectrum (k^-1/2 in amplitude), seen through different random mixings plus noise.
    "near-identical": one network at successive checkpoints, 1 % of noise apart.
    """
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((n, d)) * np.arange(1, d + 1) ** -0.5

    def network() -> Array:
        mixing = rng.standard_normal((d, d)) / np.sqrt(d)
        return latents @ mixing + 0.03 * rng.standard_normal((n, d))

    if kind == "unrelated":
        items = [network() for _ in range(count)]
    elif kind == "near-identical":
        first = network()
        drift = 0.01 * first.std()
        items = [first + drift * rng.standard_normal((n, d)) for _ in range(count)]
    else:
        raise ValueError(f"unknown kind of representations: {kind!r}")
    return [np.ascontiguousarray(item, dtype=dtype) for item in items]


def mixed_widths(count: int, n: int, widths: Sequence[int], dtype: DTypeLike) -> list[Array]:
    """`count` representations of the same stimuli whose widths cycle through `widths`."""
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((n, 64))
    items = []
    for index in range(count):
        width = widths[index % len(widths)]
        item = latents @ rng.standard_normal((64, width)) / 8
        item += 0.25 * rng.standard_normal((n, width))
        items.append(item.astype(dtype))
    return items


def assignment_costs(kind: str, count: int, d: int, dtype: DTypeLike) -> Array:
    """`count` cost matrices `(d, d)`: minus the correlation of the units of two networks.

    "matched": the second network is the first with its units shuffled, plus noise.
    "unrelated": two networks that share 40 stimulus latents.
    "ties": unrelated, correlations rounded to one decimal.
    "checkpoints": unrelated networks, the second of which moves on slowly, so that each problem
    is a small change of the one before.
    """
    rng, network = _networks()
    x, y = network(d), network(d)
    shuffle = rng.permutation(d)
    costs = np.empty((count, d, d))
    for index in range(count):
        if kind == "matched":
            y = x[:, shuffle] + 0.6 * x.std() * rng.standard_normal(x.shape)
        elif kind == "checkpoints":
            y = y + 0.05 * y.std() * rng.standard_normal(x.shape)
        elif kind in ("unrelated", "ties"):
            y = network(d)
        else:
            raise ValueError(f"unknown kind of assignment problem: {kind!r}")
        correlation = _correlations(x, y)
        costs[index] = -np.round(10 * correlation) if kind == "ties" else -correlation
    return costs.astype(dtype)


def transport_costs(kind: str, count: int, dx: int, dy: int, dtype: DTypeLike) -> Array:
    """`count` matrices `(dx, dy)`, 1 minus the correlation of the units of two networks.

    "matched": the first units of the second network are those of the first, shuffled, plus noise.
    "unrelated": two networks that share 40 stimulus latents.
    """
    rng, network = _networks()
    costs = np.empty((count, dx, dy))
    for index in range(count):
        x, y = network(dx), network(dy)
        if kind == "matched":
            y[:, :dx] = x[:, rng.permutation(dx)] + 0.6 * x.std() * rng.standard_normal(x.shape)
        elif kind != "unrelated":
            raise ValueError(f"unknown kind of transport problem: {kind!r}")
        costs[index] = 1 - _correlations(x, y)
    return costs.astype(dtype)


def _networks() -> tuple[np.random.Generator, Callable[[int], Array]]:
    """Noisy units of so many that see 40 latents of the same 1000 stimuli."""
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((1000, 40)) * np.arange(1, 41) ** -0.5
    return (
        rng,
        lambda d: latents @ rng.standard_normal((40, d)) + 0.5 * rng.standard_normal((1000, d)),
    )


def _correlations(x: Array, y: Array) -> Array:
    x, y = ((side - side.mean(axis=0)) / side.std(axis=0) for side in (x, y))
    return x.T @ y / len(x)
