"""Every public function with a CUDA version, once, beside the CPU's answer: one JSON line each.

python -m benchmarks.gpu.smoke [--simulator MODULE]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import likewise as lw
from benchmarks.gpu.device import Array, Simulator, TorchDevice, plain, run_apart
from likewise._border import device as _device

# Of the public functions, with how each is found, x and y.
CALLS: dict[str, Callable[[Callable[[str], Any], Any, Any], Any]] = {
    "assignment": lambda f, x, y: f("assignment")(x)[:2],
    "bootstrap": lambda f, x, y: f("bootstrap")(x, y, "cka", n=20)[:3],
    "calibrate": lambda f, x, y: f("calibrate")([x], [y], "cka", n=20)[:3],
    "canonical_correlations": lambda f, x, y: f("canonical_correlations")(x, y),
    "compare_rdms": lambda f, x, y: f("compare_rdms")(f("rdm")(x), f("rdm")(y)),
    "cross": lambda f, x, y: f("cross")([x], [y, x], "cka"),
    "linear_predictivity": lambda f, x, y: f("linear_predictivity")(x, y, cv=2).score,
    "linear_sum_assignment": lambda f, x, y: f("linear_sum_assignment")(x),
    "match_units": lambda f, x, y: f("match_units")(f("unit_similarity")(x, y)),
    "noise_ceiling": lambda f, x, y: f("noise_ceiling")(
        x.reshape([2, x.shape[0] // 2, x.shape[1]])
    ),
    "nuclear_norm": lambda f, x, y: f("nuclear_norm")(x),
    "optimal_transport": lambda f, x, y: f("optimal_transport")(x),
    "orthogonal_procrustes": lambda f, x, y: f("orthogonal_procrustes")(x, y)[0],
    "pairwise": lambda f, x, y: f("pairwise")([x, y], "procrustes"),
    "permutation_match": lambda f, x, y: f("permutation_match")(x, y),
    "permutation_test": lambda f, x, y: f("permutation_test")(x, y, "cka", n=20).null,
    "polar": lambda f, x, y: f("polar")(x)[0],
    "rdm": lambda f, x, y: f("rdm")(x),
    "recommend": lambda f, x, y: [
        list(statement.numbers.values())
        for statement in f("recommend")([x, y], measures=["cka", "procrustes"]).statements
    ],
    "reduce": lambda f, x, y: f("reduce")(
        x.reshape([x.shape[0], x.shape[1] // 2, 2, 1]), layout="nchw", how="mean"
    ),
    "ridge_cv_errors": lambda f, x, y: f("ridge_cv_errors")(x, y, cv=2).errors,
    "rsa_noise_ceiling": lambda f, x, y: f("rsa_noise_ceiling")(
        f("rdm")(x.reshape([2, x.shape[0] // 2, x.shape[1]]))
    ),
    "semi_match": lambda f, x, y: f("semi_match")(x, y),
    "soft_match": lambda f, x, y: f("soft_match")(x, y).score,
    "sparse_predictivity": lambda f, x, y: f("sparse_predictivity")(x, y, alphas=[0.5, 0.05]).score,
    "svdvals": lambda f, x, y: f("svdvals")(x),
    "unit_similarity": lambda f, x, y: f("unit_similarity")(x, y),
    "unit_statistics": lambda f, x, y: f("unit_statistics")(x),
    "scale.Accumulator": lambda f, x, y: _streamed(lw.scale.Accumulator("cka"), [x], [y]),
    "scale.MinibatchCKA": lambda f, x, y: _streamed(lw.scale.MinibatchCKA(), [x], [y]),
    "scale.UnitAccumulator": lambda f, x, y: _streamed(lw.scale.UnitAccumulator(), x, y),
    "maps.Lasso": lambda f, x, y: lw.maps.Lasso(alpha=0.1).fit(x, y).predict(x),
    "maps.Orthogonal": lambda f, x, y: lw.maps.Orthogonal().fit(x, y).predict(x),
    "maps.Permutation": lambda f, x, y: lw.maps.Permutation().fit(x, y).predict(x),
    "maps.Ridge": lambda f, x, y: lw.maps.Ridge().fit(x, y).predict(x),
    "maps.SoftPermutation": lambda f, x, y: lw.maps.SoftPermutation().fit(x, y).predict(x),
}
# In tests alone: networks are no arrays, and most or all of the others is the CPU's.
ELSEWHERE = {
    *("cluster_units", "neural_collapse", "truncation.adaptedness", "truncation.cluster_diameters"),
    *("maps.average_networks", "maps.cross_validate", "maps.match_network"),
}


def _streamed(stream: Any, x: Any, y: Any) -> Any:
    stream.update(x, y)
    return stream.compute()


def measured(name: str) -> Callable[[Any, Any, Any], Any]:
    return lambda f, x, y: lw.measure(name)(x, y)


def gradients(name: str, **options: Any) -> Callable[[Any, Any, Any], Any]:
    return lambda f, x, y: lw.measure(name, **options).gradients(x, y)


def flat(device: Any, value: Any) -> Array:
    """All numbers of an answer in a row."""
    if isinstance(value, (tuple, list)):
        return np.concatenate([flat(device, one) for one in value])
    if value is None:
        return np.empty(0)
    value = device.get(value) if _device.is_device_array(value) else value
    return np.asarray(value, dtype=np.float64).ravel()


def agreement(
    device: Any, call: Callable[..., Any], shape: tuple[int, int], dtype: str
) -> dict[str, float]:
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(shape).astype(dtype) for _ in range(2))

    def find(name: str) -> Any:
        return plain(getattr(lw, name))

    ours = flat(device, call(find, device.put(x), device.put(y)))
    expected = flat(device, call(find, x, y))
    error = float(np.abs(ours - expected).max() / max(1.0, np.abs(expected).max()))
    if not error < (2e-2 if dtype == "float32" else 1e-8):
        raise AssertionError(f"differs from the CPU's answer by {error:.1e}")
    return {"error": error}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulator", metavar="MODULE")
    parser.add_argument("--only", default="", help="cases whose names have this in them")
    options = parser.parse_args()
    device: Any = Simulator(options.simulator) if options.simulator else TorchDevice()
    calls = CALLS | {name: measured(name) for name in lw.measures()}
    calls |= {f"gradients of {name}": gradients(name) for name in ("procrustes", "cka")}
    calls["gradients of rsa"] = gradients("rsa", comparison="cosine")
    known = {call.replace("-", "_") for call in calls} | ELSEWHERE
    if left_out := set(lw.cuda.functions()) - known - {"cka", "hsic"}:
        raise SystemExit(f"no call of {sorted(left_out)}")
    cases = {
        f"{name} {dtype}": partial(agreement, device, call, shape, dtype)
        for name, call in calls.items()
        for shape, dtype in (((110, 66), "float32"), ((128, 36), "float64"))
    }
    if not run_apart(cases, 60, options.only):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
