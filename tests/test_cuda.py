"""Arrays in device memory: what is refused, where results are, what waits for what.

Most of it runs on the simulator alone (``pytest --cuda-simulator MODULE``); numbers are compared by
the tests of each topic, which then run there too.
"""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import simulated

import likewise as lw
from likewise import _device, cuda

on_simulator = pytest.mark.skipif(
    "--cuda-simulator" not in " ".join(sys.argv), reason="needs --cuda-simulator"
)
IN_GRIDS = [
    "cca",
    "cka",
    "cknna",
    "jaccard_knn",
    "linear_predictivity",
    "mutual_knn",
    "permutation_match",
    "procrustes",
    "pwcca",
    "rsa",
    "semi_match",
    "soft_match",
    "svcca",
]


def test_functions_with_a_version_are_public():
    assert "assignment" in cuda.functions()
    assert set(cuda.functions()) <= set(lw.__all__)


def test_what_is_missing_is_said(monkeypatch):
    assert cuda.is_available() is (cuda.why_not() == "")
    monkeypatch.setitem(sys.modules, "likewise._cuda", None)
    monkeypatch.setattr(_device, "engine", _device.engine.__wrapped__)  # forgets what it found
    assert not lw.cuda.is_available()
    assert lw.cuda.why_not() == "this build of likewise has no CUDA engine (there was no nvcc)"


@pytest.mark.skipif(not lw.build_config()["cuda"], reason="built without nvcc")
def test_the_engine_without_a_device():
    code = "from likewise import cuda, _cuda; print(_cuda.why_not()); print(cuda.is_available())"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    why, available = run.stdout.splitlines()
    assert "CUDA device" in why
    assert available == "False"


@on_simulator
def test_the_stub_lists_what_the_module_has():
    stub = ast.parse((Path(inspect.getfile(_device)).parent / "_cuda.pyi").read_text())
    listed = {
        node.target.id if isinstance(node, ast.AnnAssign) else node.name
        for node in stub.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AnnAssign)
    }
    extra = {"SimulatedArray", "empty", "fail_allocation", "report", "reset", "stats"}
    found = {name for name in dir(simulated.module) if not name.startswith("__")}
    assert found - extra == listed


def live_bytes():
    return simulated.module.stats()["live_bytes"]


def cost_matrices(shape=(3, 6, 6), dtype=np.float64):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@on_simulator
@pytest.mark.parametrize(
    "dtype", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]
)
@pytest.mark.parametrize("step", [1, 2, -1])
def test_every_type_and_layout_is_read(dtype, step):
    wide = np.random.default_rng(1).integers(0, 2 if dtype == "?" else 90, (4, 5, 14)).astype(dtype)
    cost = wide[:, ::step, ::step].swapaxes(0, 1)
    found = lw.assignment(simulated.array(cost))
    expected = simulated.cpu(lw.assignment)(cost)
    np.testing.assert_array_equal(simulated.numpy(found.cost), expected.cost)


@on_simulator
def test_arrays_of_two_places_are_refused():
    here, there = cost_matrices((4, 4)), simulated.array(cost_matrices((4, 4)))
    for u, v in ((here[0], simulated.array(here[0])), (simulated.array(here[0]), here[0])):
        with pytest.raises(lw.InputTypeError, match="one library and device"):
            simulated.cpu(lw.assignment)(there, duals=(u, v))


@on_simulator
def test_complex_arrays_are_refused():
    with pytest.raises(lw.InputTypeError, match="cost cannot be read: complex"):
        lw.assignment(simulated.array(np.ones((3, 3), complex)))


@on_simulator
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(7, 7), (40, 12), (12, 40), (65, 65)])
def test_decompositions_of_low_rank(shape, dtype):
    rng = np.random.default_rng(6)
    rank = min(shape) // 2
    a = rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1]))
    a = np.stack([a, np.zeros(shape), 1e-30 * np.ones(shape)]).astype(dtype)
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    there = simulated.array(a)
    u, p = map(simulated.numpy, lw.polar(there))
    np.testing.assert_allclose(u @ p, a, rtol=0, atol=tolerance)
    small = u @ u.swapaxes(1, 2) if shape[0] < shape[1] else u.swapaxes(1, 2) @ u
    eye = np.broadcast_to(np.eye(min(shape)), small.shape)
    np.testing.assert_allclose(small, eye, rtol=0, atol=tolerance)
    values = simulated.numpy(lw.svdvals(there))
    exact = np.linalg.svd(a.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(values, exact, rtol=0, atol=tolerance)
    assert (np.diff(values, axis=1) <= 0).all()
    assert (values[1] == 0).all()
    assert values[2, 0] == pytest.approx(exact[2, 0], rel=1e-5)


@on_simulator
def test_what_has_no_decomposition_is_named():
    a = np.ones((3, 5, 4))
    a[1] *= 1e200  # finite, and their products are not
    with pytest.raises(lw.ConvergenceError, match=r"orthogonal_procrustes: .* of item 1 did not"):
        lw.orthogonal_procrustes(simulated.array(a), simulated.array(a))


@on_simulator
def test_a_missing_cublas_is_said():
    code = """
sys.modules["likewise._cuda"].set_library_directories([])
try: lw.nuclear_norm(simulated.array(np.eye(3)))
except RuntimeError as error: print(error)
"""
    said = child(code).stdout
    assert "cuBLAS is not installed (libcublas.so.13" in said
    assert "pip install nvidia-cublas" in said


@on_simulator
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (48, 48), (130, 40), (40, 130)])
def test_nuclear_norms_of_any_spectrum(shape, dtype):
    rng = np.random.default_rng(2)
    u, _, vt = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    k = min(shape)
    spectra = {
        "geometric to 1e-6": np.logspace(0, -6, k),
        "geometric to 1e-16": np.logspace(0, -16, k),
        "low rank": np.arange(k) < max(1, k // 4),
        "one large": np.where(np.arange(k) == 0, 1, 1e-3),
        "all equal": np.ones(k),
    }
    a = np.stack([(u * s) @ vt for s in spectra.values()]).astype(dtype)
    found = simulated.numpy(lw.nuclear_norm(simulated.array(a)))
    assert found.dtype == dtype
    exact = np.linalg.svd(a.astype(np.float64), compute_uv=False).sum(axis=-1)
    tolerance = 2e-6 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(found, exact, rtol=tolerance, atol=0)


@on_simulator
@pytest.mark.parametrize("name", ["permutation_match", "semi_match"])
def test_matching_without_the_look_is_no_number(name):
    x = np.random.default_rng(3).standard_normal((3, 20, 6))
    y = x + 0.1 * np.random.default_rng(4).standard_normal((20, 6))
    x[1, 4, 2] = np.nan
    there = simulated.array(x), simulated.array(y)
    found = getattr(lw, name)(*there, check_finite=False)
    scores = simulated.numpy(found.score)
    assert np.isnan(scores[1])
    assert (simulated.numpy(found.assignment)[1, 2] == -1).all()
    expected = simulated.cpu(getattr(lw, name))(x[::2], y[::2])
    np.testing.assert_allclose(scores[::2], expected.score, rtol=0, atol=1e-13)
    with pytest.raises(ValueError, match=r"x must be finite, .* at index \(1, 4, 2\)"):
        getattr(lw, name)(*there)


@on_simulator
def test_predictions_on_a_device_can_be_shown():
    x, y = (np.random.default_rng(k).standard_normal((20, 3)) for k in range(2))
    found = simulated.cpu(lw.linear_predictivity)(simulated.array(x), simulated.array(y))
    assert repr(found) == "Prediction(array of shape (3,) on a device)"


@on_simulator
def test_grids_of_wide_permutations_go_to_the_cpu(monkeypatch):
    monkeypatch.setattr(simulated.module, "most_assigned", 5)
    monkeypatch.setattr(_device, "_told", set())
    pairwise, cross = simulated.cpu(lw.pairwise), simulated.cpu(lw.cross)
    host = layers()
    there = [simulated.array(item) for item in host]
    with pytest.warns(lw.DeviceWarning, match="pairwise: .* on the CPU"):
        found = simulated.numpy(pairwise(there, "permutation_match"))
    expected = pairwise(host, "permutation_match")
    np.testing.assert_array_equal(found, expected)
    with pytest.warns(lw.DeviceWarning, match="cross: .* on the CPU"):
        found = simulated.numpy(cross(there[1:2], there, "permutation_match"))
    np.testing.assert_allclose(found, expected[1:2], rtol=0, atol=1e-14)
    host[2][5, 1] = np.nan
    with pytest.raises(ValueError, match=r"items\[2\] must be finite, got nan at index \(5, 1\)"):
        pairwise([simulated.array(item) for item in host], "permutation_match")


@on_simulator
def test_wide_permutations_go_to_the_cpu(monkeypatch):
    monkeypatch.setattr(simulated.module, "most_assigned", 5)
    monkeypatch.setattr(_device, "_told", set())
    x, y = np.random.default_rng(3).standard_normal((2, 20, 6))
    with pytest.warns(lw.DeviceWarning, match="permutation_match: .* on the CPU"):
        found = lw.permutation_match(simulated.array(x), simulated.array(y))
    expected = simulated.cpu(lw.permutation_match)(x, y)
    np.testing.assert_array_equal(simulated.numpy(found.assignment), expected.assignment)
    lw.semi_match(simulated.array(x), simulated.array(y))  # has no such limit


@on_simulator
@pytest.mark.parametrize("score", ["similarity", "distance"])
def test_soft_matching_without_the_look_is_no_number(score):
    x, y = np.random.default_rng(3).standard_normal((2, 3, 20, 6))
    x[1, 4, 2] = np.nan
    for there in (y, y[..., :4]):
        found = lw.soft_match(
            simulated.array(x), simulated.array(there), score=score, check_finite=False
        )
        scores, plans = map(simulated.numpy, found)
        assert np.isnan(scores[1])
        assert (plans[1] == 0).all()
        expected = simulated.cpu(lw.soft_match)(x[::2], there[::2], score=score)
        np.testing.assert_allclose(scores[::2], expected.score, rtol=0, atol=1e-13)
        np.testing.assert_allclose(plans[::2], expected.plan, rtol=0, atol=1e-16)
    with pytest.raises(ValueError, match=r"x must be finite, .* at index \(1, 4, 2\)"):
        lw.soft_match(simulated.array(x), simulated.array(y))


@on_simulator
@pytest.mark.parametrize("shape", [(3, 6, 6), (3, 6, 9), (3, 10, 4)])
def test_transports_without_a_solution(shape):
    cost = cost_matrices(shape)
    cost[1, 2] = np.inf
    cost[2, 1, 1] = np.nan
    with pytest.raises(ValueError, match=r"infeasible \(item 1 of the batch\)"):
        lw.optimal_transport(simulated.array(cost))
    found = lw.optimal_transport(simulated.array(cost), return_duals=True, check_finite=False)
    expected = simulated.cpu(lw.optimal_transport)(cost[0], return_duals=True)
    for value in map(simulated.numpy, found):
        assert np.isnan(value[1:]).all()
    np.testing.assert_allclose(simulated.numpy(found.plan)[0], expected.plan, rtol=0, atol=1e-16)
    assert 0 <= simulated.numpy(found.gap)[0] <= 1e-13


@on_simulator
def test_transports_that_no_kernel_solves_go_to_the_cpu(monkeypatch):
    monkeypatch.setattr(_device, "_told", set())
    cost, masses = cost_matrices((2, 5, 8)), np.arange(1.0, 6)
    on_cpu = simulated.cpu(lw.optimal_transport)
    there = simulated.array(cost)
    with pytest.warns(lw.DeviceWarning, match="optimal_transport: masses are given; .* on the CPU"):
        found = lw.optimal_transport(there, simulated.array(masses), return_duals=True)
    for value, expected in zip(found, on_cpu(cost, masses, return_duals=True), strict=True):
        np.testing.assert_array_equal(simulated.numpy(value), expected)
    x, y = np.random.default_rng(3).standard_normal((2, 20, 6))
    with pytest.warns(lw.DeviceWarning, match="soft_match: a part of the mass .* on the CPU"):
        match = lw.soft_match(simulated.array(x), simulated.array(y), mass=0.5)
    expected = simulated.cpu(lw.soft_match)(x, y, mass=0.5)
    assert simulated.numpy(match.score) == expected.score
    np.testing.assert_array_equal(simulated.numpy(match.plan), expected.plan)
    monkeypatch.setattr(simulated.module, "most_transported", 5)
    monkeypatch.setattr(_device, "_told", set())
    with pytest.warns(lw.DeviceWarning, match="more than 5 rows or columns .* on the CPU"):
        plan = lw.optimal_transport(there)
    np.testing.assert_array_equal(simulated.numpy(plan), on_cpu(cost))
    with pytest.warns(lw.DeviceWarning, match="pairwise: .* on the CPU"):
        found = simulated.cpu(lw.pairwise)([simulated.array(x), simulated.array(y)], "soft_match")
    expected = simulated.cpu(lw.pairwise)([x, y], "soft_match")
    np.testing.assert_array_equal(simulated.numpy(found), expected)


@on_simulator
def test_transports_agree_with_the_cpu():
    rng = np.random.default_rng(8)
    for shape in ((3, 12, 30), (3, 50, 20), (2, 25, 40)):
        for dtype in (np.float32, np.float64):
            cost = rng.standard_normal(shape).astype(dtype)
            expected = simulated.cpu(lw.optimal_transport)(cost, return_duals=True)
            found = lw.optimal_transport(simulated.array(cost), return_duals=True)
            plan, u, v, gap = map(simulated.numpy, found)
            assert plan.dtype == dtype
            np.testing.assert_array_equal(plan, expected.plan)  # a unique optimum
            bound = u.mean(axis=-1) + v.mean(axis=-1)
            best = expected.u.mean(axis=-1) + expected.v.mean(axis=-1)
            np.testing.assert_allclose(bound, best, rtol=1e-12, atol=0)
            assert (gap >= 0).all()
            assert (gap <= 1e-13).all()


@on_simulator
def test_nan_without_the_look_stays_nan():
    a = np.stack([np.eye(4), np.eye(4)])
    a[1, 2, 3] = np.nan
    found = simulated.numpy(lw.nuclear_norm(simulated.array(a), check_finite=False))
    assert found[0] == pytest.approx(4, abs=1e-12)
    assert np.isnan(found[1])


@on_simulator
def test_functions_without_a_version_say_so():
    x = simulated.array(cost_matrices((12, 3)))
    with pytest.raises(
        lw.InputTypeError, match=r"bootstrap: x is on a CUDA device, for which bootstrap has no"
    ):
        lw.bootstrap(x, x)

    class OfMine:
        name = "of_mine"
        min_samples = 2

    with pytest.raises(lw.InputTypeError, match=r"pairwise: items are on .* which of_mine has no"):
        simulated.cpu(lw.pairwise)([x, x], OfMine())


@on_simulator
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: simulated.cpu(lw.rsa)(x, x, comparison="tau-a"), "comparison='tau-a'"),
        (lambda x: simulated.cpu(lw.pairwise)([x], "rsa", comparison="bures"), "'bures'"),
        (lambda x: simulated.cpu(lw.rdm)(x, dissimilarity="crossnobis"), "'crossnobis'"),
        (
            lambda x: simulated.cpu(lw.rdm)(
                np.ones((4, 3)), dissimilarity="mahalanobis", precision=x
            ),
            "'mahalanobis'",
        ),
    ],
)
def test_options_without_a_version_say_so(call, message):
    with pytest.raises(lw.InputTypeError, match=f"CUDA device, for which .*{message} has no vers"):
        call(simulated.array(cost_matrices((8, 3))))


def layers(dtype=np.float64):
    rng = np.random.default_rng(3)
    return [rng.standard_normal((90, width)).astype(dtype) for width in (4, 4, 9, 40)]


GRID_MEASURES = {name: name for name in IN_GRIDS} | {
    "rho-a": lw.measure("rsa", dissimilarity="sqeuclidean", comparison="rho-a"),
    "cosine": lw.measure("rsa", dissimilarity="cosine", comparison="cosine"),
    "corr": lw.measure("rsa", dissimilarity="euclidean", comparison="corr"),
    "corr_cov": lw.measure("rsa", comparison="corr_cov"),
}


@on_simulator
@pytest.mark.parametrize("measure", GRID_MEASURES.values(), ids=GRID_MEASURES)
def test_grids_of_device_arrays(measure):
    pairwise, cross = simulated.cpu(lw.pairwise), simulated.cpu(lw.cross)
    host = layers()
    there = [simulated.array(item) for item in host]
    expected = pairwise(host, measure)
    found = simulated.numpy(pairwise(there, measure))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    found = simulated.numpy(cross(there[:1], there, measure))
    np.testing.assert_allclose(found, expected[:1], rtol=0, atol=1e-9)
    grid = pairwise(dict(zip("abcd", there, strict=True)), measure)
    np.testing.assert_allclose(grid["a", "d"], expected[0, 3], rtol=0, atol=1e-12)
    assert simulated.numpy(cross(there[:1], [], measure)).shape == (1, 0)
    assert simulated.numpy(cross([], there, measure)).shape == (0, 4)
    host[2][5, 1] = np.nan
    there[2] = simulated.array(host[2])
    with pytest.raises(ValueError, match=r"items\[2\] must be finite, got nan at index \(5, 1\)"):
        pairwise(there, measure)
    with pytest.raises(ValueError, match=r"items_b\[2\] must be finite"):
        cross([], there, measure)
    unchecked = simulated.numpy(pairwise(there, measure, check_finite=False))
    assert (np.isnan(unchecked).sum(axis=1) == [1, 1, 4, 1]).all()


@on_simulator
def test_collections_of_two_places_are_refused():
    x = cost_matrices((8, 3))
    with pytest.raises(lw.InputTypeError, match="move one of them first"):
        simulated.cpu(lw.cross)([simulated.array(x)], [x])


@on_simulator
@pytest.mark.parametrize("measure", IN_GRIDS)
def test_grids_without_the_look_wait_for_nothing(measure, monkeypatch):
    kept = []  # memory that is given back waits, in this library
    make = simulated.empty
    monkeypatch.setattr(simulated, "empty", lambda *a, **k: kept.append(make(*a, **k)) or kept[-1])
    there = [simulated.array(item) for item in layers()]
    before = simulated.module.stats()["launches"]
    found = simulated.cpu(lw.pairwise)(there, measure, check_finite=False)
    assert simulated.module.stats()["launches"] == before  # streams are lazy
    assert np.isfinite(simulated.numpy(found)).all()


@on_simulator
@pytest.mark.parametrize("name", ["cknna", "jaccard_knn", "mutual_knn"])
def test_neighbours_of_batches_that_repeat(name):
    x = np.random.default_rng(2).standard_normal((3, 1, 40, 4))
    y = x[:2, 0] + 0.5 * np.random.default_rng(3).standard_normal((2, 40, 4))
    y[1] = 3  # its units are counted once, and so is the item
    x[0, 0, :, 2] = -1
    function = getattr(lw, name)
    said = []
    for call, sides in (
        (function, map(simulated.array, (x, y))),
        (simulated.cpu(function), (x, y)),
    ):
        with pytest.warns(lw.DegenerateWarning) as caught:
            said.append((call(*sides, k=5, center=False), [str(w.message) for w in caught]))
    (found, texts), (expected, texts_here) = said
    np.testing.assert_allclose(simulated.numpy(found), expected, rtol=0, atol=1e-12)
    assert texts == texts_here
    assert "1 constant unit (" in texts[0]
    assert "1 constant representation (" in texts[0]
    x[1, 0, 2, 3] = np.nan
    there = simulated.array(x), simulated.array(y[0])
    unchecked = simulated.numpy(function(*there, k=5, check_finite=False))
    assert (np.isnan(unchecked[:, 0]) == [False, True, False]).all()
    empty = simulated.numpy(function(simulated.array(x[:0]), there[1], k=5))
    assert empty.shape == (0, 1)


@on_simulator
def test_neighbours_in_single_precision():
    x, y = (item[:, :4].astype(np.float32) for item in layers()[::3])
    x += 100
    for name in ("cknna", "jaccard_knn", "mutual_knn"):
        found = simulated.numpy(getattr(lw, name)(simulated.array(x), simulated.array(y)))
        assert found.dtype == np.float32
        exact = simulated.cpu(getattr(lw, name))(x.astype(np.float64), y.astype(np.float64))
        assert found == pytest.approx(exact, abs=1e-6)


@on_simulator
@pytest.mark.parametrize("comparison", ["spearman", "corr", "cosine_cov"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rsa_of_batches_that_broadcast(comparison, dtype):
    # What is wrong with an item is said once, however often it is repeated.
    rng = np.random.default_rng(4)
    x, y = (rng.standard_normal(shape).astype(dtype) for shape in ((2, 1, 12, 4), (3, 12, 5)))
    x[1, 0, 3] = 2
    x[0, ..., 2] = 1
    y[1, 5] = y[1, 7] = 3
    y[2] = 1
    found = []
    for function in (lw.rsa, simulated.cpu(lw.rsa)):
        with pytest.warns(lw.DegenerateWarning) as said:
            found.append((function(x, y, comparison=comparison), [str(w.message) for w in said]))
    (there, said_there), (here, said_here) = found
    assert there.dtype == dtype
    assert np.isnan(there[:, 2]).all()
    np.testing.assert_allclose(there, here, rtol=0, atol=1e-6 if dtype == np.float32 else 1e-12)
    assert said_there == said_here
    assert [text.split(" (")[0] for text in said_here] == [
        "rsa: 1 sample without variance",
        "rsa: 2 samples without variance",
        "rsa: 1 constant unit",
    ]
    empty = lw.rsa(np.empty((0, 5, 2)), np.empty((5, 3)), comparison=comparison)
    assert empty.shape == (0,)


@on_simulator
def test_rdms_without_the_look():
    x = np.stack([layers()[0], layers()[1]])
    x[1, 7, 2] = np.nan
    for dissimilarity in ("correlation", "cosine", "euclidean", "sqeuclidean"):
        options = {"dissimilarity": dissimilarity, "check_finite": False}
        expected = simulated.cpu(lw.rdm)(x, **options)
        assert np.isnan(expected).sum() == 89
        np.testing.assert_allclose(lw.rdm(x, **options), expected, rtol=1e-12, atol=1e-14)


@on_simulator
def test_an_rdm_of_several_blocks_of_rows():
    x = np.random.default_rng(6).standard_normal((1100, 2))
    for dissimilarity in ("cosine", "euclidean"):
        found = lw.rdm(x, dissimilarity=dissimilarity)
        expected = simulated.cpu(lw.rdm)(x, dissimilarity=dissimilarity)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@on_simulator
def test_small_angles_in_single_precision():
    # Rotated copies, one of them moved: float32 products lose the directions of little variance.
    x = layers()[2] * 10.0 ** -np.arange(0, 4.5, 0.5)
    y = x @ np.linalg.qr(cost_matrices((9, 9)))[0]
    there = [
        simulated.array(item.astype(np.float32)) for item in (x, y, y + 1e-4 * layers()[2][::-1])
    ]
    exact = simulated.cpu(lw.pairwise)([simulated.numpy(item).astype(np.float64) for item in there])
    found = simulated.numpy(simulated.cpu(lw.pairwise)(there))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-6)


@on_simulator
def test_nan_is_located():
    u = np.ones(4)
    u[2] = np.nan
    cost = simulated.array(cost_matrices((4, 4)))
    with pytest.raises(ValueError, match=r"u must be finite, got nan at index \(2,\)"):
        lw.assignment(cost, duals=(simulated.array(u), simulated.array(np.ones(4))))


@on_simulator
def test_without_the_look_nothing_waits():
    cost = cost_matrices()
    there = simulated.array(cost)
    before = simulated.module.stats()["launches"]
    rows, cols = lw.linear_sum_assignment(there, check_finite=False)
    assert simulated.module.stats()["launches"] == before  # streams are lazy
    np.testing.assert_array_equal(
        simulated.numpy(cols), simulated.cpu(lw.linear_sum_assignment)(cost)[1]
    )
    assert simulated.numpy(rows).shape == (3, 6)


@on_simulator
def test_without_the_look_no_solution_is_no_number():
    cost = cost_matrices()
    cost[1, 2, 2] = np.nan
    found = lw.assignment(simulated.array(cost), check_finite=False)
    cols, total = simulated.numpy(found.col_ind), simulated.numpy(found.cost)
    assert (cols[1] == -1).all()
    assert np.isnan(total[1])
    assert (cols[[0, 2]] >= 0).all()


@on_simulator
def test_nothing_leaks():
    there = simulated.array(cost_matrices())
    before = live_bytes()
    lw.assignment(there)
    assert live_bytes() == before
    simulated.module.fail_allocation(2)
    with pytest.raises(RuntimeError, match="MemoryAllocation"):
        lw.assignment(there)
    simulated.module.reset()
    assert live_bytes() == before


@on_simulator
def test_large_problems_go_to_the_cpu_and_say_so_once(monkeypatch):
    monkeypatch.setattr(simulated.module, "most_assigned", 5)
    monkeypatch.setattr(_device, "_told", set())
    cost = cost_matrices()
    there = simulated.array(cost)
    with pytest.warns(lw.DeviceWarning, match="more than 5 rows or columns .* on the CPU"):
        found = lw.assignment(there)
    again = lw.assignment(there)  # warnings are errors here
    for one in (found, again):
        for value, expected in zip(one, simulated.cpu(lw.assignment)(cost), strict=True):
            np.testing.assert_array_equal(simulated.numpy(value), expected)
    with pytest.warns(lw.DeviceWarning, match="linear_sum_assignment"):
        rows, cols = lw.linear_sum_assignment(there)
    np.testing.assert_array_equal(
        simulated.numpy(cols), simulated.cpu(lw.linear_sum_assignment)(cost)[1]
    )
    assert simulated.numpy(rows).dtype == np.int64


def child(code, **environment):
    """What a new process prints that has the simulator loaded."""
    path = Path(__file__).parent
    text = f"import sys; sys.path.insert(0, {str(path)!r})\n"
    text += f"import simulated; simulated.load({simulated.module.__file__!r})\n"
    text += "import numpy as np, likewise as lw\n" + code
    return subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


GRIDS = """
rng = np.random.default_rng(5)
items = [simulated.array(rng.standard_normal((20, d)).astype("f4")) for d in (3, 3, 8, 24)]
rbf, half = lw.measure("cka", kernel="rbf"), lw.measure("shape_distance", alpha=0.5)
knn = lw.measure("jaccard_knn", k=4, metric="euclidean")
named = ("procrustes", "pwcca", "svcca", "permutation_match", "cknna", "soft_match")
rsa = [lw.measure("rsa", comparison=name) for name in ("spearman", "corr", "cosine_cov")]
soft = lw.measure("soft_match", score="distance")
for measure in (rbf, half, knn, soft, *named, *rsa):
    found = simulated.cpu(lw.pairwise)(items, measure, check_finite=False)
    print(simulated.numpy(found).tobytes().hex(), simulated.module.report())
"""
SOLVE = """
cost = np.random.default_rng(5).integers(0, 9, (3, 60, 60)).astype("f4")
found = lw.assignment(simulated.array(cost))
print([simulated.numpy(value).tobytes().hex() for value in found], simulated.module.report())
"""
TRANSPORT = """
rng = np.random.default_rng(5)  # rounded products: many paths are equally short
cost = np.round(3 * rng.standard_normal((6, 40, 1)) * rng.standard_normal((6, 1, 70)))
found = lw.optimal_transport(simulated.array(cost), return_duals=True)
print([simulated.numpy(value).tobytes().hex() for value in found], simulated.module.report())
"""


@on_simulator
@pytest.mark.parametrize(
    "work", [SOLVE, TRANSPORT, GRIDS], ids=["assignment", "transport", "grids"]
)
@pytest.mark.parametrize("mode", ["eager", "lazy", "random"])
def test_every_schedule_gives_the_same_bits(mode, work):
    expected = child(work).stdout
    assert len(expected) > 100
    for order in "012":
        schedule = {"CUSIM_ASYNC": mode, "CUSIM_ORDER": order, "CUSIM_SEED": "9"}
        assert child(work, **schedule).stdout == expected


@on_simulator
@pytest.mark.parametrize("architecture", ["80", "90", "100", "120"])
def test_the_largest_problem_fits_every_architecture(architecture):
    code = """
cost = np.random.default_rng(5).random((1, 4096)).repeat(2, axis=0)
print(sorted(simulated.numpy(lw.linear_sum_assignment(simulated.array(cost))[1]).tolist()))
print(np.argsort(cost[0])[:2].tolist())
"""
    found, expected = child(code, CUSIM_ARCH=architecture).stdout.splitlines()
    assert sorted(ast.literal_eval(expected)) == ast.literal_eval(found)


@on_simulator
def test_the_largest_transport_fits_every_architecture():
    code = """
plan = lw.optimal_transport(simulated.array(np.ones((4095, 4096), "f4")))
print((simulated.numpy(plan) > 0).sum())
"""
    # None has less shared memory than this one.
    assert child(code, CUSIM_ARCH="120").stdout == f"{4095 + 4096 - 1}\n"


@on_simulator
@pytest.mark.parametrize(
    "work", [SOLVE, TRANSPORT, GRIDS], ids=["assignment", "transport", "grids"]
)
def test_nothing_of_the_device_is_read_by_the_host(work):
    expected = child(work).stdout
    assert len(expected) > 100
    assert child(work, CUSIM_PROTECT="1").stdout == expected


@on_simulator
@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"CUSIM_DEVICES": "0"}, "no CUDA device can be used: cudaErrorNoDevice"),
        ({"CUSIM_ARCH": "75"}, "has compute capability 7.5, likewise needs 8.0"),
    ],
)
def test_machines_without_a_usable_device(environment, why):
    code = """
from likewise import cuda
class There:
    def __dlpack_device__(self): return 2, 0
print(cuda.why_not())
try: lw.assignment(There())
except lw.InputTypeError as error: print(error)
"""
    said = child(code, **environment).stdout.splitlines()
    assert why in said[0]
    assert said[1].startswith("assignment: cost is on a CUDA device, but ")
    assert why in said[1]
