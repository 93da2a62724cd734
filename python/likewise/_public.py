"""What is public and where it is. Made by tools/public_names.py."""

from typing import TYPE_CHECKING, Literal

MeasureName = Literal[
    "cca",
    "cka",
    "cknna",
    "hsic",
    "jaccard_knn",
    "linear_predictivity",
    "mutual_knn",
    "permutation_match",
    "procrustes",
    "pwcca",
    "rsa",
    "semi_match",
    "shape_distance",
    "soft_match",
    "svcca",
]
NAMESPACES = ("cuda", "maps", "scale", "studies", "torch", "truncation", "typing")
PLACES = {
    "Assignment": "assignment",
    "Bootstrap": "inference",
    "ConvergenceError": "errors",
    "ConvergenceWarning": "errors",
    "DegenerateWarning": "errors",
    "DeviceWarning": "errors",
    "Grid": "grid",
    "GridEdgeWarning": "errors",
    "InputTypeError": "errors",
    "LikewiseWarning": "errors",
    "Match": "assignment",
    "Measure": "measure",
    "NeuralCollapse": "collapse",
    "OrthogonalProcrustes": "linalg",
    "OverflowWarning": "errors",
    "PermutationTest": "inference",
    "Polar": "linalg",
    "Prediction": "regression",
    "RSACeiling": "ceiling",
    "RidgeErrors": "regression",
    "SmallSampleWarning": "errors",
    "SoftMatch": "transport",
    "SparsePrediction": "lasso",
    "Transport": "transport",
    "UnitClusters": "clusters",
    "UnitMatching": "units",
    "UnitStatistics": "units",
    "assignment": "assignment",
    "bootstrap": "inference",
    "build_config": "_border.engine",
    "canonical_correlations": "cca",
    "cca": "cca",
    "cka": "kernels",
    "cknna": "neighbours",
    "cluster_units": "clusters",
    "compare_rdms": "rsa",
    "cross": "grid",
    "hsic": "kernels",
    "jaccard_knn": "neighbours",
    "linear_predictivity": "regression",
    "linear_sum_assignment": "assignment",
    "match_units": "units",
    "measure": "measure",
    "measures": "measure",
    "mutual_knn": "neighbours",
    "neural_collapse": "collapse",
    "noise_ceiling": "ceiling",
    "nuclear_norm": "linalg",
    "num_threads": "_border.engine",
    "optimal_transport": "transport",
    "orthogonal_procrustes": "linalg",
    "pairwise": "grid",
    "permutation_match": "assignment",
    "permutation_test": "inference",
    "polar": "linalg",
    "procrustes": "procrustes",
    "pwcca": "cca",
    "rdm": "rdm",
    "reduce": "reduce",
    "register": "measure",
    "ridge_cv_errors": "regression",
    "rsa": "rsa",
    "rsa_noise_ceiling": "ceiling",
    "semi_match": "assignment",
    "shape_distance": "procrustes",
    "soft_match": "transport",
    "sparse_predictivity": "lasso",
    "svcca": "cca",
    "svdvals": "linalg",
    "unit_similarity": "units",
    "unit_statistics": "units",
}
TAKE_ARRAYS = (
    "assignment",
    "bootstrap",
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
    "maps.Lasso",
    "maps.Orthogonal",
    "maps.Permutation",
    "maps.Ridge",
    "maps.SoftPermutation",
    "maps.average_networks",
    "maps.cross_validate",
    "maps.match_network",
    "match_units",
    "mutual_knn",
    "neural_collapse",
    "noise_ceiling",
    "nuclear_norm",
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
    "ridge_cv_errors",
    "rsa",
    "rsa_noise_ceiling",
    "scale.Accumulator",
    "scale.MinibatchCKA",
    "scale.UnitAccumulator",
    "semi_match",
    "shape_distance",
    "soft_match",
    "sparse_predictivity",
    "svcca",
    "svdvals",
    "truncation.adaptedness",
    "truncation.cluster_diameters",
    "unit_similarity",
    "unit_statistics",
)

if TYPE_CHECKING:
    from likewise import cuda as cuda
    from likewise import maps as maps
    from likewise import scale as scale
    from likewise import studies as studies
    from likewise import torch as torch
    from likewise import truncation as truncation
    from likewise import typing as typing
    from likewise._border.engine import build_config as build_config
    from likewise._border.engine import num_threads as num_threads
    from likewise.assignment import Assignment as Assignment
    from likewise.assignment import Match as Match
    from likewise.assignment import assignment as assignment
    from likewise.assignment import linear_sum_assignment as linear_sum_assignment
    from likewise.assignment import permutation_match as permutation_match
    from likewise.assignment import semi_match as semi_match
    from likewise.cca import canonical_correlations as canonical_correlations
    from likewise.cca import cca as cca
    from likewise.cca import pwcca as pwcca
    from likewise.cca import svcca as svcca
    from likewise.ceiling import RSACeiling as RSACeiling
    from likewise.ceiling import noise_ceiling as noise_ceiling
    from likewise.ceiling import rsa_noise_ceiling as rsa_noise_ceiling
    from likewise.clusters import UnitClusters as UnitClusters
    from likewise.clusters import cluster_units as cluster_units
    from likewise.collapse import NeuralCollapse as NeuralCollapse
    from likewise.collapse import neural_collapse as neural_collapse
    from likewise.errors import ConvergenceError as ConvergenceError
    from likewise.errors import ConvergenceWarning as ConvergenceWarning
    from likewise.errors import DegenerateWarning as DegenerateWarning
    from likewise.errors import DeviceWarning as DeviceWarning
    from likewise.errors import GridEdgeWarning as GridEdgeWarning
    from likewise.errors import InputTypeError as InputTypeError
    from likewise.errors import LikewiseWarning as LikewiseWarning
    from likewise.errors import OverflowWarning as OverflowWarning
    from likewise.errors import SmallSampleWarning as SmallSampleWarning
    from likewise.grid import Grid as Grid
    from likewise.grid import cross as cross
    from likewise.grid import pairwise as pairwise
    from likewise.inference import Bootstrap as Bootstrap
    from likewise.inference import PermutationTest as PermutationTest
    from likewise.inference import bootstrap as bootstrap
    from likewise.inference import permutation_test as permutation_test
    from likewise.kernels import cka as cka
    from likewise.kernels import hsic as hsic
    from likewise.lasso import SparsePrediction as SparsePrediction
    from likewise.lasso import sparse_predictivity as sparse_predictivity
    from likewise.linalg import OrthogonalProcrustes as OrthogonalProcrustes
    from likewise.linalg import Polar as Polar
    from likewise.linalg import nuclear_norm as nuclear_norm
    from likewise.linalg import orthogonal_procrustes as orthogonal_procrustes
    from likewise.linalg import polar as polar
    from likewise.linalg import svdvals as svdvals
    from likewise.measure import Measure as Measure
    from likewise.measure import measure as measure
    from likewise.measure import measures as measures
    from likewise.measure import register as register
    from likewise.neighbours import cknna as cknna
    from likewise.neighbours import jaccard_knn as jaccard_knn
    from likewise.neighbours import mutual_knn as mutual_knn
    from likewise.procrustes import procrustes as procrustes
    from likewise.procrustes import shape_distance as shape_distance
    from likewise.rdm import rdm as rdm
    from likewise.reduce import reduce as reduce
    from likewise.regression import Prediction as Prediction
    from likewise.regression import RidgeErrors as RidgeErrors
    from likewise.regression import linear_predictivity as linear_predictivity
    from likewise.regression import ridge_cv_errors as ridge_cv_errors
    from likewise.rsa import compare_rdms as compare_rdms
    from likewise.rsa import rsa as rsa
    from likewise.transport import SoftMatch as SoftMatch
    from likewise.transport import Transport as Transport
    from likewise.transport import optimal_transport as optimal_transport
    from likewise.transport import soft_match as soft_match
    from likewise.units import UnitMatching as UnitMatching
    from likewise.units import UnitStatistics as UnitStatistics
    from likewise.units import match_units as match_units
    from likewise.units import unit_similarity as unit_similarity
    from likewise.units import unit_statistics as unit_statistics
