"""What a measure is, the registry of measures, and what measures share."""

from likewise.measure.registry import (
    Kind,
    Measure,
    compare_reordered,
    is_number,
    measure,
    measures,
    prepare_batch,
    register,
    reordered_products,
    require_version,
    score_error,
)

__all__ = [
    "Kind",
    "Measure",
    "compare_reordered",
    "is_number",
    "measure",
    "measures",
    "prepare_batch",
    "register",
    "reordered_products",
    "require_version",
    "score_error",
]
