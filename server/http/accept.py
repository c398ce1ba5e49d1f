"""Reads Accept and Accept-Encoding headers (RFC 9110, section 12.5)."""

from functools import lru_cache

from aiohttp import web


def combined(request: web.BaseRequest, name: str) -> str | None:
    """Return the value of a header that is a list, which may have several lines (RFC 9110, section 5.3)."""
    lines = request.headers.getall(name, ())
    return ", ".join(lines) if lines else None


@lru_cache(maxsize=256)
def accepts(encoding: str, accept_encoding: str | None) -> bool:
    """Return whether a response may have this content coding (RFC 9110, section 12.5.3)."""
    qualities = dict(media_ranges(accept_encoding or ""))
    return qualities.get(encoding, qualities.get("*", 0.0)) > 0


def media_ranges(accept: str) -> tuple[tuple[str, float], ...]:
    """Return the values of an Accept header, or of Accept-Encoding, with their qualities, in order."""
    parts = ([part.strip().lower() for part in item.split(";")] for item in accept.split(","))
    return tuple((name, _quality(parameters)) for name, *parameters in parts if name)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
