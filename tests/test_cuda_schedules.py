"""Device runs in processes of their own: schedules, architectures, memory of the device alone."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import simulated

pytestmark = pytest.mark.simulator


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
paths = lw.sparse_predictivity(items[3], items[0], alphas=[0.5, 0.1], cv=2, check_finite=False)
print([simulated.numpy(part).tobytes().hex() for part in paths], simulated.module.report())
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


DECOMPOSE = """
rng = np.random.default_rng(5)
x, y = (simulated.array(rng.standard_normal((2, 140, d))) for d in (66, 3))
found = [lw.svdvals(simulated.array(rng.standard_normal((3, 66, 70)).astype("f4")))]
found += lw.linear_predictivity(x, y, cv=2, alphas=[0.1, 1.0])
print([simulated.numpy(value).tobytes().hex() for value in found], simulated.module.report())
"""


DRAWS = """
x, y = np.random.default_rng(5).standard_normal((2, 50, 4))
for measure in ("cka", "rsa", "procrustes"):
    for function in map(simulated.cpu, (lw.permutation_test, lw.bootstrap)):
        there = simulated.array(x), simulated.array(y)
        found = function(*there, measure, n=8, check_finite=False)
        draws = simulated.numpy(found[-1]).tobytes().hex()
        print(draws, *map(float, found[1:-1]), simulated.module.report())
"""


STREAMS = """
rng = np.random.default_rng(5)
streams = [lw.scale.Accumulator("linear_predictivity", cv=3), lw.scale.MinibatchCKA()]
streams += [lw.scale.Accumulator(n) for n in ("cka", "shape_distance", "procrustes", "pwcca")]
for stream in streams:
    for _ in range(2):
        stream.update([simulated.array(rng.standard_normal((11, d))) for d in (3, 5)])
    scores = simulated.cpu(type(stream).compute)(stream).numpy()
    state = [value.tobytes().hex() for value in stream.state.values()]
    print(state, scores.tobytes().hex(), simulated.module.report())
"""


OFFLOAD = """
from likewise._border import offload as _offload
_offload._SHARE = (8 << 30) // 2000  # some ten runs
rng = np.random.default_rng(5)
items = [rng.standard_normal((20, d)) for d in (3, 3, 8, 5, 2, 9, 3, 6, 4, 7)]
for measure in ("procrustes", "semi_match"):
    for check in (True, False):
        found = simulated.cpu(lw.pairwise)(items, measure, device=0, check_finite=check)
        print(found.tobytes().hex(), simulated.module.report())
"""


WORK = {
    "assignment": SOLVE,
    "transport": TRANSPORT,
    "grids": GRIDS,
    "decompositions": DECOMPOSE,
    "draws": DRAWS,
    "streams": STREAMS,
    "offload": OFFLOAD,  # last: it changes how much of the memory is used
}
MARK = "---\n"
every_work = pytest.mark.parametrize("work", WORK)


@cache
def printed(**environment):
    """What each of WORK prints, all in one process: to start one takes longer than most of them."""
    code = "".join(f"print('---')\nsimulated.module.reset()\n{work}" for work in WORK.values())
    process = child(code, **environment)
    before, *parts = process.stdout.split(MARK)
    assert before == ""
    assert len(parts) == len(WORK), process.stderr
    assert all(len(part) > 100 for part in parts)
    return dict(zip(WORK, parts, strict=True))


@every_work
@pytest.mark.parametrize(("mode", "order"), [("eager", "2"), ("lazy", "0"), ("random", "1")])
def test_every_schedule_gives_the_same_bits(mode, order, work):
    found = printed(CUSIM_ASYNC=mode, CUSIM_ORDER=order, CUSIM_SEED="9")
    assert found[work] == printed()[work]


@pytest.mark.parametrize("architecture", ["80", "90", "100", "120"])
def test_the_largest_problem_fits_every_architecture(architecture):
    code = """
cost = np.random.default_rng(5).random((1, 4096)).repeat(2, axis=0)
print(sorted(simulated.numpy(lw.linear_sum_assignment(simulated.array(cost))[1]).tolist()))
print(np.argsort(cost[0])[:2].tolist())
"""
    found, expected = child(code, CUSIM_ARCH=architecture).stdout.splitlines()
    assert sorted(ast.literal_eval(expected)) == ast.literal_eval(found)


def test_the_largest_transport_fits_every_architecture():
    code = """
plan = lw.optimal_transport(simulated.array(np.ones((4095, 4096), "f4")))
print((simulated.numpy(plan) > 0).sum())
"""
    # None has less shared memory than this one.
    assert child(code, CUSIM_ARCH="120").stdout == f"{4095 + 4096 - 1}\n"


@every_work
def test_nothing_of_the_device_is_read_by_the_host(work):
    assert printed(CUSIM_PROTECT="1")[work] == printed()[work]


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


def test_a_missing_cublas_is_said():
    code = """
sys.modules["likewise._cuda"].set_library_directories([])
try: lw.nuclear_norm(simulated.array(np.eye(3)))
except RuntimeError as error: print(error)
"""
    said = child(code).stdout
    assert "cuBLAS is not installed (libcublas.so.13" in said
    assert "pip install nvidia-cublas" in said


@pytest.mark.parametrize("old", [False, True], ids=["missing", "old"])
def test_without_cusolver_rotations_give_the_same(tmp_path, old):
    blas = next((Path(simulated.module.__file__).parent / "nvidia").glob("libcublas.so.*"))
    (tmp_path / blas.name).symlink_to(blas)
    if old:  # a library that has no such function
        (tmp_path / "libcusolver.so.12").symlink_to(blas)
    code = """
if {!r}:
    sys.modules["likewise._cuda"].set_library_directories([{!r}])
rng = np.random.default_rng(5)
a = simulated.array(rng.standard_normal((66, 70)).astype("f4"))
x, y = (simulated.array(rng.standard_normal((140, d))) for d in (66, 3))
for found in (lw.svdvals(a), lw.linear_predictivity(x, y, cv=2, alphas=[0.1]).score):
    print(simulated.numpy(found).tolist())
"""
    (values, score), (values_without, score_without) = (
        map(ast.literal_eval, child(code.format(place, place)).stdout.splitlines())
        for place in ("", str(tmp_path))
    )
    np.testing.assert_allclose(values_without, values, rtol=0, atol=2e-5)
    assert score_without == pytest.approx(score, abs=1e-12)
    assert values_without != values  # was not computed the same way


GRAPHS = """
functions = {
    "cka": lw.cka,
    "procrustes": lw.procrustes,
    "permutation_match": lambda x, y, **o: lw.permutation_match(x, y, **o).score,
    "mutual_knn": lambda x, y, **o: lw.mutual_knn(x, y, k=5, **o),
    "rsa": lw.rsa,
    "polar": lambda x, y, **o: lw.polar(x, **o)[0],
    "svdvals": lambda x, y, **o: lw.svdvals(x, **o),
}
for name, function in functions.items():
    first, *others = np.random.default_rng(0).standard_normal((3, 2, 70, 68)).astype("f4")
    there = [simulated.array(side) for side in first]
    simulated.module.begin_capture()
    out = function(*there, check_finite=False)
    simulated.module.end_capture()
    for sides in others:
        for array, side in zip(there, sides):
            array.fill(side)
        simulated.module.replay()
        np.testing.assert_allclose(simulated.numpy(out), function(*sides), 1e-3, 1e-4, err_msg=name)
    simulated.module.reset()
print("same", simulated.module.report())
"""


def test_calls_without_the_look_are_captured_by_graphs_even_the_first():
    done = child(GRAPHS)
    assert done.stdout.strip() == "same", done.stderr
