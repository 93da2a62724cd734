"""CKA from means over batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise._border.pairs import Items
from likewise._border.types import AnyItems
from likewise.errors import quiet
from likewise.grid import labelled
from likewise.kernels import HSIC
from likewise.measure.frames import LEAST_UNIT
from likewise.scale._sums import Sums

__all__ = ["MinibatchCKA"]


class MinibatchCKA(Sums):
    """CKA from the mean over batches of unbiased HSIC (Nguyen, Raghu & Kornblith 2021).

    ``sum_b HSIC_b(x, y) / sqrt(sum_b HSIC_b(x, x) sum_b HSIC_b(y, y))``. Not the CKA of all
    samples: an estimate of the population's from pairs of samples within batches only, which
    depends on how samples are batched; for kernels that no sums over samples determine, or to agree
    with others' numbers. With the linear kernel, ``Accumulator("cka", estimator="unbiased")`` is
    exact.

    Parameters
    ----------
    kernel, bandwidth, degree, coef0, gamma
        As in :func:`likewise.cka`; a median bandwidth is that of each batch.
    """

    def __init__(self, kernel: str = "linear", **options: Any) -> None:
        self.hsic: HSIC = HSIC(kernel, "unbiased", **options)  # type: ignore[arg-type]
        self._has_units = kernel == "linear"  # HSIC grows with the squares of each side
        super().__init__()

    def _settings(self) -> Any:
        return self.hsic

    def _shapes(self, widths: Sequence[Sequence[int]]) -> dict[str, tuple[int, ...]]:
        sides = dict(zip("ab", map(len, widths), strict=False))
        shapes: dict[str, tuple[int, ...]] = {"batches": ()}
        shapes["hsic"] = sides["a"], sides.get("b", sides["a"])
        if "b" in sides:
            shapes |= {f"hsic_{side}": (count,) for side, count in sides.items()}
        if self._has_units:
            shapes |= {f"unit_{side}": (count,) for side, count in sides.items()}
        return shapes

    def update(
        self, items_a: AnyItems, items_b: AnyItems | None = None, *, check_finite: bool = True
    ) -> None:
        """Add a batch of at least 4 samples; items as :func:`likewise.pairwise` takes them."""
        a, b = self._read(items_a, items_b, check_finite)
        if a.arrays[0].shape[0] < 4:
            raise ValueError(
                "MinibatchCKA.update: unbiased HSIC needs batches of at least 4 samples, got "
                f"{a.arrays[0].shape[0]}"
            )
        sides = {"a": a} if b is None else {"a": a, "b": b}
        sums, library = self._host(), a.library
        in_units = self._in_units(sides, sums)
        products = self.hsic.scores(library, *in_units)  # all is finite
        with quiet():
            alone = [
                [self.hsic.scores(library, [item], None) for item in side]
                for side in (in_units if b is not None else ())
            ]
        self._begin(a, b)
        found = {"batches": np.array(1.0), "hsic": library.host(products)}
        for name, side in zip("ab", alone, strict=False):
            own = [library.host(score)[0, 0] for score in side]
            found[f"hsic_{name}"] = np.array(own)
        added = {name: sums.get(name, 0) + array for name, array in found.items()}
        self._store(sums | added, library)

    def _in_units(self, sides: Mapping[str, Items], sums: dict[str, Array]) -> list[Any]:
        """The items of two sides, None for no second one, in powers of two above all that they have
        shown; so are the sums then."""
        arrays, ratios = {side: items.arrays for side, items in sides.items()}, {}
        library = sides["a"].library
        for side, items in arrays.items() if self._has_units else ():
            before = sums.get(f"unit_{side}", np.full(len(items), LEAST_UNIT))
            unit = library.sent(before.copy())
            ratio = library.empty(before.shape, np.float64)
            zeros = library.zeros((sum(item.shape[1] for item in items),), np.float64)
            library.engine.grow_units(items, zeros, unit, ratio, library.run)
            outs = [library.empty(item.shape, item.dtype) for item in items]
            library.engine.divide_by_units(items, unit, outs, library.run)
            arrays[side], ratios[side] = outs, library.host(ratio)
            sums[f"unit_{side}"] = library.host(unit)
        _rescale(sums, ratios)
        return [arrays["a"], arrays.get("b")]

    def _combined(self, own: dict[str, Array], theirs: dict[str, Array]) -> dict[str, Array]:
        if self._has_units:
            names = [name for name in own if name.startswith("unit_")]
            units = {name: np.maximum(own[name], theirs[name]) for name in names}
            for sums in (own, theirs):
                _rescale(sums, {name[-1]: sums[name] / units[name] for name in names})
                sums |= units
        return {
            name: array if name.startswith("unit_") else array + theirs[name]
            for name, array in own.items()
        }

    def compute(self) -> Any:
        """Scores ``(m_a, m_b)``, a Grid for labelled items.

        NaN where no HSIC is positive, and for what was constant over a batch, as its HSIC is.
        """
        scores, a, b = self._computed(self._ratios)
        return labelled(scores, a, b, self.hsic, "minibatch_cka")

    def _ratios(self, sums: dict[str, Array]) -> Array:
        products = sums["hsic"]
        own = [np.diag(products)] * 2 if "hsic_a" not in sums else [sums["hsic_a"], sums["hsic_b"]]
        roots = [np.sqrt(np.where(norms > 0, norms, np.nan)) for norms in own]
        return np.asarray(products / np.outer(*roots))

    def compute_hsic(self) -> Any:
        """The mean over batches of unbiased HSIC, ``(m_a, m_b)``, a Grid for labelled items.

        Of the population's HSIC it is as unbiased as the HSIC of all samples (Song et al. 2012),
        and noisier: it sees no pairs of samples of two batches.
        """
        means, a, b = self._computed(self._means)
        return labelled(means, a, b, self.hsic, "minibatch_hsic")

    def _means(self, sums: dict[str, Array]) -> Array:
        means = np.asarray(sums["hsic"] / sums["batches"])
        if not self._has_units:
            return means
        with np.errstate(over="ignore"):
            in_data = means * np.outer(sums["unit_a"], sums.get("unit_b", sums["unit_a"])) ** 2
        self.hsic._warn_overflow(int((np.isinf(in_data) & np.isfinite(means)).sum()))
        return np.asarray(in_data)


def _rescale(sums: dict[str, Array], ratios: Mapping[str, Array]) -> None:
    """Sums in units that have grown by these ratios."""
    if "hsic" not in sums or not ratios:
        return
    sums["hsic"] = sums["hsic"] * np.outer(ratios["a"], ratios.get("b", ratios["a"])) ** 2
    for side, ratio in ratios.items():
        if f"hsic_{side}" in sums:
            sums[f"hsic_{side}"] = sums[f"hsic_{side}"] * ratio**4
