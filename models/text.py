"""Normalization of texts before they are stored, and the characters that they can't contain."""

from collections.abc import Iterator
from enum import Enum
from unicodedata import category, normalize

UNSTORABLE = frozenset({"Cs"})  # lone surrogates have no UTF-8
CONTROL = frozenset({"Cc"})
# Control, format (bidirectional and zero-width among them), surrogates, line and paragraph separators.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that show nothing
# Embeddings, overrides and isolates: they change the order in which the following text is displayed.
REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LAYOUT = frozenset("\t\n\r")


class Form(Enum):
    """What a text is used for, which decides how it is normalized."""

    NAME = "one line that people tell from others: trimmed, in Unicode's form NFC"
    PROSE = "lines for people to read: in Unicode's form NFC"
    CODE = "for a program: kept as it was sent"

    def normal(self, text: str) -> str:
        match self:
            case Form.NAME:
                return normalize("NFC", text).strip()
            case Form.PROSE:
                return normalize("NFC", text)
        return text

    def forbidden(self, text: str) -> Iterator[str]:
        """Yield the characters of the text that aren't allowed."""
        return (each for each in text if self._is_forbidden(each))

    def _is_forbidden(self, character: str) -> bool:
        kind = category(character)
        match self:
            case Form.NAME:
                return kind in UNSEEN or character in BLANK
            case Form.PROSE:
                return kind in UNSTORABLE or (kind in CONTROL and character not in LAYOUT) or character in REORDERING
        return kind in UNSTORABLE or character == "\0"  # which PostgreSQL can't store
