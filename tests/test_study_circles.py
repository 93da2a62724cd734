"""The study of circles: its identities exactly, its robust findings at quick size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("studies_extra")

from likewise.studies.circles import (
    Settings,
    dynamics,
    jobs,
    signals,
    survival,
    training,
)

P, D = 13, 6


@pytest.fixture
def embedding():
    return np.random.default_rng(0).standard_normal((P, D))


def _job(embedding, **options):
    return training.Job(("test", 0), embedding, (0, 1), 20, Settings(hidden=8), **options)


def test_signals_are_norms_of_the_sum_over_tokens(embedding):
    tokens = np.arange(P)
    for k in range(1, (P - 1) // 2 + 1):
        coefficient = (np.exp(-2j * np.pi * k * tokens / P)[:, None] * embedding).sum(axis=0)
        expected = np.linalg.norm(coefficient)
        assert signals.fourier_signals(embedding)[k - 1] == pytest.approx(expected, rel=1e-12)
    stack = np.stack([embedding, 2 * embedding]).reshape(2, 1, P, D)
    assert signals.fourier_signals(stack).shape == (2, 1, (P - 1) // 2)
    assert signals.fourier_signals(embedding[:12]).shape == (5,)


def test_signals_refuse_a_single_token_axis():
    with pytest.raises(ValueError, match=r"embeddings must have shape .* got \(2, 4\)"):
        signals.spectrum(np.ones((2, 4)))


def test_relative_rule_counts_pairs_of_all_frequencies():
    generator = np.random.default_rng(1)
    built = signals.construct(P, D, {2: 9.0, 5: 8.0}, generator, floor=1.0)
    alive = signals.survivors_relative(np.stack([built, built + 3]))
    np.testing.assert_array_equal(np.flatnonzero(alive[0]) + 1, [2, 5])
    # A large mean over tokens lifts the average of the signals, k = 0 included.
    assert np.linalg.norm((built + 3).sum(axis=0)) > 90
    assert not alive[1].any()
    np.testing.assert_array_equal(signals.survivors_absolute(built, 8.5), np.arange(1, 7) == 2)


def test_circularity_of_a_circle_a_line_and_by_the_inverse_step(embedding):
    turn = 2 * np.pi * 3 * np.arange(P) / P
    circle = np.zeros((P, D))
    circle[:, 0], circle[:, 1] = np.cos(turn), np.sin(turn)
    assert signals.circularity(circle)[2] == pytest.approx(1, abs=1e-12)
    line = circle.copy()
    line[:, 1] = 0
    assert signals.circularity(line)[2] == pytest.approx(np.sqrt(0.5), abs=1e-12)
    for k in range(1, (P - 1) // 2 + 1):
        expected = _literal_circularity(embedding, k)
        assert signals.circularity(embedding)[k - 1] == pytest.approx(expected, abs=1e-12)


def _literal_circularity(embedding, k):
    """The definition with the inverse step and both of its signs."""
    tokens = np.arange(P)
    coefficient = np.exp(-2j * np.pi * k * tokens / P) @ embedding
    parts = []
    for direction in (coefficient.real, coefficient.imag):
        z = embedding @ (direction / np.linalg.norm(direction))
        z = z / (np.linalg.norm(z) * np.sqrt(P))
        steps = (pow(k, -1, P), P - pow(k, -1, P))
        turns = np.exp(2j * np.pi * tokens / P)
        parts.append(np.mean([2 * abs(np.sum(z[tokens * s % P] * turns)) ** 2 for s in steps]))
    return np.sqrt(np.mean(np.square(parts)))


def test_relative_gradient():
    rows = np.array([[2.0, 4.0], [3.0, 4.0], [5.0, 3.0]])
    np.testing.assert_allclose(signals.relative_gradient(rows, 2), [1.0, -0.25])
    with pytest.raises(ValueError, match="from 1 to 2, got 3"):
        signals.relative_gradient(rows, 3)


def test_interventions_change_what_they_say_and_stay_real(embedding):
    before = signals.spectrum(embedding)
    kept = signals.spectrum(signals.band_filter(embedding, [2, 4]))
    np.testing.assert_allclose(
        kept, np.where(np.isin(np.arange(7), [0, 2, 4]), before, 0), atol=1e-12
    )
    everything = signals.band_filter(embedding, range(1, 7))
    np.testing.assert_allclose(everything, embedding, atol=1e-14)
    scaled = signals.spectrum(signals.scale_frequency(embedding, 3, 0.5))
    np.testing.assert_allclose(scaled, before * np.where(np.arange(7) == 3, 0.5, 1))
    with pytest.raises(ValueError, match="from 1 to 6, got 0"):
        signals.scale_frequency(embedding, 0, 2.0)


def test_constructed_embeddings_are_circles_with_their_signals():
    built = signals.construct(P, D, {1: 80.0, 4: 20.0}, np.random.default_rng(2))
    expected = [80, 1e-6, 1e-6, 20, 1e-6, 1e-6]
    np.testing.assert_allclose(signals.fourier_signals(built), expected, rtol=1e-6)
    assert np.linalg.matrix_rank(signals.band_filter(built, [4])) == 2


@pytest.mark.parametrize("kind", [dynamics.Linear, dynamics.LotkaVolterra])
def test_fits_recover_the_recurrence_that_made_the_data(kind):
    generator = np.random.default_rng(4)
    made = kind(
        *(
            (generator.normal(0, 0.05, (3, 3)), generator.normal(0, 0.1, 3))
            if kind is dynamics.Linear
            else (np.array([0.1, 0.2, 0.15]), -generator.uniform(0.05, 0.2, (3, 3)))
        )
    )
    runs = [made.roll_out(generator.uniform(0.1, 2, 3), 30) for _ in range(4)]
    fit = kind.fit(runs[:3])
    scored = dynamics.score(fit, runs[3])
    assert scored.r2 == pytest.approx(1, abs=1e-9)
    assert scored.error < 1e-9 < scored.still


def test_diverging_roll_out_is_infinite_not_a_warning():
    fit = dynamics.LotkaVolterra(np.array([1.0]), np.array([[5.0]]))
    assert np.isinf(fit.roll_out(np.array([2.0]), 100)[-1])


def test_logits_are_those_of_the_network_on_concatenated_embeddings(embedding):
    torch = pytest.importorskip("torch")
    weights = training.initial_weights(_job(embedding))
    tensors = {name: torch.from_numpy(values) for name, values in weights.items()}
    a, b = np.divmod(np.arange(P * P), P)
    hidden = np.concatenate([embedding[a], embedding[b]], axis=1)
    for layer in (1, 2, 3):
        hidden = hidden @ weights[f"weight{layer}"].T + weights[f"bias{layer}"]
        if layer < 3:
            hidden = hidden / (1 + np.exp(-hidden))
    np.testing.assert_allclose(training.logits(tensors).numpy(), hidden, atol=1e-12)
    np.testing.assert_array_equal(training.sums(P).ravel(), (a + b) % P)


def test_run_records_every_step_before_its_update(embedding):
    run = training.train(_job(embedding, checkpoints=(0, 7, 20)))
    np.testing.assert_allclose(run.signals[0], signals.fourier_signals(embedding), rtol=1e-6)
    for step, weights in run.checkpoints.items():
        expected = signals.fourier_signals(weights["embedding"])
        np.testing.assert_allclose(run.signals[step], expected, rtol=1e-12)
        loss = training.mean_loss(weights, ~run.test_pairs)
        assert run.train_loss[step] == pytest.approx(loss, rel=1e-5)
    assert run.tested_steps.tolist() == [0, 10, 20]
    loss = training.mean_loss(run.checkpoints[20], run.test_pairs)
    assert run.test_loss[-1] == pytest.approx(loss, rel=1e-5)
    assert run.test_pairs.sum() == P * P - round(0.8 * P * P)
    assert not np.array_equal(run.signals[0], run.signals[1])


def test_tests_of_survival_see_a_planted_relation_and_none_in_noise():
    generator = np.random.default_rng(5)
    initial = generator.normal(40, 3, (4, 15))
    alive = (initial > 42)[:, None].repeat(6, axis=1)
    planted = survival.correlate(initial, alive.mean(axis=1), generator, 100)
    assert planted.p_value < 1e-6
    assert planted.r > planted.control_mean + 4 * planted.control_sd
    gradient = generator.normal(0, 1, alive.shape)
    everywhere = np.broadcast_to(initial[:, None], alive.shape)
    assert survival.separate(gradient, everywhere, alive, 0).accuracy > 0.9
    noise = generator.random(alive.shape) < 0.3
    assert survival.separate(gradient, everywhere, noise, 0).accuracy < 0.65
    assert survival.compare_gradients(gradient + 2 * alive, alive).welch_p < 1e-6
    nothing = survival.correlate(initial, np.zeros((4, 15)), generator, 10)
    assert np.isnan(nothing.r)


def test_runs_in_processes_equal_runs_here_and_leave_threads_alone(embedding):
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    todo = [_job(embedding), replace(_job(2 * embedding), label=("test", 1))]
    runs = {run.label: run for run in training.train_all(todo, workers=2)}
    assert torch.get_num_threads() == threads
    for job in todo:
        expected = training.train(job)
        np.testing.assert_allclose(runs[job.label].signals, expected.signals, rtol=1e-5)


def test_jobs_of_one_embedding_share_it_and_of_one_seed_the_rest():
    listed = {job.label: job for job in jobs.jobs(Settings.quick(3))}
    first, second = (listed[jobs.SURVIVAL, 0, run] for run in (0, 1))
    np.testing.assert_array_equal(first.embedding, second.embedding)
    assert not np.array_equal(training.held_out_pairs(first), training.held_out_pairs(second))
    ablated = listed[jobs.ABLATION, "strongest two", 0, 0]
    assert ablated.seed == first.seed
    left = np.argsort(-signals.fourier_signals(ablated.embedding))[:2]
    initial = np.argsort(-signals.fourier_signals(first.embedding))[:2]
    np.testing.assert_array_equal(left, initial)
    assert signals.spectrum(ablated.embedding)[1:].min() < 1e-9
