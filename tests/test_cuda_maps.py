"""Maps of device arrays: what stays there, what is refused, agreement with the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import simulated
from simulated import on_simulator

import likewise as lw
from likewise._border import device as _device

pytest.importorskip("sklearn")
from sklearn.base import clone

pytestmark = [on_simulator, pytest.mark.filterwarnings("ignore::likewise.DeviceWarning")]

MAPS = {
    "orthogonal": lw.maps.Orthogonal(),
    "rotation": lw.maps.Orthogonal(scale=False),
    "permutation": lw.maps.Permutation(),
    "soft": lw.maps.SoftPermutation(),
    "half": lw.maps.SoftPermutation(mass=0.5),
    "ridge": lw.maps.Ridge(),
    "alphas": lw.maps.Ridge((0.1, 10.0)),
    "lasso": lw.maps.Lasso(0.05, tol=1e-12),  # both engines end where there is one answer
}
every_map = pytest.mark.parametrize("estimator", MAPS.values(), ids=list(MAPS))


def pair(dtype=np.float64, n=30, dx=4, dy=5):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((n, dx)) + 3
    y = x @ rng.standard_normal((dx, dy)) + 0.5 * rng.standard_normal((n, dy))
    return x.astype(dtype), y.astype(dtype)


def there(*arrays):
    return [simulated.array(array) for array in arrays]


def call(estimator, method, *arrays):
    """The method itself, which computes where its arrays are."""
    return simulated.cpu(getattr(type(estimator), method))(estimator, *arrays)


def attributes(estimator):
    return {k: v for k, v in vars(estimator).items() if k.endswith("_") and k[0] != "_"}


@every_map
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(4, 5), (5, 4), (40, 3)])
def test_fits_agree_with_the_cpu(estimator, dtype, shape):
    x, y = pair(dtype, dx=shape[0], dy=shape[1])
    here, device = clone(estimator), clone(estimator)
    call(here, "fit", x, y)
    assert call(device, "fit", *there(x, y)) is device
    found, expected = attributes(device), attributes(here)
    assert found.keys() == expected.keys()
    tolerance = 1e-5 if dtype == np.float32 else 1e-9
    for name in expected.keys() - {"n_features_in_"}:
        assert _device.is_device_array(found[name]), name
        narrow = name in ("coef_", "intercept_")
        assert found[name].dtype == (dtype if narrow else np.float64)
        value = found[name].numpy()
        np.testing.assert_allclose(value, expected[name], rtol=tolerance, atol=tolerance)
    predicted = call(device, "predict", simulated.array(x[:7]))
    assert _device.is_device_array(predicted)
    assert predicted.dtype == dtype
    np.testing.assert_allclose(
        predicted.numpy(), call(here, "predict", x[:7]), rtol=tolerance, atol=10 * tolerance
    )
    for method in ("score", "correlation_score", "plan_score"):
        if hasattr(estimator, method):
            score = call(device, method, *there(x, y))
            assert type(score) is float
            assert score == pytest.approx(call(here, method, x, y), abs=tolerance)


@every_map
def test_controls_draw_what_the_cpu_draws(estimator):
    x, y = pair()
    function = simulated.cpu(lw.maps.cross_validate)
    for control in ("shuffle", "rotate"):
        options = {"cv": 3, "control": control, "n_controls": 2}
        expected = function(estimator, x, y, **options)
        found = function(estimator, *there(x, y), **options)
        for value, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(value, other, rtol=0, atol=1e-9)


def test_fits_and_arrays_are_in_one_place():
    x, y = pair()
    here, device = lw.maps.Ridge(), lw.maps.Ridge()
    call(here, "fit", x, y)
    call(device, "fit", *there(x, y))
    for method in ("predict", "score", "correlation_score"):
        sides = (x, y) if method != "predict" else (x,)
        with pytest.raises(lw.InputTypeError, match="fitted on the CPU, and X is from"):
            call(here, method, *there(*sides))
        with pytest.raises(
            lw.InputTypeError, match=r"fitted on \w+ on device 0, and X is on the C"
        ):
            call(device, method, *sides)
    for sides in ((simulated.array(x), y), (x, simulated.array(y))):
        for fitted, method in ((lw.maps.Ridge(), "fit"), (here, "score")):
            with pytest.raises(lw.InputTypeError, match="one library and device"):
                call(fitted, method, *sides)
        with pytest.raises(lw.InputTypeError, match="one library and device"):
            simulated.cpu(lw.maps.cross_validate)(lw.maps.Ridge(), *sides)


@every_map
def test_what_is_wrong_is_named(estimator):
    x, y = pair()
    fitted, name = clone(estimator), type(estimator).__name__
    wrong = x.copy()
    wrong[3, 1] = np.nan
    with pytest.raises(ValueError, match=rf"{name}.fit: X must be finite, got nan at index \(3, 1"):
        call(fitted, "fit", *there(wrong, y))
    assert not attributes(fitted)
    with pytest.raises(ValueError, match=f"{name}.fit: .* same number of samples"):
        call(fitted, "fit", *there(x, y[1:]))
    with pytest.raises(ValueError, match=f"{name}.fit: X must have shape"):
        call(fitted, "fit", *there(x[0], y))
    with pytest.raises(ValueError, match=f"{name}.fit: at least 2 samples are needed, got 1"):
        call(fitted, "fit", *there(x[:1], y[:1]))
    call(fitted, "fit", *there(x, y))
    with pytest.raises(ValueError, match=f"{name}.predict: X must be finite"):
        call(fitted, "predict", *there(wrong))
    with pytest.raises(ValueError, match=f"X has 5 features, but {name} is expecting 4 features"):
        call(fitted, "predict", *there(y))
    with pytest.raises(ValueError, match=f"{name}.score: y must have shape"):
        call(fitted, "score", *there(x, x))
    with pytest.raises(ValueError, match="sample_weight has no version"):
        call(fitted, "score", *there(x, y), np.ones(30))


def test_constant_units_warn_as_on_the_cpu():
    x, y = pair()
    x[:, 2] = 0.1
    for estimator in (lw.maps.Permutation(), lw.maps.SoftPermutation()):
        with pytest.warns(lw.DegenerateWarning, match="1 constant unit "):
            call(estimator, "fit", *there(x, y))


def test_the_lasso_of_constant_units_and_one_target():
    x, y = pair(dx=5)
    x[:, 2] = 0.1
    for target in (y[:, 0], np.full_like(y, 0.1), y):
        here, device = lw.maps.Lasso(0.02), lw.maps.Lasso(0.02)
        call(here, "fit", x, target)
        call(device, "fit", *there(x, target))
        found, expected = attributes(device), attributes(here)
        for name in ("coef_", "intercept_", "gap_"):
            assert tuple(found[name].shape) == np.shape(expected[name]), name
            np.testing.assert_allclose(found[name].numpy(), expected[name], rtol=0, atol=1e-9)
    assert (found["coef_"].numpy()[:, 2] == 0).all()


def test_lasso_fits_that_do_not_converge_are_said():
    fitted = lw.maps.Lasso(alpha=0.02, tol=1e-30)
    messages = []
    for arrays in (pair(), there(*pair())):
        with pytest.warns(lw.ConvergenceWarning) as said:
            call(fitted, "fit", *arrays)
        messages.append(str(said[0].message).partition(", the largest")[0])
    assert messages[0].startswith("Lasso: the duality gap of ")
    assert messages[0].endswith(" of 5 fits stayed above 1e-30 of 1/2 |y|^2")
    assert messages[1] == messages[0]
    with pytest.raises(ValueError, match="Lasso: alpha must be positive and finite, got 0"):
        call(lw.maps.Lasso(alpha=0), "fit", *there(*pair()))


def test_nothing_is_determined_by_one_sample():
    fitted = lw.maps.Orthogonal()
    call(fitted, "fit", *there(*pair()))
    sides = [side[:1] for side in pair()]
    assert np.isnan(call(fitted, "score", *there(*sides)))
    assert call(fitted, "correlation_score", *there(*sides)) == 0


@every_map
def test_runs_repeat(estimator):
    first, second = clone(estimator), clone(estimator)
    for fitted in (first, second):
        call(fitted, "fit", *there(*pair(np.float32)))
    for name, value in attributes(first).items():
        if name != "n_features_in_":
            np.testing.assert_array_equal(value.numpy(), attributes(second)[name].numpy())
