"""Threads, processes, signals and instruction sets around the engine."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from processes import finished, output_of_variant, start

import likewise as lw


def items(seed, count=12, n=60, d=20):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, d + k % 3)) for k in range(count)]


# Threads.


def test_many_python_threads_get_their_own_right_answers():
    def work(seed):
        arrays = items(seed)
        return (
            lw.pairwise(arrays, "procrustes"),
            lw.pairwise(arrays, "cka", estimator="unbiased"),
            lw.cross(arrays[:3], arrays, "permutation_match"),
            np.array([lw.assignment(a).cost for a in arrays]),
        )

    seeds = range(24)
    with lw.num_threads(1):
        expected = [work(seed) for seed in seeds]
    with ThreadPoolExecutor(12) as pool:
        actual = list(pool.map(work, seeds))
    for a, e in zip(actual, expected, strict=True):
        for ours, theirs in zip(a, e, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_an_error_in_one_thread_leaves_the_others_alone():
    def work(k):
        if k % 3:
            return lw.pairwise(items(k), "cka")
        with pytest.raises(ValueError, match="must be finite"):
            lw.pairwise([*items(k), np.full((60, 4), np.nan)], "cka")
        return None

    with ThreadPoolExecutor(8) as pool:
        for k, scores in enumerate(pool.map(work, range(30))):
            if scores is not None:
                np.testing.assert_allclose(scores, lw.pairwise(items(k), "cka"), rtol=1e-9)


@pytest.mark.parametrize("measure", lw.measures())
def test_scores_do_not_depend_on_the_number_of_threads(measure):
    arrays = items(0)
    with lw.num_threads(1):
        expected = lw.pairwise(arrays, measure)
    for k in (2, 3, 8):
        with lw.num_threads(k):
            np.testing.assert_allclose(lw.pairwise(arrays, measure), expected, rtol=1e-9)


def test_other_python_threads_run_during_a_call():
    arrays = items(0, count=120, n=300, d=100)
    work = threading.Thread(target=lw.pairwise, args=(arrays, "procrustes"))
    work.start()
    ticks = 0
    while work.is_alive():
        ticks += 1
        time.sleep(0.001)
    # A call that kept the lock would be one tick long; this one lasts hundreds of milliseconds.
    assert ticks > 10


def test_num_threads_holds_for_one_thread_and_one_block():
    default = lw.build_config()["threads"]
    with lw.num_threads(default + 3):
        assert lw.build_config()["threads"] == default + 3
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lw.build_config).result()["threads"] == default
        with pytest.raises(ValueError, match="finite"), lw.num_threads(1):
            lw.pairwise([np.full((5, 2), np.inf)], "cka")
        assert lw.build_config()["threads"] == default + 3
    assert lw.build_config()["threads"] == default


@pytest.mark.parametrize("k", [0, -1, 1.5, "many", None, True])
def test_num_threads_wants_a_positive_integer(k):
    with pytest.raises(ValueError, match="positive integer"), lw.num_threads(k):
        pass


# The environment.

SHOW = "import likewise as lw; print(lw.build_config()[{!r}])"


def test_the_environment_sets_the_default_number_of_threads():
    code, output, _ = finished("-c", SHOW.format("threads"), env={"LIKEWISE_NUM_THREADS": "3"})
    assert (code, output.strip()) == (0, "3")
    code, output, errors = finished(
        "-c", SHOW.format("threads"), env={"LIKEWISE_NUM_THREADS": "all"}
    )
    assert code == 1
    assert "LIKEWISE_NUM_THREADS must be a positive integer, got 'all'" in errors


def test_an_unknown_instruction_set_is_refused():
    code, _, errors = finished("-c", SHOW.format("simd"), env={"LIKEWISE_SIMD": "sse9"})
    assert code == 1
    assert "LIKEWISE_SIMD must be baseline, avx2 or avx512" in errors
    assert "ValueError" in errors


VARIANT = """
import sys
import numpy as np
import likewise as lw

rng = np.random.default_rng(5)
found = {}
for dtype in ("f4", "f8"):
    for d in (1, 2, 3, 5, 8, 13, 17, 31, 33, 64, 70, 130):
        stack = rng.standard_normal((4, 150, d)).astype(dtype)
        stack[3] = stack[0] @ np.linalg.qr(rng.standard_normal((d, d)))[0]
        for name in lw.measures():
            found[f"{name}-{dtype}-{d}"] = lw.pairwise(stack, name)
        for kernel in ("rbf", "polynomial"):
            options = {"kernel": kernel, "estimator": "unbiased"}
            found[f"{kernel}-{dtype}-{d}"] = lw.pairwise(stack, "cka", **options)
        cost = rng.standard_normal((3, d, d + 2)).astype(dtype)
        found[f"assignment-{dtype}-{d}"] = lw.linear_sum_assignment(cost)[1]
        found[f"nuclear-{dtype}-{d}"] = lw.nuclear_norm(stack)
np.savez(sys.argv[1], simd=lw.build_config()["simd"], **found)
"""


@pytest.mark.parametrize("simd", ["avx2", "avx512"])
def test_every_instruction_set_gives_the_answers_of_the_baseline(simd, tmp_path):
    files = {}
    for variant in ("baseline", simd):
        output_of_variant(variant, "-c", VARIANT, tmp_path / f"{variant}.npz")
        with np.load(tmp_path / f"{variant}.npz") as file:
            files[variant] = dict(file)
        assert files[variant]["simd"] == variant
    for name in set(files[simd]) - {"simd"}:
        tolerance = 1e-4 if "f4" in name else 1e-9
        np.testing.assert_allclose(
            files[simd][name], files["baseline"][name], rtol=tolerance, atol=tolerance, err_msg=name
        )


# Processes and signals.

PREPARE = """
import os, sys, multiprocessing, warnings
import numpy as np
import likewise as lw

warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads, Python 3.12
rng = np.random.default_rng(0)
arrays = [rng.standard_normal((60, 20)) for _ in range(12)]

def work(_=None):
    with lw.num_threads(4):
        return lw.pairwise(arrays, "procrustes"), lw.pairwise(arrays, "cka"), lw.svdvals(arrays)

def same(a, b):
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))

expected = work()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_computes_on():
    code, output, errors = finished(
        "-c",
        PREPARE
        + """
child = os.fork()
if child == 0:
    os._exit(0 if same(work(), expected) else 3)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), same(work(), expected))
""",
    )
    assert (code, output.strip()) == (0, "0 True"), errors


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_workers_of_multiprocessing_compute():
    code, output, errors = finished(
        "-c",
        PREPARE
        + """
with multiprocessing.get_context("fork").Pool(3) as pool:
    print(all(same(result, expected) for result in pool.map(work, range(6))))
""",
    )
    assert (code, output.strip()) == (0, "True"), errors


ENDLESS = {  # calls that would run for many minutes
    "pairwise": "lw.pairwise([rng.standard_normal((400, 200))] * 3000, 'procrustes')",
    "kernels": "lw.pairwise([rng.standard_normal((3000, 100))] * 500, 'cka', kernel='rbf')",
    "assignment": "lw.assignment(np.outer(*[np.arange(8000, dtype='f4')] * 2))",
    "batch": "lw.svdvals(np.broadcast_to(rng.standard_normal((300, 300)), (10**5, 300, 300)))",
}


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("call", ENDLESS.values(), ids=ENDLESS)
def test_ctrl_c_stops_a_call(call, threads):
    # Jobs that a shell started in the background ignore Ctrl-C, and so would their children.
    code = f"""
import signal, warnings
import numpy as np
import likewise as lw
warnings.simplefilter("ignore")
signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
with lw.num_threads({threads}):
    lw.cka(np.eye(4), np.eye(4))
    print("ready", flush=True)
    {call}
"""
    with start("-c", code) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            time.sleep(1.5)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            # It answers within a second; the bound leaves room for a busy machine, not for
            # finishing the work.
            _, errors = process.communicate(timeout=15)
        finally:
            process.kill()
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT


# Long calls of LAPACK, or of products that are one for the caller, and the processor seconds
# after which they are in it: what is left of it takes more than 2.
ONE_CALL = {
    "polar": ("lw.polar(a)", 1),
    "svdvals": ("lw.svdvals(a)", 1),
    "nuclear_norm": ("lw.nuclear_norm(a)", 1),
    "rotation": ("lw.orthogonal_procrustes(a[:50], a[50:100])", 1),
    "root": ("lw.procrustes(a[:3000, :3000], a[1000:, 1000:])", 1.5),
    "whitening": ("lw.cca(a, a.T)", 1),
    "eigenvalues": ("lw.linear_predictivity(a[:, :3000], a[:, :1])", 3),
    "products": ("lw.orthogonal_procrustes(a, a.T)", 0.3),
}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer")
@pytest.mark.parametrize(("call", "seconds"), ONE_CALL.values(), ids=ONE_CALL)
def test_one_long_call_is_stopped_in_its_middle(call, seconds):
    """Processor time is counted, of which a busy machine gives no more than an idle one."""
    code, output, errors = finished(
        "-c",
        f"""
import os, signal, time, warnings
import numpy as np
import likewise as lw
warnings.simplefilter("ignore")
def stop(*_):
    raise TimeoutError
signal.signal(signal.SIGPROF, stop)
a = np.random.default_rng(0).standard_normal((4000, 4000))
with lw.num_threads(1):
    lw.cka(np.eye(4), np.eye(4))
    begin = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, {seconds})
    try:
        {call}
    except TimeoutError:
        print(time.process_time() - begin, flush=True)
os._exit(0)  # without waiting for what is left behind
""",
    )
    assert code == 0, errors
    assert float(output) < seconds + 1


@pytest.mark.parametrize(
    ("call", "seconds"), [(ENDLESS["pairwise"], 0.5), ("lw.polar(a)", 0.2), ("lw.svdvals(a)", 0.2)]
)
def test_a_call_works_after_an_interrupted_one(call, seconds):
    """LAPACK cannot be stopped: its work goes on, in memory of its own, until it ends."""
    code, output, errors = finished(
        "-c",
        PREPARE
        + f"""
import signal
def stop(*_):
    raise TimeoutError("stopped")
signal.signal(signal.SIGALRM, stop)
a = rng.standard_normal((1500, 1500))
signal.setitimer(signal.ITIMER_REAL, {seconds})
try:
    {call}
except TimeoutError as error:
    print(error, same(work(), expected))
del a
""",
    )
    assert (code, output.strip()) == (0, "stopped True"), errors


@pytest.mark.parametrize("wish", ["20000", "3000000000"])
def test_more_threads_than_are_of_use_are_lowered_once(wish):
    most = 4 * os.cpu_count()
    code, output, errors = finished(
        "-c",
        f"""
import warnings
import numpy as np
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    import likewise as lw
    from likewise._border import engine as _engine
    lw.svdvals(np.zeros((100, 40, 40)))
print(*(str(warning.message) for warning in seen), _engine.threads())
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    with lw.num_threads({wish}):
        lw.svdvals(np.zeros((100, 40, 40)))
        print(*(str(warning.message) for warning in seen), _engine.threads())
""",
        env={"LIKEWISE_NUM_THREADS": wish},
    )
    assert code == 0, errors
    by_variable, by_call = output.splitlines()
    said = f"= {wish} is lowered to {most}, 4 threads for each of this machine's processors {most}"
    assert by_variable == f"LIKEWISE_NUM_THREADS {said}"
    assert by_call == f"num_threads: k {said}"


@pytest.mark.skipif(sys.platform != "linux", reason="limits its own memory")
@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("lw.permutation_match(x, y)", "permutation_match"),
        ("lw.sparse_predictivity(x, y[:, :2])", "sparse_predictivity"),
        ("lw.procrustes(u, u[::-1])", "procrustes"),
        ("lw.pairwise([u, u[::-1]], 'procrustes')", "pairwise"),
        ("lw.svdvals(u)", "svdvals"),
    ],
    ids=lambda value: value if "(" not in value else "",
)
def test_out_of_memory_names_the_function_and_the_size(call, name):
    code, output, errors = finished(
        "-c",
        f"""
import resource, warnings
import numpy as np
import likewise as lw
warnings.simplefilter("ignore")
u = np.random.default_rng(0).standard_normal((2500, 1200))
x, y = np.random.default_rng(0).standard_normal((2, 60, 3000))
with lw.num_threads(1):
    lw.permutation_match(x[:, :5], y[:, :5])
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 15_000_000,) * 2)
    try:
        {call}
    except MemoryError as error:
        print(error)
""",
    )
    assert code == 0, errors
    assert output.startswith(f"{name}: out of memory, "), output
    assert re.fullmatch(r".* [0-9.e-]+ GiB were asked for at once\n", output)
