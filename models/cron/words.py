"""The words of descriptions: names, ordinals and lists."""

from collections.abc import Sequence
from itertools import pairwise

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
SUFFIXES = {1: "st", 2: "nd", 3: "rd"}
TEENS = range(11, 14)
SHORTEST_RUN = 3
SHORTEST_PROGRESSION = 7


def ordinal(number: int) -> str:
    if number <= len(ORDINALS):
        return ORDINALS[number - 1]
    return f"{number}{'th' if number % 100 in TEENS else SUFFIXES.get(number % 10, 'th')}"


def joined(words: Sequence[str], conjunction: str = "and") -> str:
    """Return "a", "a and b", or "a, b, and c"."""
    if len(words) <= 2:  # noqa: PLR2004 two words have no comma
        return f" {conjunction} ".join(words)
    return f"{', '.join(words[:-1])}, {conjunction} {words[-1]}"


def step_of(numbers: Sequence[int]) -> int | None:
    """Return the difference between neighbours if it is the same for all of two or more numbers."""
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    return steps.pop() if len(steps) == 1 else None


def runs(positions: Sequence[int], words: Sequence[str]) -> list[str]:
    """Return the words, three or more with consecutive positions as "a through c"."""
    grouped: list[list[int]] = []
    for index, position in enumerate(positions):
        if index and position == positions[index - 1] + 1:
            grouped[-1].append(index)
        else:
            grouped.append([index])
    return [word for group in grouped for word in _run([words[index] for index in group])]


def _run(words: Sequence[str]) -> Sequence[str]:
    return words if len(words) < SHORTEST_RUN else [f"{words[0]} through {words[-1]}"]


def progression(unit: str, numbers: Sequence[int], words: Sequence[str]) -> str | None:
    """Return "every third UNIT from A through B" for many numbers at equal distances."""
    step = step_of(numbers)
    if not step or step == 1 or len(numbers) < SHORTEST_PROGRESSION:
        return None
    return f"every {ordinal(step)} {unit} from {words[0]} through {words[-1]}"
