"""Which frequencies survive, against their initial signal and gradient, with the tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from likewise.studies.circles.signals import Floats, Mask

NAN = float("nan")


@dataclass(frozen=True)
class Correlation:
    """Pearson correlation of initial signal with survival rate, and the same after shuffling."""

    r: float
    p_value: float
    points: int
    control_mean: float
    control_sd: float


@dataclass(frozen=True)
class Difference:
    """Early gradients of frequencies that survive and of those that die."""

    alive: float
    dead: float
    welch_p: float
    student_p: float


@dataclass(frozen=True)
class Separation:
    """Linear SVM on (gradient, initial signal): balanced accuracy on held-out frequencies."""

    accuracy: float
    control_mean: float
    """The same with shuffled labels; 0.5 is chance."""
    control_sd: float


def correlate(
    initial: Floats, rate: Floats, generator: np.random.Generator, shuffles: int
) -> Correlation:
    """Test whether strong frequencies survive more often.

    Parameters
    ----------
    initial
        Initial signals (embeddings, frequencies).
    rate
        Share of the runs of an embedding in which the frequency survived, same shape.
    shuffles
        The control shuffles the frequencies within each embedding so often.
    """
    from scipy.stats import pearsonr

    if np.ptp(rate) == 0 or np.ptp(initial) == 0:
        return Correlation(NAN, NAN, rate.size, NAN, NAN)
    test = pearsonr(initial.ravel(), rate.ravel())
    shuffled = [
        np.corrcoef(generator.permuted(initial, axis=1).ravel(), rate.ravel())[0, 1]
        for _ in range(shuffles)
    ]
    return Correlation(
        float(test.statistic),
        float(test.pvalue),
        rate.size,
        float(np.mean(shuffled)),
        float(np.std(shuffled, ddof=1)),
    )


def compare_gradients(gradient: Floats, alive: Mask) -> Difference:
    """Welch's and Student's t-test of the gradients of survivors against those of the others."""
    from scipy.stats import ttest_ind

    groups = gradient[alive], gradient[~alive]
    if min(map(len, groups)) < 2:
        return Difference(NAN, NAN, NAN, NAN)
    welch = ttest_ind(*groups, equal_var=False)
    student = ttest_ind(*groups)
    return Difference(
        float(groups[0].mean()),
        float(groups[1].mean()),
        float(welch.pvalue),
        float(student.pvalue),
    )


def separate(
    gradient: Floats, initial: Floats, alive: Mask, seed: int, splits: int = 20
) -> Separation:
    """Linear SVM with balanced classes, trained on 80 % and tested on 20 % of the frequencies.

    All shapes (embeddings, runs, frequencies). The runs of one embedding share its initial
    signals, so a frequency of an embedding is either trained on or tested on, with all its runs.
    Splits without both classes on both sides are left out; NaN if none is left.
    """
    from sklearn.model_selection import GroupShuffleSplit

    embeddings, _, frequencies = alive.shape
    features = np.column_stack([gradient.ravel(), initial.ravel()])
    labels = alive.ravel()
    numbers = np.arange(embeddings * frequencies).reshape(embeddings, 1, frequencies)
    groups = np.broadcast_to(numbers, alive.shape).ravel()
    splitter = GroupShuffleSplit(splits, test_size=0.2, random_state=seed)
    generator = np.random.default_rng(seed)
    accuracies, controls = [], []
    for train, test in splitter.split(features, labels, groups):
        if len(set(labels[train])) == 2 and len(set(labels[test])) == 2:
            accuracies.append(_accuracy(features, labels, train, test))
            shuffled = labels.copy()
            shuffled[train] = generator.permutation(labels[train])
            controls.append(_accuracy(features, shuffled, train, test))
    if len(accuracies) < 2:
        return Separation(NAN, NAN, NAN)
    return Separation(
        float(np.mean(accuracies)), float(np.mean(controls)), float(np.std(controls, ddof=1))
    )


def _accuracy(features: Floats, labels: Mask, train: Floats, test: Floats) -> float:
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    model = make_pipeline(StandardScaler(), SVC(kernel="linear", class_weight="balanced"))
    model.fit(features[train], labels[train])
    return float(balanced_accuracy_score(labels[test], model.predict(features[test])))
