"""Procrustes distance and the generalised shape distances around it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from likewise._border.arrays import NUMPY, Array
from likewise._border.pairs import Pair, read_pair
from likewise._border.types import AnyArray, score_function
from likewise.linalg import nuclear_norm
from likewise.measure import EngineMeasure, Found, Kind, is_number, register
from likewise.measure.moments import (
    Moments,
    directions_at_most,
    principal_axes,
    whitening,
)

__all__ = ["Procrustes", "ShapeDistance", "procrustes", "shape_distance"]

Score = Literal["angular", "euclidean", "similarity"]

_CLOSE = 2  # in counts: pairs for whose angles float32 has no digits


@dataclass(frozen=True)
class _ShapeMeasure(EngineMeasure):
    """What the shape measures share."""

    name: ClassVar[str]
    streamable: ClassVar[bool]
    differentiable: ClassVar[bool] = True
    flexible: ClassVar[bool] = True
    kinds: ClassVar[int] = 3

    center: bool = True
    scale: bool = True
    score: Score = "angular"

    def __post_init__(self) -> None:
        if self.score not in ("angular", "euclidean", "similarity"):
            raise ValueError(
                f"{self.name}: score must be one of ['angular', 'euclidean', 'similarity'], "
                f"got {self.score!r}"
            )

    @property
    def kind(self) -> Kind:
        return "similarity" if self.score == "similarity" else "distance"

    @property
    def range(self) -> tuple[float, float]:
        if self.score == "similarity":
            return 0.0, 1.0
        if self.score == "angular":
            return 0.0, math.pi / 2
        return 0.0, math.sqrt(2) if self.scale else math.inf

    @property
    def is_metric(self) -> bool:
        return self.score != "similarity"

    @property
    def _alpha(self) -> float:
        return 1.0

    @property
    def invariances(self) -> frozenset[str]:
        held = {"orthogonal", "permutation"}
        if self.center:
            held.add("translation")
        scale_free = self._alpha in (0.0, 1.0) and (self.scale or self.score != "euclidean")
        if scale_free:
            held.add("isotropic_scaling")
        if self._alpha == 0.0 and scale_free:
            held.add("invertible")
        return frozenset(held)

    def fill_scores(self, library: Any, a: list[Any], b: list[Any], *out: Any) -> Any:
        sides = ([self._wide(library, item) for item in side] for side in (a, b))
        return library.engine.procrustes_scores(*sides, *out, self._options(), library.run)

    def fill_pairs(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        x, y = self._wide(library, x), self._wide(library, y)
        return library.engine.procrustes_pairs(x, y, *out, self._options(), library.run)

    def fill_gradients(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        return library.engine.procrustes_gradients(x, y, *out, self._options(), library.run)

    def reordered(self, library: Any, x: Any, y: Any, orders: Array) -> Any:
        x, y = self._wide(library, x), self._wide(library, y)
        return self.in_orders(library, "procrustes_reordered", x, y, orders, self._options())

    def dropped(self, found: Found) -> int:
        return int(found.counts[1][~found.constant].sum())

    def is_coarse(self, counts: Array) -> bool:
        return bool(counts[_CLOSE].any())

    def _read(self, x: Any, y: Any, check_finite: bool) -> Pair:
        # The engine meets NaN and infinity on its way; they are looked for only if it did.
        return read_pair(self.name, x, y, check_finite=check_finite, look=False)

    def from_moments(self, moments: Sequence[Moments]) -> Array:
        """Nuclear norms of ``W'X'YV``, W and V reshaping the singular values of x and y."""
        (given,) = moments
        m = given if self.center else given.about_zero()
        sides: list[list[tuple[Array, float]]] = []
        dropped = 0
        for side, items in enumerate((m.rows(), m.columns())):
            if side == 1 and items is m.rows():
                sides.append(sides[0])
                break
            grams = [
                item.gram if self.center else m.raw(side, k)[1] for k, item in enumerate(items)
            ]
            sides.append(
                [self._reshaped(gram, m.samples, m.unit(side, k)) for k, gram in enumerate(grams)]
            )
            if self._alpha < 1:
                dropped += sum(
                    directions_at_most(gram, m.samples, self.center) - shape.shape[1]
                    for gram, (shape, norm) in zip(grams, sides[side], strict=True)
                    if norm > 0
                )
        scores = np.full((len(sides[0]), len(sides[1])), np.nan)
        for (i, (left, norm_x)), (j, (right, norm_y)) in itertools.product(*map(enumerate, sides)):
            if norm_x > 0 and norm_y > 0:
                product = m.cross(i, j) if self.center else m.uncentred(i, j)
                common = float(nuclear_norm(left.T @ product @ right))
                scores[i, j] = self._score_of(min(common, 1.0), norm_x, norm_y)
        given.warn(self.name, dropped=dropped)
        return scores

    def _wide(self, library: Any, x: Any) -> Any:
        """In float64 where x is whitened: angles of whitened items are small more often."""
        return x if self._alpha == 1 else library.cast(x, np.dtype(np.float64))

    def _reshaped(self, gram: Array, samples: int, unit: float) -> tuple[Array, float]:
        """W such that ``XW`` has unit norm, up to a rotation, for the Gram matrix of ``X / unit``;
        and the norm of X."""
        norm = math.sqrt(max(np.trace(gram), 0))
        if norm == 0:
            return gram, norm
        if self._alpha == 1:
            return np.eye(len(gram)) / norm, norm * unit
        shape = whitening(gram, samples)
        if self._alpha > 0:
            squares, shape = principal_axes(gram, shape)
            reshaped = self._alpha * np.sqrt(squares) + (1 - self._alpha) / unit
            shape = shape * (reshaped / reshaped.max())  # squares may overflow
        return shape / math.sqrt((shape * (gram @ shape)).sum()), norm * unit

    def _score_of(self, similarity: float, norm_x: float, norm_y: float) -> float:
        """That of ``procrustes_score`` in ``csrc/procrustes/gap.cpp``."""
        if self.score == "similarity":
            return similarity
        apart = math.sqrt(2 - 2 * similarity)
        if self.score == "angular":
            return 2 * math.asin(apart / 2)
        if self.scale:
            return apart
        return math.hypot(norm_x - norm_y, math.sqrt(norm_x) * math.sqrt(norm_y) * apart)

    def _options(self) -> tuple[bool, bool, float, str]:
        return bool(self.center), bool(self.scale), self._alpha, self.score


@register
class Procrustes(_ShapeMeasure):
    """Procrustes distance; see :func:`procrustes`."""

    name: ClassVar[str] = "procrustes"
    streamable: ClassVar[bool] = True


@register
@dataclass(frozen=True)
class ShapeDistance(_ShapeMeasure):
    """Generalised shape distance; see :func:`shape_distance`."""

    name: ClassVar[str] = "shape_distance"
    streamable: ClassVar[bool] = True

    alpha: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (is_number(self.alpha) and 0 <= self.alpha <= 1):
            raise ValueError(f"{self.name}: alpha must be between 0 and 1, got {self.alpha!r}")

    @property
    def _alpha(self) -> float:
        return float(self.alpha)


_PROCRUSTES = Procrustes()
_AT_ONCE = {
    score: NUMPY.engine.procrustes_at_once(Procrustes(score=score)._options())
    for score in get_args(Score)
}


@score_function
def procrustes(
    x: AnyArray[Any],
    y: AnyArray[Any],
    *,
    center: bool = True,
    scale: bool = True,
    score: Score = "angular",
    check_finite: bool = True,
) -> Any:
    """Procrustes distance: how far apart two representations stay after the best rotation.

    With ``X`` and ``Y`` centred and of unit Frobenius norm, ``s = |X'Y|_*`` (nuclear norm), the
    narrower one padded by zeros::

        angular     arccos(s)             in [0, pi/2] radians
        euclidean   min_Q |X Q - Y|_F = sqrt(2 - 2 s)   in [0, sqrt(2)]
        similarity  s                     in [0, 1], 1 = congruent

    ``scale=False`` leaves the norms as they are; ``euclidean`` is then
    ``sqrt(|X|^2 + |Y|^2 - 2 |X'Y|_*)``, netrep's distance, and the other two do not change.
    Near identity nothing is an ``arccos`` of almost 1 whose digits are gone: an angle has a
    relative error of at most 1e-6 or an absolute one of at most 1e-9 (float32: 1e-3 and 3e-5),
    whichever is larger. Pairs with ``1 - s`` below 1e-9 are computed from the aligned difference
    ``X Q - Y``, float32 ones below 4e-4 in float64. On a CUDA device directions below 1e-7 of the
    norm of X may stay unaligned and add up to twice their length.

    Parameters
    ----------
    x, y
        Representations ``(..., n_samples, dx)`` and ``(..., n_samples, dy)``; rows are the same
        stimuli. Leading axes are a batch and broadcast.
    center
        Subtract the mean of every unit.
    scale
        Divide by the Frobenius norm.
    score
        What to return, see above.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    Scores ``(...)`` in the library of the inputs. NaN for a constant representation.

    Torch tensors that require grad get gradients in closed form: with ``X'Y = U S V'`` of the
    unit-norm items ``ds/dX = Y V U' - s X`` before the norm is taken (Procrustes only; see
    :func:`shape_distance`). 0 where the distance is 0, NaN where the score is.

    Raises
    ------
    ValueError
        For an unknown score, shapes that do not match, fewer than 2 samples, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).
    ConvergenceError
        If an SVD does not converge; names the items of the batch.

    References
    ----------
    Williams, Kunz, Kornblith & Linderman, "Generalized shape metrics on neural representations",
    NeurIPS 2021.
    """
    # What torch compiles may not meet the engine on its way.
    if type(x) is np.ndarray and center and scale and type(score) is str and score in _AT_ONCE:
        found = _AT_ONCE[score](x, y)
        if found is not None:
            return found
    plain = center and scale and score == "angular"
    measure = _PROCRUSTES if plain else Procrustes(center=center, scale=scale, score=score)
    return measure(x, y, check_finite=check_finite)


@score_function
def shape_distance(
    x: AnyArray[Any],
    y: AnyArray[Any],
    *,
    alpha: float = 1.0,
    center: bool = True,
    scale: bool = True,
    score: Score = "angular",
    check_finite: bool = True,
) -> Any:
    """Shape distance between Procrustes (``alpha=1``) and CCA (``alpha=0``).

    Each representation is centred and partially whitened,
    ``X (alpha I + (1 - alpha) (X'X)^(-1/2))``, rescaled to the norm that it had (as netrep does),
    and then compared as in :func:`procrustes`. For ``alpha < 1`` it is decided as in :func:`cca`
    which directions there are, on units scaled to unit norm; a :class:`DegenerateWarning` says how
    many were dropped. For ``0 < alpha < 1`` the score depends on the scale of the data, by this
    definition.

    Parameters, returned scores and errors are those of :func:`procrustes`; ``alpha`` is in
    ``[0, 1]``. Gradients of torch tensors go through the whitening too, along the directions that
    there are.

    References
    ----------
    Williams, Kunz, Kornblith & Linderman, "Generalized shape metrics on neural representations",
    NeurIPS 2021.
    """
    measure = ShapeDistance(center=center, scale=scale, score=score, alpha=alpha)
    return measure(x, y, check_finite=check_finite)
