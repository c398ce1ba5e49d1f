"""The curve of overload as a drawing: good answers by the offered load, as multiples of each server's capacity."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.plot import STYLE

LEFT, TOP, WIDTH, HEIGHT, LEGEND = 60, 60, 560, 320, 20
MOST = 1.25  # of the capacity, at the top
COLOURS = ("#0969da", "#8ebff5", "#bf8700", "#cf222e", "#57606a")


@dataclass(frozen=True)
class Line:
    title: str
    shares: Sequence[float]  # of the capacity, one for each load


def plot(lines: Sequence[Line], loads: Sequence[float]) -> str:
    height = TOP + HEIGHT + 60 + LEGEND * len(lines)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 40} {height}" role="img">',
        f"<title>Good answers under overload</title><style>{STYLE}</style>",
        f'<rect class="paper" width="{LEFT + WIDTH + 40}" height="{height}"/>',
        '<text class="title" x="16" y="24">Good answers by the offered load</text>',
        '<text class="quiet" x="16" y="44">both as multiples of the server\'s own capacity</text>',
        *_axes(loads),
    ]
    for number, line in enumerate(lines):
        parts += _curve(line, COLOURS[number % len(COLOURS)], TOP + HEIGHT + 60 + LEGEND * number)
    return "\n".join([*parts, "</svg>", ""])


def _axes(loads: Sequence[float]) -> Iterator[str]:
    for percent in range(0, 101, 25):
        y = _y(percent / 100)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{LEFT + WIDTH}"/>'
        yield f'<text class="label quiet" x="{LEFT - 8}" y="{y + 4:.1f}">{percent} %</text>'
    for number, load in enumerate(loads):
        x = _x(number, len(loads))
        yield f'<text class="quiet" x="{x:.1f}" y="{TOP + HEIGHT + 20}" text-anchor="middle">{load:g}</text>'


def _curve(line: Line, colour: str, legend: int) -> Iterator[str]:
    points = [(_x(number, len(line.shares)), _y(share)) for number, share in enumerate(line.shares)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in points:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    yield f'<circle cx="{LEFT}" cy="{legend}" r="4" fill="{colour}"/>'
    yield f'<text x="{LEFT + 12}" y="{legend + 4}">{escape(line.title)}</text>'


def _x(number: int, count: int) -> float:
    return LEFT + WIDTH * number / max(1, count - 1)


def _y(share: float) -> float:
    return TOP + HEIGHT * (1 - min(share, MOST) / MOST)
