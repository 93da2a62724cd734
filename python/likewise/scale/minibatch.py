"""CKA from means over batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np

from likewise import _cpu
from likewise._border.arrays import Array
from likewise._border.pairs import Items
from likewise.grid import labelled
from likewise.kernels import HSIC
from likewise.measure.frames import LEAST_UNIT, power_above
from likewise.scale._sums import Sums, copy_of

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

    def update(self, items_a: Any, items_b: Any = None, *, check_finite: bool = True) -> None:
        """Add a batch of at least 4 samples; items as :func:`likewise.pairwise` takes them."""
        a, b = self._read(items_a, items_b, check_finite)
        if a.arrays[0].shape[0] < 4:
            raise ValueError(
                "MinibatchCKA.update: unbiased HSIC needs batches of at least 4 samples, got "
                f"{a.arrays[0].shape[0]}"
            )
        sides = {"a": a} if b is None else {"a": a, "b": b}
        if a.library.engine is not _cpu:
            self._update_on_device(sides)
            return
        self._begin(a, b)
        prepared = [self.hsic.prepare(arrays) for arrays in self._in_units(sides).values()]
        self._add("batches", np.array(1.0))
        if b is None:
            self._add("hsic", self.hsic.compare(prepared[0], None))
            return
        self._add("hsic", self.hsic.compare(*prepared))
        for name, side in zip("ab", prepared, strict=True):
            alone = [self.hsic.compare([item], None)[0, 0] for item in side]
            self._add(f"hsic_{name}", np.array(alone))

    def _in_units(self, sides: Mapping[str, Items]) -> dict[str, list[Array]]:
        """The items in powers of two above all that they have shown; so are the sums then."""
        arrays, ratios = {side: items.arrays for side, items in sides.items()}, {}
        if not self._has_units:
            return arrays
        for side, items in arrays.items():
            least = np.full(len(items), LEAST_UNIT)
            before = self._sums.get(f"unit_{side}", least)
            unit = np.maximum(before, [power_above(np.abs(item).max()) for item in items])
            ratios[side], self._sums[f"unit_{side}"] = before / unit, unit
            pairs = zip(items, unit, strict=True)
            arrays[side] = [
                np.multiply(item, 1 / of_item, dtype=np.float64).astype(item.dtype)
                for item, of_item in pairs
            ]
        self._rescale(ratios)
        return arrays

    def _rescale(self, ratios: Mapping[str, Array]) -> None:
        """Sums in units that have grown by these ratios."""
        if "hsic" not in self._sums:
            return
        self._sums["hsic"] *= np.outer(ratios["a"], ratios.get("b", ratios["a"])) ** 2
        for side, ratio in ratios.items():
            if f"hsic_{side}" in self._sums:
                self._sums[f"hsic_{side}"] *= ratio**4

    def _update_on_device(self, sides: Mapping[str, Items]) -> None:
        library: Any = sides["a"].library
        arrays, units, ratios = {side: items.arrays for side, items in sides.items()}, {}, {}
        for side, items in arrays.items() if self._has_units else ():
            width, count = sum(item.shape[1] for item in items), len(items)
            unit, ratio = (library.empty((count,), np.float64) for _ in range(2))
            zeros, means = (library.zeros((width,), np.float64) for _ in range(2))
            if f"unit_{side}" in self._sums:
                unit = copy_of(library, self._given(library, f"unit_{side}"))
            else:
                library.engine.begin_frame(items, means, unit, library.run)
            library.engine.grow_units(items, zeros, unit, ratio, library.run)
            arrays[side] = [library.empty(item.shape, item.dtype) for item in items]
            library.engine.divide_by_units(items, unit, arrays[side], library.run)
            units[side], ratios[side] = unit, ratio
        products = self.hsic.on_device(library, arrays["a"], arrays.get("b"))  # all is finite
        a, b = sides["a"], sides.get("b")
        self._begin(a, b)
        self._rescale_on_device(library, ratios)
        self._sums |= {f"unit_{side}": library.give(unit) for side, unit in units.items()}
        library.engine.add_one(self._total(library, "batches", ()), library.run)
        total = self._total(library, "hsic", products.shape)
        library.engine.add(products, total, 0, library.run)
        for side, items in arrays.items() if b is not None else ():
            total = self._total(library, f"hsic_{side}", (len(items),))
            for k, item in enumerate(items):
                own = self.hsic.scores_on_device(library, [item], None)[0]
                library.engine.add(own, total, k, library.run)

    def _rescale_on_device(self, library: Any, ratios: Mapping[str, Any]) -> None:
        if "hsic" not in self._sums or not ratios:
            return
        scale, run = library.engine.scale_products, library.run
        scale(library.given(self._sums["hsic"]), ratios["a"], ratios.get("b", ratios["a"]), run)
        for side, ratio in ratios.items():
            if f"hsic_{side}" in self._sums:
                own = library.given(self._sums[f"hsic_{side}"])
                for _ in range(2):  # squares of both sides
                    scale(own, ratio, None, run)

    def _combine(self, other: Any) -> None:
        theirs = copy(other)
        theirs._sums = other._copies()
        sides = ("a", "b") if "hsic_b" in self._sums else ("a",)
        if self._on_cpu:
            if self._has_units:
                pairs = {s: (self._sums[f"unit_{s}"], theirs._sums[f"unit_{s}"]) for s in sides}
                unit = {side: np.maximum(*pair) for side, pair in pairs.items()}
                self._rescale({side: pair[0] / unit[side] for side, pair in pairs.items()})
                theirs._rescale({side: pair[1] / unit[side] for side, pair in pairs.items()})
                self._sums |= {f"unit_{side}": common for side, common in unit.items()}
            for name in self._sums:
                if not name.startswith("unit_"):
                    self._sums[name] += theirs._sums[name]
            return
        views, library = theirs._views("merge")
        if self._has_units:
            own_ratios, their_ratios = {}, {}
            for side in sides:
                count = views[f"unit_{side}"].shape[0]
                zeros, step = (library.zeros((count,), np.float64) for _ in range(2))
                own = [zeros, library.given(self._sums[f"unit_{side}"])]
                ratios = [library.empty((count,), np.float64) for _ in range(2)]
                library.engine.meet_frames(
                    own, [zeros, views[f"unit_{side}"]], [1] * count, ratios, step, library.run
                )
                own_ratios[side], their_ratios[side] = ratios
            self._rescale_on_device(library, own_ratios)
            theirs._rescale_on_device(library, their_ratios)
        for name, view in views.items():
            if not name.startswith("unit_"):
                library.engine.add(view, library.given(self._sums[name]), 0, library.run)

    def compute(self) -> Any:
        """Scores ``(m_a, m_b)``, a Grid for labelled items.

        NaN where no HSIC is positive, and for what was constant over a batch, as its HSIC is.
        """
        scores, a, b = self._computed(self._ratios, self._ratios_on_device)
        return labelled(scores, a, b, self.hsic, "minibatch_cka")

    def _ratios(self, sums: dict[str, Array]) -> Array:
        products = sums["hsic"]
        own = [np.diag(products)] * 2 if "hsic_a" not in sums else [sums["hsic_a"], sums["hsic_b"]]
        roots = [np.sqrt(np.where(norms > 0, norms, np.nan)) for norms in own]
        return np.asarray(products / np.outer(*roots))

    def _ratios_on_device(self, library: Any, sums: dict[str, Any]) -> Any:
        scores = library.empty(sums["hsic"].shape, np.float64)
        own = [sums[name] for name in ("hsic_a", "hsic_b") if name in sums]
        library.engine.normalise_products(sums["hsic"], own, scores, library.run)
        return scores

    def compute_hsic(self) -> Any:
        """The mean over batches of unbiased HSIC, ``(m_a, m_b)``, a Grid for labelled items.

        Of the population's HSIC it is as unbiased as the HSIC of all samples (Song et al. 2012),
        and noisier: it sees no pairs of samples of two batches.
        """
        means, a, b = self._computed(self._means, self._means_on_device)
        return labelled(means, a, b, self.hsic, "minibatch_hsic")

    def _means(self, sums: dict[str, Array]) -> Array:
        means = np.asarray(sums["hsic"] / sums["batches"])
        if not self._has_units:
            return means
        with np.errstate(over="ignore"):
            in_data = means * np.outer(sums["unit_a"], sums.get("unit_b", sums["unit_a"])) ** 2
        self.hsic._warn_overflow(int((np.isinf(in_data) & np.isfinite(means)).sum()))
        return np.asarray(in_data)

    def _means_on_device(self, library: Any, sums: dict[str, Any]) -> Any:
        means = library.empty(sums["hsic"].shape, np.float64)
        library.engine.divide(sums["hsic"], sums["batches"], means, library.run)
        if self._has_units:
            units = sums["unit_a"], sums.get("unit_b", sums["unit_a"])
            library.engine.scale_products(means, *units, library.run)
            (beyond,) = library.finish(library.infinite(means))
            self.hsic._warn_overflow(int(beyond.sum()))
        return means
