"""Streamed measures as torchmetrics metrics."""

import pickle
from pathlib import Path

import pytest
from processes import start

import likewise as lw

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

pytestmark = [
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]

CASES = {
    "CKA": (lw.cka, {"estimator": "unbiased"}),
    "HSIC": (lw.hsic, {}),
    "Procrustes": (lw.procrustes, {"score": "euclidean"}),
    "ShapeDistance": (lw.shape_distance, {"alpha": 0.5}),
    "CCA": (lw.cca, {}),
    "SVCCA": (lw.svcca, {"variance": 0.9}),
    "PWCCA": (lw.pwcca, {}),
}
by_name = pytest.mark.parametrize("name", CASES)


def data(n=60):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    y = torch.randn(n, 5, generator=generator, dtype=torch.float64)
    return x + 3, y + 0.5 * x[:, :1]


def far(n=60):
    """The same with means of 1e6 deviations, which plain sums have no digits for."""
    x, y = data(n)
    return x + 1e6, y - 1e6


def metric(name, **more):
    return getattr(lw.torch.metrics, name)(4, 5, **CASES[name][1], **more)


@pytest.mark.parametrize("data", [data, far])
@by_name
def test_batches_give_the_score_of_all_samples(name, data):
    x, y = data()
    function, options = CASES[name]
    one = metric(name)
    for first in range(0, 60, 17):
        one.update(x[first : first + 17], y[first : first + 17])
    assert one.compute().item() == pytest.approx(function(x, y, **options).item(), abs=1e-9)
    one.reset()
    one.update(x[:30], y[:30])
    expected = function(x[:30], y[:30], **options).item()
    assert one.compute().item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("data", [data, far])
@by_name
def test_forward_gives_the_batch_and_keeps_the_whole(name, data):
    x, y = data()
    function, options = CASES[name]
    one = metric(name)
    for first in (0, 30):
        part = slice(first, first + 30)
        of_batch = one(x[part], y[part]).item()
        assert of_batch == pytest.approx(function(x[part], y[part], **options).item(), abs=1e-9)
    assert one.compute().item() == pytest.approx(function(x, y, **options).item(), abs=1e-9)


@pytest.mark.parametrize("batch", [1, 7, 60])
def test_linear_predictivity_whatever_the_batches(batch):
    x, y = data()
    one = lw.torch.metrics.LinearPredictivity(4, 5, cv=3)
    whole = lw.scale.Accumulator("linear_predictivity", cv=3)
    whole.update([x], [y])
    for first in range(0, 60, batch):
        one.update(x[first : first + batch], y[first : first + batch])
    assert one.compute().item() == pytest.approx(whole.compute()[0, 0].item(), abs=1e-9)


def test_minibatch_cka():
    x, y = data()
    one, stream = lw.torch.metrics.MinibatchCKA(4, 5, kernel="rbf"), lw.scale.MinibatchCKA("rbf")
    for first in range(0, 60, 20):
        part = slice(first, first + 20)
        one.update(x[part], y[part])
        stream.update([x[part]], [y[part]])
    assert one.compute().item() == pytest.approx(stream.compute()[0, 0].item(), abs=1e-12)


def test_direction():
    assert metric("CKA").higher_is_better
    assert not metric("Procrustes").higher_is_better


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_sizes_cost_nothing(scale):
    x, y = data()
    one = lw.torch.metrics.CKA(4, 5)
    for first in range(0, 60, 17):
        one.update(x[first : first + 17] * scale, y[first : first + 17] / scale)
    assert one.compute().item() == pytest.approx(lw.cka(x, y).item(), abs=1e-10)


@by_name
def test_states_merge(name):
    x, y = far()
    one, other, empty = metric(name), metric(name), metric(name)
    one.update(x[:20], y[:20])
    other.update(x[20:], y[20:])
    for more in (other, empty):
        one.merge_state(more)
    function, options = CASES[name]
    assert one.compute().item() == pytest.approx(function(x, y, **options).item(), abs=1e-9)


def test_metrics_are_copied_and_pickled():
    x, y = far()
    one = metric("CKA")
    one.update(x[:20], y[:20])
    for other in (one.clone(), pickle.loads(pickle.dumps(one))):
        other(x[20:], y[20:])
        expected = lw.cka(x, y, estimator="unbiased").item()
        assert other.compute().item() == pytest.approx(expected, abs=1e-9)
    assert one.compute().item() == pytest.approx(
        lw.cka(x[:20], y[:20], estimator="unbiased").item(), abs=1e-9
    )


def test_a_metric_travels_by_its_state():
    x, y = data()
    one, other = metric("CKA"), metric("CKA")
    one.persistent(True)
    one.update(x, y)
    other.load_state_dict(one.state_dict())
    other.update(x, y)  # twice the same samples
    expected = lw.cka(torch.cat([x, x]), torch.cat([y, y]), estimator="unbiased").item()
    assert other.compute().item() == pytest.approx(expected, abs=1e-9)


def test_refusals():
    x, y = data()
    with pytest.raises(ValueError, match="CKA: units_x must be positive, got 0"):
        lw.torch.metrics.CKA(0, 5)
    with pytest.raises(ValueError, match=r"CKA: x must have shape \(n, 4\), got \(60, 5\)"):
        metric("CKA").update(y, x)
    with pytest.raises(ValueError, match="estimatr"):
        lw.torch.metrics.CKA(4, 5, estimatr="biased")
    with pytest.raises(ValueError, match="must be finite, got nan"):
        metric("CKA").update(x * float("nan"), y)


RANK = """
import sys, warnings
warnings.simplefilter("ignore")
import torch, likewise as lw
rank, address = int(sys.argv[1]), sys.argv[2]
sys.path.insert(0, {tests!r})
import test_torch_metrics as t
torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
x, y = t.far()
shares = [slice(0, 23), slice(23, 60)]  # of unequal size
for name in t.CASES:
    one = t.metric(name)
    for part in torch.arange(60)[shares[rank]].split(9):
        one.update(x[part], y[part])
    print(name, one.compute().item(), flush=True)
idle = t.metric("CKA")  # a rank without samples adds nothing
if rank:
    idle.update(x, y)
print("idle", idle.compute().item(), flush=True)
torch.distributed.destroy_process_group()
"""


def test_two_ranks(tmp_path):
    code = RANK.format(tests=str(Path(__file__).parent))
    address = f"file://{tmp_path / 'rendezvous'}"
    ranks = [start("-c", code, rank, address) for rank in range(2)]
    x, y = far()
    expected = {name: f(x, y, **options).item() for name, (f, options) in CASES.items()}
    expected["idle"] = expected["CKA"]
    for rank in ranks:
        out, err = rank.communicate(timeout=120)
        assert rank.returncode == 0, err
        found = dict(line.split() for line in out.splitlines())
        for name, score in expected.items():
            assert float(found[name]) == pytest.approx(score, abs=1e-9), name
