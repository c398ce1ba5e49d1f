"""Hints for expressions of other cron dialects: why one is refused, and its equivalent."""

import re
from collections.abc import Iterator, Sequence

FIELDS = 5
NAMES = "minute, hour, day of month, month, day of week"
DIGIT = re.compile(r"\d")
EVERY = re.compile(r"@every (\d{1,4})([mh])", re.IGNORECASE)
UNITS = {"m": ("*/{} * * * *", 60), "h": ("0 */{} * * *", 24)}
FAULTS = {
    r"(CRON_)?TZ=": "The time zone has a field of its own, timezone.",
    r"@reboot": "The synonym @reboot isn't supported: no machine belongs to a job.",
    r"@every\b": "The synonym @every isn't supported.",
    r"@": "The supported synonyms are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually.",
    r"(\S+ ){5}\S+( \S+)?$": f"Must have five fields ({NAMES}); seconds and years aren't supported.",
    r"(?!(\S+ ){4}\S+$)": f"Must have five fields: {NAMES}.",
    r".*\?": "The character ? isn't supported.",
    r"(\S+ ){2}(\S+,)?\d+W\b": (
        "Day of month: the weekday nearest to a day, as in 15W, isn't supported. LW is the last weekday."
    ),
    r"(\S+ ){2}(\S+,)?L-\d": (
        "Day of month: a number of days before the last, as in L-3, isn't supported. L is the last day."
    ),
    r"(\S+ ){4}(\S+,)?L(,|$)": "Day of week: L needs a weekday, as in 5L for the last Friday of the month.",
}


def fault_of(text: str) -> str | None:
    """Return why an expression of another dialect is refused, or None if none is recognized."""
    return next((fault for pattern, fault in FAULTS.items() if re.match(pattern, text, re.IGNORECASE)), None)


def equivalents(text: str) -> Iterator[tuple[str, str]]:
    """Yield sentences and expressions that mean the same, the likeliest first; they may be invalid."""
    fields = text.split(" ")
    if every := EVERY.fullmatch(text):
        for expression in _every(int(every[1]), *UNITS[every[2].lower()]):
            yield "Write {}.", expression
    if len(fields) == FIELDS:
        yield "Write {}.", _without_question_marks(fields)
    for sentence, five in _five_of(fields):
        # Dialects with more fields may count weekdays from 1 for Sunday: their numbers can't be taken over.
        if len(five) == FIELDS and not DIGIT.search(five[-1]):
            yield sentence, _without_question_marks(five)


def _five_of(fields: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    if fields[0] == "0" and fields[FIELDS + 1 :] in ([], ["*"]):
        yield "If the first field is for seconds, write {}.", fields[1 : FIELDS + 1]
    if fields[FIELDS:] == ["*"] and "?" in {fields[2], fields[4]}:
        yield "If the last field is for years, write {}.", fields[:FIELDS]


def _every(number: int, expression: str, whole: int) -> Iterator[str]:
    if number and whole % number == 0 and number < whole:
        yield expression.format(number)


def _without_question_marks(fields: Sequence[str]) -> str:
    """Replace ? where other dialects have it: in the day of month and the day of week."""
    minute, hour, month_day, month, weekday = fields
    return " ".join((minute, hour, month_day.replace("?", "*"), month, weekday.replace("?", "*")))
