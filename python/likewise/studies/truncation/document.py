"""The report of the study."""

from __future__ import annotations

from likewise.report import Cell, Page, Table, number
from likewise.studies.outcome import Outcome, provenance
from likewise.studies.truncation import figures
from likewise.studies.truncation.experiment import Result
from likewise.studies.truncation.findings import collapse

_TERMS = (
    (
        "Truncation map",
        "τ(x) = R' max(R(x + β), 0) − β: what a rectifier does, seen in the space of the inputs. "
        "Points in its positive orthant stay, points in the negative one all become −β.",
    ),
    (
        "Exact flow",
        "The gradient flow of 1/(2N) Σ|τ(x) − t|² in β. Each coordinate of Rβ goes to its goal "
        "exponentially at the rate n_k/N, n_k of the N points being truncated in it; a point that "
        "enters or leaves is an event, whose time is known in closed form.",
    ),
    (
        "NC1",
        "tr(Σ_W Σ_B⁺)/C: variability within classes against that between their means (Papyan, Han "
        "& Donoho 2020).",
    ),
    (
        "NC2",
        "Norms: sd over mean of the distances of class means from their centre. Angles: mean "
        "distance of the cosines between class means from −1/(C − 1).",
    ),
    ("NC3", "Distance of classifier and class means, both scaled to norm 1."),
    ("NC4", "Share of images where the classifier and the nearest class mean differ."),
    (
        "Adapted",
        "W = DR, D diagonal, R orthogonal. Off-diagonal share: of the squares of WR', R being the "
        "polar factor of W.",
    ),
)


def document(result: Result, outcome: Outcome) -> Page:
    """Lay the page out: pictures, findings, tables, notes."""
    page = Page(outcome.headline, "likewise study truncation", _lead(result))
    page.figure(figures.pictures(result))
    page.figure(figures.flows(result))
    page.figure(figures.training(result))
    page.figure(figures.structure(result))
    page.heading("Findings")
    page.findings(outcome.findings)
    page.heading("The numbers")
    page.paragraph("Neural collapse of the digit networks, mean over networks.")
    page.table(_collapse(result))
    page.table(_layers(result), folded="Layer by layer: every number in the last figure")
    page.heading("How it was done")
    page.definitions(_TERMS)
    page.definitions(_notes(result, outcome))
    return page


def _lead(result: Result) -> str:
    settings = result.settings
    return (
        "Chen (arXiv 2501.07400) writes a rectifier network as truncation maps of its input space, "
        "and shows when training contracts each class to a point. First the flow he describes, "
        f"solved exactly for three clusters of {settings.points} points; then "
        f"{settings.networks} network{'s' * (settings.networks != 1)} trained on handwritten "
        f"digits for {settings.epochs} epochs, measured by the same maps. The formulas were "
        "derived anew from the abstract and definitions of the paper."
    )


def _collapse(result: Result) -> Table:
    nc = collapse(result).mean(axis=0)
    epochs = sorted({e for e in (0, 1, 2, 5, 10, 20, 50, 100, 200) if e < len(nc)} | {len(nc) - 1})
    rows: list[list[Cell]] = [
        [f"epoch {epoch}", *(number(value, 3) for value in nc[epoch])] for epoch in epochs
    ]
    return Table(["", "NC1", "NC2 norms", "NC2 angles", "NC3", "NC4"], rows)


def _layers(result: Result) -> Table:
    header = [
        "Network, layer",
        "NC1",
        "off-diagonal, layer",
        "off-diagonal, so far",
        "condition",
        "truncated",
        "off for a class",
        "on for a class",
        "sectors",
        "diameter",
    ]
    rows: list[list[Cell]] = []
    for index, network in enumerate(result.networks):
        for state, s, nc1 in zip(
            ("untrained", "trained"), network.structure, network.layers, strict=True
        ):
            for k in range(result.settings.layers):
                rows.append(
                    [
                        f"{index + 1}, {state}, layer {k + 1}",
                        number(nc1[k], 3),
                        _controlled(s.adapted[k], s.adapted_control[k]),
                        _controlled(s.cumulative[k], s.cumulative_control[k]),
                        f"{s.conditions[k]:.1e}",
                        number(s.truncated[k], 3),
                        number(s.off[k], 3),
                        number(s.on[k], 3),
                        str(s.sectors[k]),
                        number(s.diameters[k + 1]),
                    ]
                )
    return Table(header, rows)


def _controlled(value: float, control: tuple[float, float]) -> Cell:
    return number(value, 3), f"{number(control[0], 3)} ± {number(control[1], 3)}"


def _notes(result: Result, outcome: Outcome) -> list[tuple[str, str]]:
    settings = result.settings
    return [
        (
            "Controls",
            "Of the flow: a target on the near side, a cluster in the positive orthant, two "
            "clusters under one map, Euler's method with small steps. Of the networks: the "
            "untrained network, shuffled labels, and weights whose units are rotated at random.",
        ),
        (
            "Networks",
            f"64 pixels, {settings.layers} hidden layers of {settings.width} rectified units, 10 "
            f"classes; AdamW, learning rate {settings.learning_rate}, weight decay "
            f"{settings.weight_decay}, batches of {settings.batch_size}. scikit-learn's 8 x 8 "
            f"digits, every pixel standardised, {settings.held_out} held out. All but the "
            "accuracy is measured on the training images.",
        ),
        (
            "Seed",
            f"{settings.seed}; likewise study truncation --seed {settings.seed} repeats the run.",
        ),
        *provenance(outcome.seconds),
    ]
