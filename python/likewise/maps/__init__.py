"""Maps from one representation to another, as scikit-learn estimators, and their cross-validation.

Needs scikit-learn: ``pip install likewise[maps]``.
"""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError(
        "likewise.maps needs scikit-learn 1.6 or newer: pip install likewise[maps]"
    ) from error

from likewise.maps.cross_validation import CrossValidation, cross_validate
from likewise.maps.estimators import Lasso, Orthogonal, Permutation, Ridge, SoftPermutation
from likewise.maps.networks import Layer, Network, average_networks, match_network

__all__ = [
    "CrossValidation",
    "Lasso",
    "Layer",
    "Network",
    "Orthogonal",
    "Permutation",
    "Ridge",
    "SoftPermutation",
    "average_networks",
    "cross_validate",
    "match_network",
]


def __dir__() -> list[str]:
    return sorted(__all__)
