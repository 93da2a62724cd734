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
    compare_reordered,
    function_of,
    is_number,
    measure,
    measures,
    on_devices,
    prepare_batch,
    register,
    reordered_products,
)

__all__ = [
    "EngineMeasure",
    "Found",
    "Gradients",
    "Kind",
    "Measure",
    "compare",
    "compare_reordered",
    "function_of",
    "is_number",
    "measure",
    "measures",
    "on_devices",
    "prepare_batch",
    "register",
    "reordered_products",
    "score_error",
]
