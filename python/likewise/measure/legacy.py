"""Adapter of measures that are still written twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from likewise import _cpu
from likewise._border.pairs import Pair
from likewise.measure.base import Measure


class LegacyMeasure(Measure):
    @property
    def on_devices(self) -> bool:
        return hasattr(self, "on_device") and bool(getattr(self, "has_cuda", True))

    def scores(self: Any, library: Any, a: Sequence[Any], b: Sequence[Any] | None) -> Any:
        if library.engine is _cpu:
            other = None if b is None else self.prepare(b)
            return self.compare(self.prepare(a), other)
        if b is not None and not (a and b):
            library.finish()
            return library.empty((len(a), len(b)), np.float64)
        if not self.on_devices:
            return library.compare_on_cpu(self, a, b)
        return self.on_device(library, list(a), None if b is None else list(b))

    def pairs(self, pair: Pair) -> Any:
        library = pair.library
        found = self(library.give(pair.x), library.give(pair.y), check_finite=False)
        return np.asarray(found) if library.engine is _cpu else library.view("scores", found)

    def pairs_and_gradients(self: Any, pair: Pair, by_x: Any, by_y: Any) -> Any:
        if pair.library.engine is _cpu:
            scores = np.empty(pair.batch)
            self._fill_gradients(pair, scores, by_x, by_y)
            return scores
        self._fill_gradients_on_device(pair, by_x, by_y)
        return self.pairs(pair)
