"""The registry of measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias, TypeVar, get_args, get_type_hints

import numpy as np

from likewise._public import PLACES, MeasureName
from likewise.errors import InputTypeError
from likewise.measure.base import Measure

__all__ = [
    "MeasureLike",
    "function_of",
    "is_number",
    "measure",
    "measures",
    "register",
]


def is_number(value: Any) -> bool:
    """Whether an option's value is a real number."""
    return isinstance(value, (float, int, np.floating, np.integer)) and not isinstance(value, bool)


M = TypeVar("M", bound=type)
MeasureLike: TypeAlias = MeasureName | Measure | Callable[..., Any]
"""A measure with its default options by its name, with others an object, or its function."""

_registry: dict[str, Callable[..., Measure]] = {}
_OURS = get_args(MeasureName)  # registered when their modules are imported


def register(cls: M) -> M:
    """Add a measure class to the registry under its ``name``."""
    name: str = cls.name  # type: ignore[attr-defined]
    if name in _registry:
        raise ValueError(f"register: a measure named {name!r} exists already")
    _registry[name] = cls
    return cls


def measures() -> tuple[str, ...]:
    """Names of all registered measures."""
    return tuple(sorted({*_registry, *_OURS}))


def measure(name: str | MeasureLike, **options: Any) -> Measure:
    """The measure of that name with these options, for example ``measure("cka", kernel="rbf")``.

    Parameters
    ----------
    name
        One of :func:`measures`, or an id of the similarity-repository naming scheme (
        ``measure/netrep/procrustes-distance=angular``; the part up to the last slash may be left
        out). The public function of a measure stands for its name. A measure object is returned as
        it is.
    options
        The keyword options of the public function of that name.

    Raises
    ------
    ValueError
        For an unknown name or option value, or options beside a measure object.
    TypeError
        For an unknown option.
    InputTypeError
        For anything that is no name, public function or measure.
    """
    if not isinstance(name, str):
        if isinstance(name, Measure):
            if options:
                raise ValueError("measure: options go with a name, not with a measure object")
            return name
        name = _name_of(name)
    name, options = _from_similarity_repository(name, options)
    if name in _OURS:
        import_module(f"likewise.{PLACES[name]}")
    if name not in _registry:
        raise ValueError(
            f"measure: no measure {name!r}, there are {list(measures())}" + _near(name, measures())
        )
    made = _registry[name]
    known: list[str] = [option.name for option in fields(made)] if is_dataclass(made) else []
    for option in options:
        if option not in known:
            raise TypeError(_unknown_option(name, option, known))
    return made(**options)


@cache
def function_of(name: str) -> Callable[..., Any]:
    """The function of two representations that computes a measure, with its options."""

    def function(x: Any, y: Any, *, check_finite: bool = True, **options: Any) -> Any:
        return measure(name, **options)(x, y, check_finite=check_finite)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = _registry[name].__doc__
    return function


def _name_of(function: Any) -> str:
    """The measure that a public function computes."""
    import likewise

    name = getattr(function, "__name__", "")
    if name in measures() and getattr(likewise, name, None) is function:
        return str(name)
    got = name if isinstance(function, type) else f"a {type(function).__name__}"
    raise InputTypeError(
        "measure: a measure must be one of the names in lw.measures(), a public function such as "
        f"lw.cka or a measure object such as lw.measure('cka'), got {got}"
    )


def _unknown_option(name: str, option: str, known: Sequence[str]) -> str:
    hint = _near(option, known)
    for other in known:
        values = get_args(get_type_hints(_registry[name]).get(other))
        if option in values:
            hint = f"; did you mean {other}={option!r}?"
    has = f"its options are {', '.join(known)}" if known else "it has none"
    return f"{name}: no option {option!r}, {has}{hint}"


def _near(name: str, known: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


# Ids of github.com/nacloos/similarity-repository (standardization.py) that name our measures.
_SIMILARITY_REPOSITORY: dict[str, tuple[str, dict[str, Any]]] = {
    "procrustes-score": ("procrustes", {"score": "similarity"}),
    "procrustes-distance=angular": ("procrustes", {"score": "angular"}),
    "procrustes-distance=euclidean": ("procrustes", {"score": "euclidean", "scale": False}),
    "cka-kernel=linear-hsic=gretton-score": ("cka", {"estimator": "biased"}),
    "cka-kernel=linear-hsic=song-score": ("cka", {"estimator": "unbiased"}),
}
_SHAPE_METRIC = r"shape_metric-alpha=([0-9.]+)-distance=(angular|euclidean)"


def _from_similarity_repository(name: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Our name and options for such an id; anything else comes back as it is."""
    import re

    short = name.rpartition("/")[2]
    if short in _SIMILARITY_REPOSITORY:
        own, implied = _SIMILARITY_REPOSITORY[short]
    elif match := re.fullmatch(_SHAPE_METRIC, short):
        own = "shape_distance"
        implied = {"alpha": float(match[1]), "score": match[2], "scale": match[2] == "angular"}
    else:
        return name, options
    return own, implied | options
