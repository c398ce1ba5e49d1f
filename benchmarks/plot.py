"""The samples as a drawing: for each server a line from its own CPU to that with PostgreSQL's, a logarithmic scale."""

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from benchmarks.facts import Facts
from benchmarks.measure import Sample
from benchmarks.report import both, middle, server, short
from benchmarks.workloads import WORKLOADS, Workload

LABELS, WIDTH, VALUES = 260, 480, 110
TOP, HEADING, ROW, GAP = 58, 30, 22, 26
Point = tuple[float, float]  # milliseconds, and where they are on the axis
OURS = ("mainsheet", "reference", "release")

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 } .heading { font-weight: 600 } .quiet { fill: #6e7781 }
.label { text-anchor: end } .ours { font-weight: 600; fill: #0550ae }
.grid { stroke: #d0d7de } .bar { stroke: #8c959f; stroke-width: 3 } .bar.ours { stroke: #0969da }
.own { fill: #57606a } .own.ours { fill: #0969da } .sum { fill: #ffffff; stroke: #57606a; stroke-width: 2 }
.sum.ours { stroke: #0969da } .paper { fill: #ffffff }
"""


def plot(facts: Facts, samples: Sequence[Sample]) -> str:
    panel = HEADING + ROW * len(facts.titles) + GAP
    width, height = LABELS + WIDTH + VALUES, TOP + panel * len(WORKLOADS) + GAP
    scale = _scale(samples)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>CPU per request, {facts.date}</title><style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        f'<text class="title" x="16" y="24">CPU milliseconds per request, {facts.date}</text>',
        '<text class="quiet" x="16" y="44">filled: the server alone; ring: with PostgreSQL; logarithmic</text>',
    ]
    for number, workload in enumerate(WORKLOADS):
        parts += _panel(facts, samples, workload, TOP + panel * number, scale)
    return "\n".join([*parts, "</svg>", ""])


def _scale(samples: Sequence[Sample]) -> Callable[[float], float]:
    """Return where on the axis a number of milliseconds is; the axis has whole decades."""
    low = math.floor(math.log10(min(each.server_ms for each in samples)))
    high = math.ceil(math.log10(max(map(both, samples))))
    return lambda value: LABELS + WIDTH * (math.log10(value) - low) / (high - low)


def _panel(
    facts: Facts, samples: Sequence[Sample], workload: Workload, top: int, scale: Callable[[float], float]
) -> Iterator[str]:
    bottom = top + HEADING + ROW * len(facts.titles)
    yield f'<text class="heading" x="16" y="{top + 16}">{escape(workload.title)}</text>'
    for power in range(-3, 5):
        x = scale(10.0**power)
        if LABELS <= x <= LABELS + WIDTH:
            yield f'<path class="grid" d="M{x:.1f} {top + HEADING}V{bottom}"/>'
            yield f'<text class="quiet" x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{10.0**power:g}</text>'
    for number, (name, title) in enumerate(facts.titles.items()):
        y = top + HEADING + ROW * number + ROW // 2
        own, sum_ = (middle(samples, name, workload, value) for value in (server, both))
        yield from _row(title, "ours" if name in OURS else "", y, (own, scale(own)), (sum_, scale(sum_)))


def _row(title: str, whose: str, y: int, own: Point, total: Point) -> Iterator[str]:
    yield f'<text class="label {whose}" x="{LABELS - 12}" y="{y + 4}">{escape(title)}</text>'
    yield f'<path class="bar {whose}" d="M{own[1]:.1f} {y}H{total[1]:.1f}"/>'
    yield f'<circle class="own {whose}" cx="{own[1]:.1f}" cy="{y}" r="5"/>'
    yield f'<circle class="sum {whose}" cx="{total[1]:.1f}" cy="{y}" r="4"/>'
    yield f'<text class="{whose}" x="{LABELS + WIDTH + 14}" y="{y + 4}">{short(own[0])} → {short(total[0])}</text>'
