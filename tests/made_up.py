"""Results that no run gave, to see that findings follow the numbers."""

import dataclasses
import warnings

import numpy as np

from likewise.report.findings import counts, html


def assert_findings_follow(findings, result, *others):
    """No made-up result breaks a report, what is NaN is not decided, and no verdict is constant.

    `others` are more made-up results, where flags and floating-point numbers are not enough.
    """
    given = findings(result)
    rng = np.random.default_rng(0)
    changes = {
        "opposite": lambda x: ~x if x.dtype.kind == "b" else -x,
        "nothing": lambda x: np.full_like(x, False if x.dtype.kind == "b" else np.nan),
        "noise": lambda x: drawn(rng.random(np.shape(x)), x.dtype),
    }
    told = {}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for name, change in changes.items():
            told[name] = findings(changed(result, change))
        told |= {k: findings(other) for k, other in enumerate(others)}
    for found in told.values():
        assert [f.statement for f in found] == [f.statement for f in given]
        assert counts(found) in html(found)
    unknown = [f for f in told["nothing"] if np.isnan(f.number)]
    assert unknown
    assert all(f.verdict == "undecided" for f in unknown)
    verdicts = [[f.verdict for f in found] for found in (given, *told.values())]
    decided = [k for k, those in enumerate(zip(*verdicts, strict=True)) if len(set(those)) > 1]
    assert decided
    for k, finding in enumerate(given):  # a verdict that no number changes is none
        assert k in decided or finding.verdict == "undecided", finding


def drawn(numbers, dtype):
    return numbers < 0.5 if dtype.kind == "b" else numbers.astype(dtype)


def changed(value, change):
    """The same result with all floating-point numbers and flags changed; settings stay."""
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        fields = {k: v if k == "settings" else changed(v, change) for k, v in fields.items()}
        return type(value)(**fields)
    if isinstance(value, dict):
        return {key: changed(entry, change) for key, entry in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(changed(entry, change) for entry in value))
    if isinstance(value, (list, tuple)):
        return type(value)(changed(entry, change) for entry in value)
    if isinstance(value, float):
        return float(change(np.asarray(value)))
    if isinstance(value, np.ndarray) and value.dtype.kind in "fb":
        return change(value)
    return value
