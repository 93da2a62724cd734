"""Neural collapse: how far classes have become points, and the classifier their means."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from likewise._border.arrays import Array, detached, on_host, read
from likewise._border.pairs import require_representation
from likewise._border.types import AnyArray
from likewise.errors import DegenerateWarning, InputTypeError, SmallSampleWarning, warn

__all__ = ["NeuralCollapse", "neural_collapse"]


class NeuralCollapse(NamedTuple):
    """Four signs of neural collapse; 0 is complete collapse in all of them.

    Attributes
    ----------
    nc1
        Variability within classes against that between them, in [0, inf).
    nc2_norms
        Standard deviation over mean of the distances of class means from their centre, >= 0.
    nc2_angles
        Mean distance of the cosines between class means from those of a simplex, in [0, 2].
    nc3
        Distance of the classifier from the class means, both scaled to norm 1, in [0, 2].
    nc4
        Share of samples that the classifier gives another class than the nearest class mean does.
    """

    nc1: float
    nc2_norms: float
    nc2_angles: float
    nc3: float
    nc4: float


def neural_collapse(
    features: AnyArray[Any],
    labels: Any,
    weight: AnyArray[Any] | None = None,
    bias: AnyArray[Any] | None = None,
    *,
    check_finite: bool = True,
) -> NeuralCollapse:
    """Neural collapse of a recorded layer (Papyan, Han & Donoho 2020), on CPUs, in float64.

    With the mean ``mu_c`` of every class, ``mu_G`` the mean of these C means, the rows
    ``mu_c - mu_G`` in ``M (C, d)``, ``Sigma_W`` the covariance of samples around the means of their
    classes and ``Sigma_B = M'M / C``:

    - NC1 ``= tr(Sigma_W pinv(Sigma_B)) / C``. From the singular vectors of M, whose rank is at most
      C - 1, so that ``n < d`` and wide layers are no special case. Only variability in the span of
      M counts.
    - NC2 ``= std_c |M_c| / mean_c |M_c|`` and ``mean_(c != c') |cos(M_c, M_c') + 1/(C - 1)|``. Both
      are 0 for any two classes.
    - NC3 ``= | W/|W| - M/|M| |`` in Frobenius norms.
    - NC4 = share of samples where ``argmax_c (W h + b)_c`` and ``argmin_c |h - mu_c|`` differ.

    The paper looks at the training set and the layer before the classifier; any layer and data set
    can be given.

    Parameters
    ----------
    features
        ``(n, d)``; feature maps and sequences go through ``lw.reduce`` first.
    labels
        ``(n,)`` integers or strings; with ``weight`` integers, the rows of ``weight``.
    weight, bias
        The classifier, ``(C, d)`` and ``(C,)``, as in torch's ``Linear``, whose own parameters may
        be given.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    Floats. NC3 and NC4 are NaN without ``weight``. Without variance within any class NC1 is 0. If
    all class means are equal, everything is NaN, with a ``DegenerateWarning``. The cosine with a
    class whose mean is the centre counts as 0.

    Raises
    ------
    ValueError
        Fewer than two classes, a class of the classifier without samples, arrays that do not fit
        each other, NaN or infinity.
    InputTypeError
        For labels that are no integers or strings, and inputs that cannot be used as they are.

    Warns
    -----
    SmallSampleWarning
        For classes of one sample: they have no variance, and NC1 is too small.
    """
    name = "neural_collapse"
    arrays: dict[str, Any] = {"features": features}
    if weight is not None:
        arrays["weight"] = detached(weight)
    if bias is not None:
        if weight is None:
            raise ValueError(f"{name}: bias needs the weight of the classifier")
        arrays["bias"] = detached(bias)
    read_arrays, library = read(name, check_finite, **arrays)
    views = dict(zip(arrays, library.on_cpu(read_arrays)[0], strict=True))
    rows = views["features"]
    if rows.ndim != 2:
        raise ValueError(
            f"{name}: features must be 2-D (n_samples, n_features), got shape {rows.shape}; "
            "feature maps and sequences go through lw.reduce first"
        )
    require_representation(name, "features", rows, 2)
    classes, members = _classes(labels, len(rows))
    classifier = views.get("weight")
    offsets = views.get("bias")
    if classifier is not None:
        _require_classifier(classifier, offsets, rows.shape[1], classes)

    counts = np.bincount(members)
    if alone := int(np.count_nonzero(counts == 1)):
        warn(
            f"{name}: {alone} of {len(counts)} classes have one sample: there is no variance "
            "within them, and NC1 is too small",
            SmallSampleWarning,
        )
    # Around their centre, samples keep their digits however far away it is.
    middle = rows.mean(axis=0, dtype=np.float64)
    centred = rows - middle
    means = _class_means(centred, members, counts)
    spread = means - means.mean(axis=0)
    size = max(float(np.abs(rows).max()), float(np.abs(centred).max()))
    values, directions = _span(spread, size)
    if not len(values):
        warn(f"{name}: the means of all classes are equal (everything NaN)", DegenerateWarning)
        return NeuralCollapse(*[math.nan] * 5)
    within = (centred - means[members]) @ directions.T / values
    nc1 = float(np.sum(within * within)) / len(rows)
    norms = np.linalg.norm(spread, axis=1)
    nc3 = nc4 = math.nan
    if classifier is not None:
        double = classifier.astype(np.float64)
        nc3 = _distance_of_directions(double, spread)
        outputs = centred @ double.T + double @ middle
        if offsets is not None:
            outputs += offsets
        nearest = np.argmin(np.sum(means**2, axis=1) - 2 * centred @ means.T, axis=1)
        nc4 = float(np.mean(np.argmax(outputs, axis=1) != nearest))
    return NeuralCollapse(nc1, float(norms.std() / norms.mean()), _angles(spread), nc3, nc4)


def _classes(labels: Any, samples: int) -> tuple[Array, Array]:
    """The labels that occur, in order, and the place among them of every sample's label."""
    name = "neural_collapse"
    array = on_host("neural_collapse", labels)
    if array.dtype.kind not in "iubUS":
        raise InputTypeError(f"{name}: labels must be integers or strings, got dtype {array.dtype}")
    if array.shape != (samples,):
        raise ValueError(
            f"{name}: labels must have shape ({samples},), one for each row of features, got "
            f"{array.shape}"
        )
    classes, members = np.unique(array, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"{name}: labels must hold at least 2 classes, got {len(classes)}")
    return classes, members


def _require_classifier(weight: Array, bias: Array | None, width: int, classes: Array) -> None:
    name = "neural_collapse"
    if weight.ndim != 2 or weight.shape[1] != width:
        raise ValueError(
            f"{name}: weight must have shape (n_classes, {width}), as features have {width} "
            f"columns, got {weight.shape}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"{name}: bias must have shape ({len(weight)},), got {bias.shape}")
    if classes.dtype.kind not in "iub":
        raise InputTypeError(
            f"{name}: with a classifier, labels must be integers, the rows of weight"
        )
    expected = np.arange(len(weight))
    if stray := sorted(set(classes.tolist()) - set(expected.tolist())):
        raise ValueError(
            f"{name}: labels must be between 0 and {len(weight) - 1}, the rows of weight, got "
            f"{stray[0]}"
        )
    if missing := sorted(set(expected.tolist()) - set(classes.tolist())):
        raise ValueError(
            f"{name}: every class of the classifier must have samples, got none of {missing[0]}"
        )


def _class_means(centred: Array, members: Array, counts: Array) -> Array:
    order = np.argsort(members, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sums: Array = np.add.reduceat(centred[order], starts, axis=0)
    return sums / counts[:, None]


def _span(spread: Array, size: float) -> tuple[Array, Array]:
    """Singular values and right singular vectors of the class means, without rounding's.

    ``size``: of the numbers the means were made of, whose rounding errors they carry.
    """
    _, values, directions = np.linalg.svd(spread, full_matrices=False)
    noise = np.finfo(np.float64).eps * max(spread.shape)
    kept = values > noise * max(values[0], size)
    kept[len(spread) - 1 :] = False  # C means around their own mean span C - 1 dimensions
    return values[kept], directions[kept]


def _angles(spread: Array) -> float:
    """How far the cosines between class means are from ``-1 / (C - 1)``, on average."""
    norms = np.linalg.norm(spread, axis=1, keepdims=True)
    units = np.divide(spread, norms, out=np.zeros_like(spread), where=norms > 0)
    cosines = (units @ units.T)[np.triu_indices(len(units), 1)]
    return float(np.mean(np.abs(cosines + 1 / (len(units) - 1))))


def _distance_of_directions(a: Array, b: Array) -> float:
    """Of two matrices that are scaled to norm 1; NaN for a matrix of zeros."""
    length = float(np.linalg.norm(a))
    if length == 0:
        return math.nan
    return float(np.linalg.norm(a / length - b / np.linalg.norm(b)))
