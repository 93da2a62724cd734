"""Types of arguments and results, for editors and type checkers; see :class:`AnyArray`."""

from likewise._border.types import AnyArray, AnyItems, ArrayT, ScoreFunction
from likewise._public import MeasureName

__all__ = ["AnyArray", "AnyItems", "ArrayT", "MeasureName", "ScoreFunction"]


def __dir__() -> list[str]:
    return sorted(__all__)
