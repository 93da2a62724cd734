"""How alike are two representations, and under which transformation?

Representations are arrays ``(..., n_samples, n_features)``: rows are the same stimuli in both
networks, columns are units, leading axes are a batch. NumPy arrays, torch tensors and anything with
DLPack go in, the same library comes out. Functions that have a CUDA version (see ``likewise.cuda``)
take arrays on a device.
"""

from typing import TYPE_CHECKING, Any

from likewise._border.engine import build_config, num_threads
from likewise.assignment import (
    Assignment,
    Match,
    assignment,
    linear_sum_assignment,
    permutation_match,
    semi_match,
)
from likewise.cca import canonical_correlations, cca, pwcca, svcca
from likewise.errors import (
    ConvergenceError,
    ConvergenceWarning,
    DegenerateWarning,
    DeviceWarning,
    GridEdgeWarning,
    InputTypeError,
    LikewiseWarning,
    OverflowWarning,
    SmallSampleWarning,
)
from likewise.grid import Grid, cross, pairwise
from likewise.linalg import nuclear_norm, orthogonal_procrustes, polar, svdvals
from likewise.measure import Measure, function_of, measure, measures, register
from likewise.procrustes import procrustes, shape_distance
from likewise.rdm import rdm
from likewise.reduce import reduce
from likewise.rsa import compare_rdms, rsa

if TYPE_CHECKING:
    from likewise.ceiling import RSACeiling, noise_ceiling, rsa_noise_ceiling
    from likewise.clusters import UnitClusters, cluster_units
    from likewise.collapse import NeuralCollapse, neural_collapse
    from likewise.inference import Bootstrap, PermutationTest, bootstrap, permutation_test
    from likewise.kernels import cka, hsic
    from likewise.lasso import SparsePrediction, sparse_predictivity
    from likewise.neighbours import cknna, jaccard_knn, mutual_knn
    from likewise.regression import (
        Prediction,
        RidgeErrors,
        linear_predictivity,
        ridge_cv_errors,
    )
    from likewise.transport import SoftMatch, Transport, optimal_transport, soft_match
    from likewise.units import (
        UnitMatching,
        UnitStatistics,
        match_units,
        unit_similarity,
        unit_statistics,
    )

__all__ = [
    "Assignment",
    "Bootstrap",
    "ConvergenceError",
    "ConvergenceWarning",
    "DegenerateWarning",
    "DeviceWarning",
    "Grid",
    "GridEdgeWarning",
    "InputTypeError",
    "LikewiseWarning",
    "Match",
    "Measure",
    "NeuralCollapse",
    "OverflowWarning",
    "PermutationTest",
    "Prediction",
    "RSACeiling",
    "RidgeErrors",
    "SmallSampleWarning",
    "SoftMatch",
    "SparsePrediction",
    "Transport",
    "UnitClusters",
    "UnitMatching",
    "UnitStatistics",
    "assignment",
    "bootstrap",
    "build_config",
    "canonical_correlations",
    "cca",
    "cka",
    "cknna",
    "cluster_units",
    "compare_rdms",
    "cross",
    "hsic",
    "jaccard_knn",
    "linear_predictivity",
    "linear_sum_assignment",
    "match_units",
    "measure",
    "measures",
    "mutual_knn",
    "neural_collapse",
    "noise_ceiling",
    "nuclear_norm",
    "num_threads",
    "optimal_transport",
    "orthogonal_procrustes",
    "pairwise",
    "permutation_match",
    "permutation_test",
    "polar",
    "procrustes",
    "pwcca",
    "rdm",
    "reduce",
    "register",
    "ridge_cv_errors",
    "rsa",
    "rsa_noise_ceiling",
    "semi_match",
    "shape_distance",
    "soft_match",
    "sparse_predictivity",
    "svcca",
    "svdvals",
    "unit_similarity",
    "unit_statistics",
]


# Imported when they are used, which keeps `import likewise` short; maps needs scikit-learn, torch
# needs torch.
_MODULES = ("cuda", "maps", "scale", "studies", "torch", "truncation")
_DEFERRED = {
    name: module
    for module, names in {
        "kernels": ("cka", "hsic"),
        "neighbours": ("cknna", "jaccard_knn", "mutual_knn"),
        "transport": ("SoftMatch", "Transport", "optimal_transport", "soft_match"),
        "ceiling": ("RSACeiling", "noise_ceiling", "rsa_noise_ceiling"),
        "clusters": ("UnitClusters", "cluster_units"),
        "collapse": ("NeuralCollapse", "neural_collapse"),
        "inference": ("Bootstrap", "PermutationTest", "bootstrap", "permutation_test"),
        "lasso": ("SparsePrediction", "sparse_predictivity"),
        "regression": ("Prediction", "RidgeErrors", "linear_predictivity", "ridge_cv_errors"),
        "units": (
            "UnitMatching",
            "UnitStatistics",
            "match_units",
            "unit_similarity",
            "unit_statistics",
        ),
    }.items()
    for name in names
}


def __getattr__(name: str) -> Any:
    import importlib

    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("likewise")
    elif name in _MODULES:
        value = importlib.import_module(f"likewise.{name}")
    elif name in _DEFERRED:
        value = getattr(importlib.import_module(f"likewise.{_DEFERRED[name]}"), name)
    elif name in measures():
        return function_of(name)  # of a measure that was registered from outside
    else:
        raise AttributeError(f"module 'likewise' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES, "__version__"])
