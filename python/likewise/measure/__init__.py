"""What a measure is, the registry of measures, and what measures share."""

from likewise.measure.registry import (
    Kind,
    Measure,
    compare,
    compare_reordered,
    is_number,
    measure,
    measures,
    on_devices,
    prepare_batch,
    register,
    reordered_products,
    score_error,
)

__all__ = [
    "Kind",
    "Measure",
    "compare",
    "compare_reordered",
    "is_number",
    "measure",
    "measures",
    "on_devices",
    "prepare_batch",
    "register",
    "reordered_products",
    "score_error",
]
