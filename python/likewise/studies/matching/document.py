"""The report of the matching study: one HTML page."""

from __future__ import annotations

from likewise.report import Cell, Page, Table, number
from likewise.studies.digits import HELD_OUT
from likewise.studies.matching import figures, pictures, stimuli
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.networks import LAYERS, UNITS
from likewise.studies.matching.numbers import knee_of, matched_units, numbers
from likewise.studies.matching.wording import count
from likewise.studies.outcome import OldOutcome as Outcome
from likewise.studies.outcome import provenance

_TERMS = (
    (
        "Correlation",
        "Pearson's r over the samples, signed, of activations after the rectifier (of the logits "
        "as they are). Every position of a feature map is a sample. From sums over batches, "
        "without keeping activations.",
    ),
    (
        "Greedy",
        "Each unit with the unit of the other network that it correlates most with; several may "
        "have the same. Units of the first network of a pair look for partners in the second.",
    ),
    ("One to one", "The assignment of units to units with the largest sum of correlations."),
    (
        "Mutual information",
        "In nats, of activations in bins: zeros in one of their own, all others between quantiles "
        "of the first batch; less the bias of so many samples.",
    ),
    (
        "Lasso",
        "min 1/2 mean squared error + penalty × sum |weight|, all units centred and scaled to unit "
        "variance.",
    ),
)


def document(result: Result, outcome: Outcome) -> Page:
    """Lay the page out: the main figure, findings, figures, tables, notes."""
    page = Page(outcome.headline, "likewise study matching", _lead(result))
    page.figure(figures.strength(result))
    page.findings(outcome.findings)
    page.choices("Layer", LAYERS, pictures.SHOWN_FIRST)
    for picture in (stimuli.units, pictures.matrices, pictures.groups):
        page.figure(picture(result))
    for figure in (figures.agreement, figures.sparse, figures.averages, figures.spectra):
        page.figure(figure(result))
    page.heading("The numbers")
    page.paragraph(
        "Means over pairs of networks. In grey beside r, the same with shuffled samples; beside "
        "the groups, those of shuffled samples."
    )
    page.table(_partners(result))
    page.table(_groups(result))
    page.heading("How it was done")
    page.definitions(_TERMS)
    page.definitions(_notes(result))
    return page


def _lead(result: Result) -> str:
    settings = result.settings
    pairs = len(settings.pairs)
    return (
        f"{settings.networks} convolutional networks of one architecture learned digits from "
        f"different initial weights, up to a test accuracy of {number(min(result.accuracies), 3)} "
        f"to {number(max(result.accuracies), 3)}. Which units of one network does another have, "
        f"too? {HELD_OUT} held-out images probe them, in {pairs} "
        f"{'pair' if pairs == 1 else 'pairs'} of networks; pictures of single layers show the "
        "first pair."
    )


def _partners(result: Result) -> Table:
    found = numbers(result)["layers"]
    rows: list[list[Cell]] = []
    for layer in LAYERS:
        one = found[layer]
        above, below, living = matched_units(result, layer)
        rows.append(
            [
                layer,
                f"{count(living)} of {UNITS[layer]}",
                (number(one["correlation_greedy"]), number(one["shuffled_greedy"])),
                (number(one["correlation_one_to_one"]), number(one["shuffled_one_to_one"])),
                number(one["correlation_same"]),
                count(above),
                count(below),
                (
                    number(one["information_one_to_one"]),
                    number(one["shuffled_information_one_to_one"]),
                ),
                number(one["information_same"]),
            ]
        )
    settings = result.settings
    header = [
        "",
        "living",
        "greedy r",
        "one-to-one r",
        "same partner",
        f"r > {number(settings.matched)}",
        f"r < {number(settings.unmatched)}",
        "information",
        "same partner",
    ]
    return Table(header, rows)


def _groups(result: Result) -> Table:
    found = numbers(result)["layers"]
    rows: list[list[Cell]] = []
    for layer in LAYERS:
        one, knee = found[layer], knee_of(result, layer)
        rows.append(
            [
                layer,
                number(knee.penalty, 3),
                f"{number(knee.loss)} / {number(knee.weights, 1)}",
                f"{number(knee.least_loss)} / {number(knee.most_weights, 1)}",
                *(
                    (number(one[method]["shared"]), number(one[method]["shared_shuffled"]))
                    for method in ("tree", "spectral")
                ),
            ]
        )
    header = [
        "",
        "penalty at the knee",
        "loss / units there",
        "least loss / most units",
        "mixed groups of the tree",
        "mixed spectral clusters",
    ]
    return Table(header, rows)


def _notes(result: Result) -> list[tuple[str, str]]:
    settings = result.settings
    widths = ", ".join(f"{layer} {count}" for layer, count in UNITS.items())
    return [
        (
            "Networks",
            f"Units: {widths}; convolutions of 3 × 3, the third with stride 2, rectifiers between "
            f"layers. Adam, learning rate {settings.learning_rate:g}, batches of "
            f"{settings.batch_size}, {settings.epochs} epochs.",
        ),
        (
            "Dead units",
            f"Active at less than {number(100 * settings.dead, 0)} % of the samples. They count as "
            "similar to nothing (0) and can be partners of units for whom nobody else is left; "
            "means and counts are of living units of the first network of a pair.",
        ),
        (
            "Controls",
            "Shuffled: units of the second network at another position of another image of the "
            "batch; no sample keeps its place. Same position: at the same position of another "
            "image. Before training: the same networks with their initial weights.",
        ),
        (
            "Groups, averages",
            f"From {settings.positions} positions of every map, drawn once. One group for every "
            f"{settings.units_per_group} living units of the first network. Partners for averages "
            "are those on training images.",
        ),
        (
            "Convergence",
            "Largest duality gap of a lasso fit: "
            f"{numbers(result)['largest_duality_gap']:.0e}, in units of the loss.",
        ),
        ("Seed", f"{settings.seed}; data, weights and order of batches are drawn from it."),
        *provenance(result.seconds),
        (
            "Source",
            "Li, Yosinski, Clune, Lipson, Hopcroft, Convergent learning: do different neural "
            "networks learn the same representations?, ICLR 2016. The networks here are small "
            "stand-ins.",
        ),
    ]
