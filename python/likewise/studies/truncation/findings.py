"""What the run found: numbers, and sentences that are chosen by the numbers alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise.report import control_text, number
from likewise.studies.truncation.experiment import Result

Finding = tuple[str, str]
NAMES = ("nc1", "nc2_norms", "nc2_angles", "nc3", "nc4")


def collapse(result: Result) -> Array:
    """NC1 to NC4 of every network and epoch, ``(networks, epochs + 1, 5)``."""
    return np.array([network.collapse for network in result.networks])


def of_layers(result: Result, name: str, trained: bool) -> Array:
    """A list of a `Structure` over layers, mean over networks."""
    lists = [getattr(network.structure[trained], name) for network in result.networks]
    return np.asarray(np.mean(lists, axis=0))


def truncated_at(result: Result) -> float:
    """When the diameter of every separated cluster is 0."""
    wide = np.max([run.diameters[:, 0] for run in result.separated], axis=0)
    return float(result.settings.times[np.argmax(wide == 0)]) if wide[-1] == 0 else float("inf")


def headline(result: Result) -> str:
    """The finding in one sentence."""
    nc = collapse(result).mean(axis=0)
    pointlike = np.isfinite(truncated_at(result))
    flow = "contract clusters to points" if pointlike else "do not contract clusters to points"
    sign = "collapse too" if nc[-1, 0] < nc[0, 0] else "do not collapse"
    near = "nearer" if _adapted(result) else "no nearer"
    return (
        f"Truncation maps {flow} in the exact flow; digit networks {sign}, with weights {near} to "
        "adapted than chance"
    )


def _adapted(result: Result) -> bool:
    """Whether the last trained cumulative weight lies below its control by more than 2 sd."""
    mean, sd = of_layers(result, "cumulative_control", True)[-1]
    return bool(of_layers(result, "cumulative", True)[-1] < mean - 2 * sd)


def findings(result: Result) -> list[Finding]:
    """Statements, each with its numbers; controls are in brackets or named."""
    return [
        _identity(result),
        _contraction(result),
        _withdrawal(result),
        _sharing(result),
        _rotation(result),
        _real_collapse(result),
        _adaptedness(result),
        _whole_classes(result),
    ]


def _identity(result: Result) -> Finding:
    made = result.composition
    real = max(s.identity_error for network in result.networks for s in network.structure)
    condition = max(max(s.conditions) for network in result.networks for s in network.structure)
    return (
        "A rectifier network is one affine map after truncations of its input space",
        f"Largest relative difference {made.identity_error:.0e} with adapted weights, {real:.0e} "
        f"in the digit networks, whose cumulative weights have condition numbers up to "
        f"{condition:.0e}. Other scales D move truncated points by at most "
        f"{made.scales_error:.0e}.",
    )


def _contraction(result: Result) -> Finding:
    first = result.separated[0]
    rates = [run.shares[0].mean() for run in result.separated]
    events = sum(run.events for run in result.separated)
    moment = truncated_at(result)
    to_a_point = (
        f"the clusters are points at time {number(moment)}"
        if np.isfinite(moment)
        else "the clusters are no points at the end"
    )
    loss = np.sum([run.losses for run in result.separated], axis=0)
    return (
        "Truncation speeds itself up: the rate is the share of truncated points",
        f"It rises from {number(float(np.mean(rates)))} to "
        f"{number(float(np.mean([run.shares[-1].mean() for run in result.separated])))} over "
        f"{events} events; {to_a_point} and the loss falls from {number(loss[0])} to "
        f"{loss[-1]:.0e}. Euler's method with a step of {result.settings.small_step} differs by "
        f"at most {first.check[0]:.0e}, with twice that step by {first.check[1]:.0e}.",
    )


def _withdrawal(result: Result) -> Finding:
    away, rest = result.withdrawing, result.resting
    still = float(np.abs(rest.values - rest.values[0]).max())
    return (
        "Controls: from a target on the near side the map withdraws, and ahead of a cluster it "
        "rests",
        f"Near side: truncated share {number(float(away.shares[0].mean()))} to "
        f"{number(float(away.shares[-1].mean()))}, diameter {number(away.diameters[0, 0])} to "
        f"{number(away.diameters[-1, 0])}, loss {number(away.losses[0])} to "
        f"{number(away.losses[-1])}. Cluster in the positive orthant: the map moves by "
        f"{number(still, 0)}, the loss stays {number(rest.losses[-1])}.",
    )


def _sharing(result: Result) -> Finding:
    both = result.shared
    return (
        "Without separation, one map takes two clusters to the same point",
        f"Diameters {number(float(both.diameters[0].max()))} to "
        f"{number(float(both.diameters[-1].max()))}, but the loss stops at "
        f"{number(both.losses[-1])} (from {number(both.losses[0])}): the classes are one.",
    )


def _rotation(result: Result) -> Finding:
    turned, plain = result.rotation, result.euler
    falls = "falls" if turned.losses[-1] < turned.losses[0] else "does not fall"
    return (
        f"With the rotation moving too, the loss {falls} and R stays orthogonal",
        f"Loss {number(turned.losses[0])} to {turned.losses[-1]:.0e}; |RR' − 1| at most "
        f"{turned.errors.max():.0e} (plain Euler steps: {plain.errors.max():.0e}).",
    )


def _real_collapse(result: Result) -> Finding:
    nc = collapse(result).mean(axis=0)
    first, last = nc[0], nc[-1]
    verb = "fall" if last[0] < first[0] and last[4] < first[4] else "do not both fall"
    shuffled = np.mean(
        [network.shuffled for network in result.networks if network.shuffled], axis=0
    )
    accuracy = np.mean([network.accuracy for network in result.networks], axis=0)
    return (
        f"Digit networks: NC1 and NC4 {verb} in training",
        f"NC1 {number(first[0])} to {number(last[0])}, with shuffled labels "
        f"{number(shuffled[0], 0)}; NC4 {number(first[4], 3)} to {number(last[4], 3)}; NC3 "
        f"{number(first[3])} to {number(last[3])}; NC2 norms {number(first[1])} to "
        f"{number(last[1])}, angles {number(first[2])} to {number(last[2])}. Held-out accuracy "
        f"{number(100 * accuracy[0], 1)} % to {number(100 * accuracy[1], 1)} %.",
    )


def _adaptedness(result: Result) -> Finding:
    parts = []
    for trained, name in ((False, "untrained"), (True, "trained")):
        shares = of_layers(result, "cumulative", trained)
        controls = of_layers(result, "cumulative_control", trained)
        texts = [
            f"{number(share, 3)} ({control_text(mean, sd)})"
            for share, (mean, sd) in zip(shares, controls, strict=True)
        ]
        parts.append(f"{name} {', '.join(texts)}")
    near = "nearer" if _adapted(result) else "no nearer"
    return (
        f"Up to the last layer, trained weights are {near} to adapted than their random rotations",
        "Off-diagonal share of the cumulative weights by layer, 0 if adapted, and in brackets the "
        f"same weights with rotated units: {'; '.join(parts)}.",
    )


def _whole_classes(result: Result) -> Finding:
    off = [of_layers(result, "off", trained) for trained in (False, True)]
    wide = [of_layers(result, "diameters", trained) for trained in (False, True)]
    points = wide[1][-1] < 0.1 * wide[1][0]
    return (
        f"The classes of digits {'become' if points else 'do not become'} points of input space",
        "Diameter of a class over the distance of class means: "
        f"{number(wide[1][0])} for the images, {number(wide[1][-1])} after all truncations "
        f"(untrained {number(wide[0][-1])}). Units that are off for a whole class, by layer: "
        f"{_percents(off[1])} (untrained {_percents(off[0])}); a cluster that is truncated "
        "entirely would have all of them off in its layer.",
    )


def _percents(shares: Array) -> str:
    return ", ".join(f"{number(100 * share, 1)} %" for share in shares)


def numbers(result: Result) -> dict[str, Any]:
    """What the findings state, as plain numbers."""
    nc = collapse(result)
    runs = {
        "separated": result.separated[0],
        "near_side": result.withdrawing,
        "positive_orthant": result.resting,
        "shared": result.shared,
    }
    moment = truncated_at(result)
    return {
        "identity_error": result.composition.identity_error,
        "scales_error": result.composition.scales_error,
        "stray_points": result.composition.strays,
        "points_at_time": moment if np.isfinite(moment) else None,
        "flows": {
            name: {
                "share": [run.shares[0].mean(), run.shares[-1].mean()],
                "loss": run.losses[[0, -1]],
                "diameter": [run.diameters[0].max(), run.diameters[-1].max()],
                "events": run.events,
                "euler_difference": run.check[0],
                "euler_difference_of_twice_the_step": run.check[1],
            }
            for name, run in runs.items()
        },
        "rotation": {
            "loss": result.rotation.losses[[0, -1]],
            "orthogonality_error": result.rotation.errors.max(),
            "orthogonality_error_of_euler": result.euler.errors.max(),
        },
        "collapse": {
            name: {"untrained": nc[:, 0, k], "trained": nc[:, -1, k]}
            for k, name in enumerate(NAMES)
        },
        "nc1_with_shuffled_labels": [n.shuffled.nc1 for n in result.networks if n.shuffled],
        "accuracy": [network.accuracy for network in result.networks],
        "structure": [
            {
                state: {key: getattr(s, key) for key in s.__dataclass_fields__}
                for state, s in zip(("untrained", "trained"), network.structure, strict=True)
            }
            for network in result.networks
        ],
    }


def grids(result: Result) -> dict[str, Array]:
    """The curves and points behind the figures."""
    named = {f"separated_{k}": run for k, run in enumerate(result.separated)}
    named |= {
        "near_side": result.withdrawing,
        "positive_orthant": result.resting,
        "shared": result.shared,
    }
    arrays = {"times": result.settings.times, "collapse": collapse(result)}
    for name, run in named.items():
        arrays |= {
            f"{name}_shares": run.shares,
            f"{name}_losses": run.losses,
            f"{name}_diameters": run.diameters,
            f"{name}_shifts": run.values,
        }
    return arrays | {
        "rotation_losses": result.rotation.losses,
        "rotation_errors": result.rotation.errors,
        "points": result.scene.points,
        "labels": result.scene.labels,
        "truncated_points": result.composition.points,
        "truncated_points_times": result.settings.times[result.composition.moments],
    }
