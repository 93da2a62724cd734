"""What a measure is, the registry of measures, and what measures share."""

from likewise.measure.base import (
    EngineMeasure,
    Found,
    Gradients,
    Kind,
    Measure,
    score_error,
)
from likewise.measure.registry import (
    MeasureLike,
    function_of,
    is_number,
    measure,
    measures,
    register,
)

__all__ = [
    "EngineMeasure",
    "Found",
    "Gradients",
    "Kind",
    "Measure",
    "MeasureLike",
    "function_of",
    "is_number",
    "measure",
    "measures",
    "register",
    "score_error",
]
