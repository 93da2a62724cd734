"""What has no kernels, or is too large for them: arrays on a device, computed on the CPU."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import simulated

import likewise as lw
from likewise._border import device as _device
from likewise.maps.networks import Network, average_networks, match_network

pytestmark = pytest.mark.simulator


def rectified(shape, seed=0):
    return np.maximum(np.random.default_rng(seed).standard_normal(shape), 0)


X, Y = np.random.default_rng(9).standard_normal((2, 30, 5))
PRECISION = np.cov(X.T)
RDMS = np.random.default_rng(2).random((4, 28))


def rsa(comparison):
    return lambda x, y: lw.rsa(x, y, dissimilarity="sqeuclidean", comparison=comparison)


def rdm(dissimilarity):
    return lambda x, precision: lw.rdm(x, dissimilarity=dissimilarity, precision=precision)


def streamed(x, y):
    stream = lw.scale.UnitAccumulator("mutual_information")
    for _ in range(2):
        simulated.cpu(type(stream).update)(stream, x, y)
    return simulated.cpu(type(stream).compute)(stream)


def ridge(x, y):
    fitted = lw.maps.Ridge().fit(x, y)
    assert fitted.score(x, y) <= fitted.correlation_score(x, y) + 1e-9
    return fitted.predict(x)


def networks(x, y):
    return (Network.sequential([side, side], [side[0]] * 2, [side]) for side in (x, y))


def matched(x, y):
    found = match_network(*networks(x, y))
    return [found.layers["layer1"].weight, *found.activations["hidden0"]]


def averaged(x, y):
    mean = average_networks(*networks(x, y), share=0.3)
    return [mean["layer1"].weight, mean["layer0"].vectors["bias"]]


# The name in the warning, the function and its arrays.
CASES = {
    "tau-a": ("rsa", rsa("tau-a"), X[None], Y),
    "bures": ("rsa", rsa("bures"), X, Y),
    "neg_riem_dist": ("rsa", rsa("neg_riem_dist"), X[:6], rectified((6, 9))),
    "rdms": ("compare_rdms", lambda p, q: lw.compare_rdms(p, q, comparison="tau-b"), RDMS, RDMS[0]),
    "mahalanobis": ("rdm", rdm("mahalanobis"), X, PRECISION),
    "crossnobis": ("rdm", rdm("crossnobis"), X.reshape(3, 10, 5).astype(np.float32), PRECISION),
    "grid": ("pairwise", lambda x, y: lw.pairwise([x, y], "rsa", comparison="kendall"), X, Y),
    "draws": (
        "permutation_test",
        lambda x, y: lw.permutation_test(x, y, "rsa", n=3, comparison="tau-a")[::2],
        X,
        Y,
    ),
    "noise": ("noise_ceiling", lw.noise_ceiling, rectified((3, 8, 5))),
    "subjects": ("rsa_noise_ceiling", lw.rsa_noise_ceiling, RDMS),
    "information": (
        "unit_similarity",
        lambda x, y: lw.unit_similarity(x, y, similarity="mutual_information"),
        X,
        Y,
    ),
    "stream": ("UnitAccumulator", streamed, X, Y),
    "partners": ("match_units", lambda s: lw.match_units(s)[:4], RDMS[:, :4]),
    "statistics": ("unit_statistics", lw.unit_statistics, X),
    "groups": (
        "cluster_units",
        lambda x, y: lw.cluster_units(x, y, 3, method="hierarchical"),
        X,
        Y,
    ),
    "map": ("Ridge", ridge, X, Y),
    "folds": (
        "cross_validate",
        lambda x, y: lw.maps.cross_validate(lw.maps.Orthogonal(), x, y, cv=2, control="rotate")[0],
        X,
        Y,
    ),
    "networks": ("match_network", matched, X[:5], Y[:5]),
    "average": ("average_networks", averaged, X[:5], Y[:5]),
}


MASSES = np.arange(1.0, 6)
COST = np.random.default_rng(6).standard_normal((2, 5, 8))
LARGE = {  # sides above the limits of kernels, which are 4 here; and what these do not take
    "linear_sum_assignment": ("linear_sum_assignment", lw.linear_sum_assignment, COST),
    "assignment": ("assignment", lambda c: lw.assignment(c)[:3], COST),
    "permutation_match": ("permutation_match", lw.permutation_match, X, Y),
    "matchings": ("cross", lambda x, y: lw.cross([x], [y, x], "permutation_match"), X, Y),
    "transport": ("optimal_transport", lambda c: lw.optimal_transport(c, return_duals=True), COST),
    "masses": ("optimal_transport", lw.optimal_transport, COST, MASSES),
    "soft_match": ("soft_match", lw.soft_match, X, Y),
    "part of the mass": ("soft_match", lambda x, y: lw.soft_match(x, y, mass=0.5), X, Y),
    "soft matchings": ("pairwise", lambda x, y: lw.pairwise([x, y], "soft_match"), X, Y),
}


@pytest.mark.parametrize("case", [*CASES, *LARGE])
def test_the_cpu_computes_and_says_so_once(case, monkeypatch):
    name, function, *arrays = (CASES | LARGE)[case]
    for limit in ("most_assigned", "most_transported"):
        monkeypatch.setattr(simulated.module, limit, 4 if case in LARGE else 4096)
    if name in ("Ridge", "cross_validate"):
        pytest.importorskip("sklearn")
    if name == "cluster_units" or function is CASES["neg_riem_dist"][1]:
        pytest.importorskip("scipy")
    monkeypatch.setattr(_device, "_told", set())
    there = [simulated.array(array) for array in arrays]
    with pytest.warns(lw.DeviceWarning, match=rf"^{name}: .*; computed on the CPU$"):
        found = function(*there)
    with warnings.catch_warnings():
        warnings.simplefilter("error", lw.DeviceWarning)
        function(*there)
    expected = function(*arrays)
    parts, wanted = ((r if isinstance(r, (tuple, list)) else [r]) for r in (found, expected))
    for part, value in zip(parts, wanted, strict=True):
        if isinstance(part, float):  # numbers are numbers
            assert part == value
        else:
            np.testing.assert_array_equal(simulated.numpy(part), value)


def test_what_is_not_finite_is_named():
    x = X.copy()
    x[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"^unit_statistics: x must be finite, .* \(3, 2\)"):
        lw.unit_statistics(simulated.array(x))


def test_measures_without_a_version_compare_items_of_the_host(monkeypatch):
    monkeypatch.setattr(_device, "_told", set())
    pairwise = simulated.cpu(lw.pairwise)
    with pytest.warns(lw.DeviceWarning, match=r"^pairwise: .*; computed on the CPU$"):
        found = pairwise([X, Y], "rsa", comparison="tau-a", device=0)
    np.testing.assert_array_equal(found, pairwise([X, Y], "rsa", comparison="tau-a"))


def test_networks_in_two_places_are_refused():
    first = Network.sequential([X, X], [X[0], X[0]], [X])
    x, bias = simulated.array(X), simulated.array(X[0])
    second = Network.sequential([x, x], [bias, bias], [x])
    for function in (match_network, average_networks):
        with pytest.raises(lw.InputTypeError, match="all arrays must be of one library and device"):
            function(first, second)
