"""Streams on a device: sums that stay there, in one place, and are told of at the end."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import simulated
from test_accumulator import STREAMED

import likewise as lw
from likewise._border import device as _device

pytestmark = pytest.mark.simulator


def items(dtype=np.float64, n=40, widths=(3, 5, 4)):
    rng = np.random.default_rng(2)
    latents = rng.standard_normal((n, 3))
    return [
        (latents @ rng.standard_normal((3, d)) + 0.5 * rng.standard_normal((n, d))).astype(dtype)
        for d in widths
    ]


def there(arrays):
    return [simulated.array(array) for array in arrays]


def compute(stream):
    return simulated.cpu(type(stream).compute)(stream)


def streams():
    return (
        lw.scale.Accumulator("linear_predictivity", cv=3),
        lw.scale.MinibatchCKA(),
        lw.scale.UnitAccumulator(),
        lw.scale.UnitAccumulator("mutual_information", bins=4),
    )


def batches(stream, arrays, crossed):
    if isinstance(stream, lw.scale.UnitAccumulator):
        return arrays[:2]
    return (arrays[:2], arrays[2:]) if crossed else (arrays,)


@pytest.mark.parametrize("kind", range(3))
@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_states_of_a_device_are_those_of_the_cpu(kind, crossed, dtype):
    here, device = streams()[kind], streams()[kind]
    arrays = items(dtype)
    for rows in (slice(0, 17), slice(17, 40)):
        part = [array[rows] for array in arrays]
        simulated.cpu(type(here).update)(here, *batches(here, part, crossed))
        device.update(*batches(device, there(part), crossed), check_finite=False)
    assert all(_device.is_device_array(value) for value in device._sums.values())
    found, expected = device.state, here.state
    for name, value in device._sums.items():
        assert value.dtype == expected[name].dtype
    assert found.keys() == expected.keys()
    tolerance = 1e-6 if dtype == np.float32 and kind == 1 else 1e-13
    for name, value in expected.items():
        assert type(found[name]) is np.ndarray
        assert found[name].dtype == value.dtype
        np.testing.assert_allclose(found[name], value, rtol=tolerance, atol=1e-12, err_msg=name)
    scores = compute(device)
    assert scores.dtype == dtype
    atol = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(scores.numpy(), compute(here), rtol=0, atol=atol)


def test_states_travel_between_places():
    here, device = lw.scale.Accumulator("cka"), lw.scale.Accumulator("cka")
    simulated.cpu(type(here).update)(here, items())
    device.update(there(items(n=30)))
    device.state = here.state
    np.testing.assert_allclose(compute(device).numpy(), compute(here), rtol=0, atol=1e-13)
    copy = lw.scale.Accumulator("cka")
    copy.merge(device)
    copy.merge(device)
    for name, value in here.state.items():
        twice = 2 * value if name.endswith("cross") else value
        np.testing.assert_array_equal(copy.state[name], twice)
        np.testing.assert_array_equal(device.state[name], value)  # copies do not share memory
    fresh = lw.scale.Accumulator("cka")
    fresh.state = device.state
    np.testing.assert_array_equal(compute(fresh), compute(here))
    with pytest.raises(ValueError, match="a state must have the arrays of this accumulator"):
        device.state = {}


def test_one_accumulator_is_in_one_place():
    here, device = lw.scale.Accumulator("cka"), lw.scale.Accumulator("cka")
    update = simulated.cpu(type(here).update)
    update(here, items())
    device.update(there(items()))
    message = "one library and device, got the first from {} and another from {}"
    names = "the CPU", r"\w+ on device 0"
    for stream, batch, (own, other) in (
        (here, there(items()), names),
        (device, items(), names[::-1]),
    ):
        before = stream.state
        with pytest.raises(lw.InputTypeError, match=message.format(own, other)):
            update(stream, batch)
        with pytest.raises(lw.InputTypeError, match=message.format(own, other)):
            stream.merge(device if stream is here else here)
        for name, value in stream.state.items():
            np.testing.assert_array_equal(value, before[name])
    with pytest.raises(lw.InputTypeError, match="one library and device, got items_b"):
        update(lw.scale.Accumulator("cka"), items()[:2], there(items()[2:]))


@pytest.mark.parametrize("kind", range(4))
def test_what_is_not_finite_adds_nothing(kind):
    stream = streams()[kind]
    wrong = items()
    wrong[1][7, 2] = np.nan
    with pytest.raises(ValueError, match=r"update: .* must be finite, got nan at index \(7, 2\)"):
        stream.update(*batches(stream, there(wrong), True))
    with pytest.raises(ValueError, match="no samples were seen"):
        stream.compute()
    stream.update(*batches(stream, there(items()), True))
    before = stream.state
    with pytest.raises(ValueError, match="must be finite"):
        stream.update(*batches(stream, there(wrong), True))
    for name, value in stream.state.items():
        np.testing.assert_array_equal(value, before[name])


def test_labels_give_grids():
    stream = lw.scale.Accumulator("cka")
    stream.update(dict(zip("abc", there(items()), strict=True)))
    grid = compute(stream)
    assert (type(grid), grid.rows) == (lw.Grid, tuple("abc"))


def scores_and_warnings(stream, array, given):
    """Of items of which one unit is constant, and one whole item."""
    type(stream).update.__wrapped__(stream, *[list(map(array, side)) for side in given])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scores = compute(stream)
    return scores, [str(warning.message) for warning in caught]


PREDICTED = [("linear_predictivity", {"cv": 3}), ("linear_predictivity", {"alphas": [0.1, 3.0]})]


@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize(("name", "options"), STREAMED + PREDICTED, ids=str)
def test_scores_and_warnings_are_those_of_the_cpu(name, options, crossed, monkeypatch):
    arrays = [*items(n=60, widths=(4, 20, 20, 34)), np.full((60, 2), 0.1)]
    arrays[0][:, 1] = 0.3
    arrays[3][:, :2] += 5
    given = (arrays[:2], arrays[1:]) if crossed else (arrays,)
    expected, told = scores_and_warnings(lw.scale.Accumulator(name, **options), np.asarray, given)
    waits, finish = [], _device.DeviceLibrary.finish

    def counted(library, *also, **more):
        waits.append(library.function)
        return finish(library, *also, **more)

    monkeypatch.setattr(_device.DeviceLibrary, "finish", counted)
    runs = []
    for _ in range(2):
        stream = lw.scale.Accumulator(name, **options)
        found, warned = scores_and_warnings(stream, simulated.array, given)
        assert warned == told
        assert (found.dtype, found.shape) == (np.float64, expected.shape)
        runs.append(found.numpy())
    assert waits == ["Accumulator.update"] * 2
    np.testing.assert_array_equal(*runs)
    same = np.equal.outer(*([id(item) for item in side] for side in (given[0], given[-1])))
    np.testing.assert_allclose(runs[0][~same], expected[~same], rtol=1e-10, atol=1e-10)
    # Distances of what is the same: 1e-8 of norms of some hundred.
    np.testing.assert_allclose(runs[0][same], expected[same], rtol=1e-9, atol=1e-5)


def test_too_few_samples_are_told_when_all_is_known():
    for name in ("cca", "hsic", "linear_predictivity"):
        stream = lw.scale.Accumulator(name)
        stream.update(there(items(n=1)))
        with pytest.raises(ValueError, match=f"compute: {name} needs at least .* got 1$"):
            compute(stream)
