"""Run the study: flows, their checks, networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from likewise._border.arrays import Array
from likewise.studies.processes import timed
from likewise.studies.truncation import clusters, training
from likewise.studies.truncation.clusters import CLUSTERS, Run, Scene
from likewise.studies.truncation.flow import RotationFlow, rotation_flow
from likewise.studies.truncation.settings import Settings, Stream
from likewise.studies.truncation.training import Training

_ROTATION_STEP, _ROTATION_STEPS = 0.01, 1500
_SNAPSHOTS = 9
_DRAWS_OF_SCALES = 5


@dataclass
class Composition:
    """The whole network of the flows, layer after layer, at several times."""

    moments: Array
    """Positions in ``settings.times``."""
    points: Array
    """All points after all truncations, ``(moments, 3 N, 3)``."""
    identity_error: float
    """Network step by step against one affine map after the truncations, relative."""
    scales_error: float
    """Truncated points under other scales D, largest difference."""
    strays: int
    """Points that the layer of another cluster truncates, over all times."""


@dataclass
class Result:
    """Everything the findings, figures and tables are made from."""

    settings: Settings
    scene: Scene
    separated: list[Run]
    """One for each cluster and its layer."""
    withdrawing: Run
    resting: Run
    shared: Run
    composition: Composition
    rotation: RotationFlow
    euler: RotationFlow
    """The same steps without a return to the orthogonal matrices."""
    networks: list[Training] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def stages(settings: Settings) -> int:
    """How many times `run` calls `advance`."""
    return 2 + settings.networks


def run(
    settings: Settings | None = None, advance: Callable[[str], object] = lambda stage: None
) -> Result:
    """Do the whole study; `advance` hears the name of every stage as it starts."""
    settings = settings or Settings()
    seconds: dict[str, float] = {}
    advance("solving the flow of truncation maps")
    with timed(seconds, "flows"):
        scene = clusters.scene(settings)
        separated = [clusters.separated(scene, k, settings) for k in range(CLUSTERS)]
        result = Result(
            settings,
            scene,
            separated,
            clusters.withdrawing(scene, 0, settings),
            clusters.resting(scene, 0, settings),
            clusters.shared(scene, 0, settings),
            compose(scene, separated, settings),
            *_rotations(scene, settings),
            seconds=seconds,
        )
    advance("loading digits")
    with timed(seconds, "networks"):
        data = training.load(settings)
        for number in range(settings.networks):
            advance(f"training network {number + 1}")
            result.networks.append(training.train(number, data, settings))
    seconds["of which the monitor"] = sum(network.monitor_seconds for network in result.networks)
    return result


def compose(scene: Scene, runs: list[Run], settings: Settings) -> Composition:
    """All layers together, which the flows have looked at one by one."""
    rng = settings.generator(Stream.SCALES)
    moments = np.linspace(0, settings.moments - 1, _SNAPSHOTS).round().astype(int)
    points = []
    identity_error = scales_error = 0.0
    strays = 0
    for moment in moments:
        values = np.stack([run.values[moment] for run in runs])
        ends = []
        for _ in range(_DRAWS_OF_SCALES):
            maps, layers = clusters.maps(scene, values, rng.uniform(0.2, 5, (CLUSTERS, CLUSTERS)))
            ends.append(maps.path(scene.points)[-1])
            expected = clusters.outputs(layers, scene.points)
            error = np.abs(maps.apply(ends[-1], CLUSTERS) - expected).max()
            identity_error = max(identity_error, float(error / np.abs(expected).max()))
            sectors = maps.sectors(scene.points)
            strays += sum(int(s[scene.labels != k].sum()) for k, s in enumerate(sectors))
        scales_error = max(scales_error, float(np.ptp(ends, axis=0).max()))
        points.append(ends[0])
    return Composition(moments, np.array(points), identity_error, scales_error, strays)


def _rotations(scene: Scene, settings: Settings) -> tuple[RotationFlow, RotationFlow]:
    """A cluster whose map begins turned away, with R and beta both moving."""
    rng = settings.generator(Stream.ROTATION)
    antisymmetric = rng.standard_normal((CLUSTERS, CLUSTERS))
    turn = 0.15 * (antisymmetric - antisymmetric.T)
    identity = np.eye(CLUSTERS)
    rotation = np.linalg.solve(identity + turn, (identity - turn) @ scene.rotations[0])
    points = scene.points[scene.labels == 0]
    inside = points @ rotation.T
    shift = -np.quantile(inside, 0.3, axis=0) @ rotation
    targets = np.broadcast_to(scene.targets[0], points.shape)
    start = points, targets, rotation, shift
    flow = partial(rotation_flow, *start, step=_ROTATION_STEP, steps=_ROTATION_STEPS)
    return flow(), flow(cayley=False)
