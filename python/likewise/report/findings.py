"""What a run says of a claim: a number, its control, how sure that is, and the verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Literal

from likewise.report.style import short

Verdict = Literal["holds", "does not hold", "undecided"]

HEADER = ("Claim", "Number", "Control", "Evidence", "Over", "Verdict")


@dataclass(frozen=True)
class Finding:
    """One claim and what the run says of it; NaN and None where something is not known."""

    statement: str
    """The claim under test in one sentence, the same for every run."""
    number: float
    control: float = math.nan
    p_value: float = math.nan
    """Of the number against its control, one-sided, in the claim's direction."""
    interval: tuple[float, float] | None = None
    units: str = ""
    """What varies and how much of it there is: `5 layers`."""
    verdict: Verdict = "undecided"
    note: str = ""
    """What number and control are."""

    @property
    def evidence(self) -> str:
        """`p = 0.012` or `0.31 to 0.52`; a dash where there is none."""
        if self.interval is not None:
            return " to ".join(map(short, self.interval))
        return "–" if math.isnan(self.p_value) else f"p = {short(self.p_value)}"

    def cells(self) -> tuple[str, ...]:
        """In the order of `HEADER`."""
        number, control = short(self.number), short(self.control)
        return self.statement, number, control, self.evidence, self.units or "–", self.verdict

    def json(self) -> dict[str, Any]:
        """All fields; what is NaN or infinite here is written as null."""
        return asdict(self)


def headline(findings: Sequence[Finding]) -> str:
    """The first claim with its verdict: `Guides help: holds (0.80 against 0.69)`."""
    first = findings[0]
    control = "" if math.isnan(first.control) else f" against {short(first.control)}"
    return f"{first.statement}: {first.verdict} ({short(first.number)}{control})"


def counts(findings: Sequence[Finding]) -> str:
    """`Of 9 claims 5 hold, 1 does not hold, 3 are undecided.`"""
    found = Counter(finding.verdict for finding in findings)
    holds, fails, open_ = (found[v] for v in ("holds", "does not hold", "undecided"))
    claims = f"{len(findings)} claim{'s' * (len(findings) != 1)}"
    return (
        f"Of {claims} {holds} hold{'s' * (holds == 1)}, {fails} do{'es' * (fails == 1)} not hold, "
        f"{open_} {'is' if open_ == 1 else 'are'} undecided."
    )


def html(findings: Sequence[Finding]) -> str:
    """A table; on a narrow screen every claim is a block of its own."""
    head = "".join(f'<th scope="col">{name}</th>' for name in HEADER)
    return (
        f'<table class="findings"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(map(_row, findings))}</tbody></table>"
        f'<p class="caption">{counts(findings)}</p>'
    )


def _row(finding: Finding) -> str:
    claim, *values, verdict = finding.cells()
    note = f'<span class="control">{escape(finding.note)}</span>' if finding.note else ""
    cells = "".join(
        f'<td data-name="{name}">{escape(value)}</td>'
        for name, value in zip(HEADER[1:-1], values, strict=True)
    )
    kind = verdict.replace(" ", "-")
    return (
        f'<tr><th scope="row">{escape(claim)}{note}</th>{cells}'
        f'<td><span class="verdict {kind}">{verdict}</span></td></tr>'
    )
