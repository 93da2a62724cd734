"""Sentences about data, each of planted numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

import likewise as lw

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")


def plain(n=200, d=6, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def about(found, topic):
    return {s.about: s for s in found.statements if s.topic == topic}


def test_nothing_is_said_of_data_without_faults():
    found = lw.recommend({"a": plain(), "b": plain(seed=1)}, measures=["cka"])
    assert [s.topic for s in found.statements] == ["chance"]


def test_what_is_planted_is_said_with_its_numbers():
    constant, loud, far, repeats, padded = (plain(seed=k) for k in range(5))
    constant[:, [1, 4]] = 3
    loud[:, 2] *= 30
    far += 1e3
    repeats[50:60] = repeats[:10]
    padded[-7:] = 0
    items = {"c": constant, "l": loud, "f": far, "r": repeats, "p": padded, "w": plain(30, 20)}
    short = items.pop("w")
    cosine = lw.measure("rsa", dissimilarity="cosine")
    found = lw.recommend(items, measures=["cka", "cca", "mutual_knn", cosine])
    (seen,) = about(found, "constant units").values()
    assert (seen.about, seen.numbers) == ("c", {"constant": 2, "units": 6})
    assert seen.text.startswith("2 of 6 units are constant")
    (seen,) = about(found, "dominant unit").values()
    share = loud.var(axis=0)[2] / loud.var(axis=0).sum()
    assert (seen.about, seen.numbers["unit"]) == ("l", 2)
    assert seen.numbers["share"] == pytest.approx(share)
    assert f"unit 2 has {share:.0%}" in seen.text
    assert "seen by cka, mutual_knn, rsa; standardise" in seen.text
    assert "cca" not in seen.text
    (seen,) = about(found, "large means").values()
    ratio = np.linalg.norm(far.mean(axis=0)) / np.sqrt(far.var(axis=0).sum())
    assert seen.about == "f"
    assert seen.numbers["ratio"] == pytest.approx(ratio)
    assert "it is seen by rsa; subtract" in seen.text
    repeated = about(found, "repeats")
    assert repeated["r"].numbers == {"repeated": 10, "distinct": 190}
    assert repeated["p"].numbers == {"repeated": 6, "distinct": 194}
    assert "10 of 200 samples" in repeated["r"].text
    assert about(found, "zero samples")["p"].numbers == {"zeros": 7, "samples": 200}
    assert not about(found, "samples")
    found = lw.recommend([short], measures=["cca", "mutual_knn"])
    text = about(found, "samples")["0"].text
    assert text.startswith("30 samples for 20 units, fewer than 40: cca")
    assert "mutual_knn" not in text


def test_chance_is_the_mean_of_shuffled_scores_and_the_least_inflated_comes_first():
    x, y = plain(40, 30), plain(40, 30, 1)
    found = lw.recommend([x, plain(40, 2, 2), y], n=8, measures=["procrustes", "cka", "mutual_knn"])
    chance = about(found, "chance")
    shares = [s.numbers["share"] for s in found.statements if s.topic == "chance"]
    assert shares == sorted(shares)
    for name, best, worst in (("cka", 1, 0), ("procrustes", 0, np.pi / 2)):
        null = lw.permutation_test(x, y, name, n=8).null
        numbers = chance[name].numbers
        assert numbers["chance"] == pytest.approx(null.mean())
        assert numbers["sd"] == pytest.approx(null.std(ddof=1))
        assert numbers["share"] == pytest.approx((null.mean() - worst) / (best - worst))
        assert "of the way to the best score" in chance[name].text
    assert "0 and 2 score" in chance["cka"].text
    related = lw.recommend([plain(), plain() @ plain(6, 6)], measures=["cka"])
    assert "can be read as it is" in about(related, "chance")["cka"].text
    unrelated = lw.recommend([plain(), plain(seed=9)], measures=["cka"])
    assert "nothing beyond chance" in about(unrelated, "chance")["cka"].text


def test_it_prints_as_a_table_and_is_plain_data():
    found = lw.recommend({"a": plain(10)}, measures=["cka", "hsic"])
    lines = repr(found).splitlines()
    assert len(lines) == 1 + len(found.statements)
    assert lines[0].split() == ["topic", "about"]
    assert lines[1].startswith("samples  a")
    back = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert back["statements"][0]["numbers"] == {"samples": 10, "units": 6}
    assert back["statements"][-1]["numbers"]["share"] is None  # HSIC has no best score


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="recommend: n must be at least 2, got 1"):
        lw.recommend([plain()], n=1)
    with pytest.raises(ValueError, match="recommend: needs at least one item"):
        lw.recommend([])
    with pytest.raises(ValueError, match="recommend: items\\[0\\] must be finite"):
        lw.recommend([plain() * np.nan])
