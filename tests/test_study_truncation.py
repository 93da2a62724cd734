"""The study of truncation maps: exact identities, and what its networks show at quick size."""

import numpy as np
import pytest

from likewise.studies.truncation import flow
from likewise.studies.truncation.clusters import CLUSTERS, maps, outputs, scene
from likewise.studies.truncation.flow import gradients, rotation_flow, tangent
from likewise.studies.truncation.settings import Settings

QUICK = Settings.quick()
RNG = np.random.default_rng


def cluster(n=200, seed=0):
    return RNG(seed).normal(0, 0.5, (n, 3))


def beyond(z):
    return np.broadcast_to(z.max(axis=0) + 0.25, z.shape)


def start(z, share=0.25):
    return -np.quantile(z, share, axis=0)


def values_at(coordinates, times):
    return np.stack([coordinate.at(times) for coordinate in coordinates], axis=1)


def test_the_exact_flow_is_the_limit_of_small_steps():
    z = cluster()
    away = np.broadcast_to(z.min(axis=0) - 0.25, z.shape)
    own = RNG(1).standard_normal(z.shape)  # held between points that enter and leave
    for targets in (beyond(z), away, own):
        exact = flow.exact_flow(z, targets, start(z, 0.4))
        errors = []
        for step in (4e-3, 2e-3, 1e-3):
            times = step * np.arange(round(6 / step) + 1)
            path = flow.small_steps(z, targets, start(z, 0.4), step, len(times) - 1)
            errors.append(np.abs(path - values_at(exact, times)).max())
        assert errors[-1] < 1e-3
        assert errors[-1] < 0.4 * errors[0]


def test_a_single_point_follows_the_closed_form():
    z, c = np.array([[1.0]]), np.array([[3.0]])
    (path,) = flow.exact_flow(z, c, np.array([-1.5]))
    times = np.linspace(0, 4, 9)
    np.testing.assert_allclose(path.at(times), -3 + 1.5 * np.exp(-times), atol=1e-14)
    (late,) = flow.exact_flow(np.array([[1.0], [2.0]]), np.array([[3.0], [3.0]]), np.array([-1.5]))
    event = 2 * np.log(1.5)  # at the rate 1/2 from -1.5 to -2, towards -3
    np.testing.assert_allclose(late.times, [0, event])
    np.testing.assert_array_equal(late.counts, [1, 2])
    np.testing.assert_allclose(late.at(np.array([event + 1])), -3 + np.exp(-1))


def test_rates_are_the_shares_of_truncated_points():
    z = cluster()
    targets = beyond(z)
    exact = flow.exact_flow(z, targets, start(z))
    for k, coordinate in enumerate(exact):
        np.testing.assert_array_equal(coordinate.rates, coordinate.counts / len(z))
        inner = (coordinate.times[:-1] + coordinate.times[1:]) / 2
        inner = np.append(inner, coordinate.times[-1] + 1)
        value = coordinate.at(inner)
        counted = np.sum(z[:, k, None] + value <= 0, axis=0)
        np.testing.assert_array_equal(coordinate.counts, counted)
        np.testing.assert_array_equal(coordinate.counts_at(inner), counted)
        # The gradient of the loss, from differences, is -rate (v - goal).
        for v, rate, goal in list(zip(value, coordinate.rates, coordinate.goals, strict=True))[
            ::30
        ]:
            at, by = values_at(exact, np.array([0.0]))[0], 1e-7 * np.eye(3)[k]
            at[k] = v
            slope = flow.loss(z, targets, at + by) - flow.loss(z, targets, at - by)
            assert slope / 2e-7 == pytest.approx(rate * (v - goal), abs=1e-6)


def test_truncation_accelerates_and_contracts():
    z = cluster()
    targets = beyond(z)
    exact = flow.exact_flow(z, targets, start(z))
    times = np.linspace(0, 12, 400)
    counts = np.stack([coordinate.counts_at(times) for coordinate in exact], axis=1)
    assert (np.diff(counts, axis=0) >= 0).all()
    assert (counts[0] < 60).all()
    assert (counts[-1] == len(z)).all()
    values = values_at(exact, times)
    losses = [flow.loss(z, targets, value) for value in values]
    assert (np.diff(losses) < 0).all()
    assert losses[-1] < 1e-8
    ends = flow.truncated_points(z, values[-1])
    assert np.ptp(ends, axis=0).max() == 0
    np.testing.assert_allclose(ends, targets, atol=1e-4)


def test_nothing_moves_in_the_positive_orthant():
    z = cluster()
    for coordinate in flow.exact_flow(z, beyond(z), -z.min(axis=0) + 0.1):
        assert len(coordinate.times) == 1
        assert coordinate.counts[0] == coordinate.rates[0] == 0
        np.testing.assert_array_equal(coordinate.at(np.array([0, 5.0])), coordinate.values[0])


def test_two_clusters_under_one_map_become_the_same_point():
    z = np.concatenate([cluster(), cluster(seed=1)])
    targets = np.repeat([[3.0] * 3, [5.0] * 3], 200, axis=0)
    value = values_at(flow.exact_flow(z, targets, start(z)), np.array([40.0]))[0]
    np.testing.assert_allclose(value, -4, atol=1e-12)
    assert flow.loss(z, targets, value) == pytest.approx(3 / 2)


def test_the_network_of_the_flow():
    drawn = scene(QUICK)
    targets = drawn.targets[drawn.labels]
    scales = RNG(0).uniform(0.2, 5, (2, CLUSTERS, CLUSTERS))
    found, layers = maps(drawn, drawn.starts, scales[0])
    ends = found.path(drawn.points)
    exact = found.apply(ends[-1], CLUSTERS)
    np.testing.assert_allclose(exact, outputs(layers, drawn.points), rtol=0, atol=1e-12)
    other = maps(drawn, drawn.starts, scales[1])[0].path(drawn.points)
    np.testing.assert_allclose(other[-1], ends[-1], rtol=0, atol=1e-12)
    for k, sectors in enumerate(found.sectors(drawn.points)):
        assert sectors[drawn.labels != k].sum() == 0
        assert sectors[drawn.labels == k].any(axis=0).all()

    def loss(values):
        path = maps(drawn, values, scales[0])[0].path(drawn.points)
        return np.sum((path[-1] - targets) ** 2) / (2 * QUICK.points)

    for k in range(CLUSTERS):
        inside = drawn.points[drawn.labels == k] @ drawn.rotations[k].T
        seen = np.broadcast_to(drawn.rotations[k] @ drawn.targets[k], inside.shape)
        for q, by in enumerate(1e-6 * np.eye(CLUSTERS)):
            change = np.zeros((CLUSTERS, CLUSTERS))
            change[k] = by
            slope = (loss(drawn.starts + change) - loss(drawn.starts - change)) / 2e-6
            expected = -flow.velocity(inside, seen, drawn.starts[k])[q]
            assert slope == pytest.approx(expected, abs=1e-6)


def test_the_rotation_flow():
    x = cluster()
    turn = np.linalg.qr(RNG(2).standard_normal((3, 3)))[0]
    inside = x @ turn.T
    targets = np.broadcast_to((inside.max(axis=0) + 0.25) @ turn, x.shape)
    shift = -np.quantile(inside, 0.3, axis=0) @ turn
    draw = 0.2 * RNG(3).standard_normal((3, 3))
    begin = np.linalg.solve(np.eye(3) + draw - draw.T, (np.eye(3) - draw + draw.T) @ turn)

    _, of_rotation, of_shift = gradients(x, targets, begin, shift)
    for k in range(12):
        change = np.zeros(12)
        change[k] = 1e-6
        by, also = change[:9].reshape(3, 3), change[9:]
        up = gradients(x, targets, begin + by, shift + also)[0]
        down = gradients(x, targets, begin - by, shift - also)[0]
        expected = np.append(of_rotation.ravel(), of_shift)[k]
        assert (up - down) / 2e-6 == pytest.approx(expected, abs=1e-7)
    along = tangent(begin, of_rotation)
    np.testing.assert_allclose(along @ begin.T, -begin @ along.T, atol=1e-12)

    found = rotation_flow(x, targets, begin, shift, step=0.01, steps=1200)
    assert found.errors.max() < 1e-13
    assert (np.diff(found.losses) < 1e-12).all()
    assert found.losses[-1] < 1e-3 * found.losses[0]
    np.testing.assert_allclose(
        (found.rotations[1] - begin) / 0.01, -along, atol=0.02 * np.abs(along).max() + 0.02
    )
    plain = rotation_flow(x, targets, begin, shift, step=0.01, steps=1200, cayley=False)
    assert plain.errors.max() > 1e-7
