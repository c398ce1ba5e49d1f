"""Serves the playground page that `make` builds from `playground/`. It holds no data and needs no token."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Self

import orjson
from aiohttp import hdrs, web
from yarl import URL

from mainsheet.server.http.accept import accepts, combined

FOLDER = Path(__file__).parent / "page"
ASSETS = "playground/assets"
NONCE = "{nonce}"  # as in playground/vite.config.ts
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".ttf": "font/ttf"}
ENCODINGS = {"br": ".br", "gzip": ".gz"}  # the smallest first
OWN_PAGE = "X-Mainsheet-Playground"
YEAR = 365 * 24 * 3600

# Monaco writes style attributes; the style elements that it makes have the nonce.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
WORKER_POLICY = "default-src 'none'; script-src 'self'"
COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
Member = Mapping[str, str]


@dataclass(frozen=True)
class Playground:
    html: str
    assets: dict[str, Path]
    members: list[Member] = field(default_factory=list)  # of the demo, set when the server listens

    @classmethod
    def built(cls, folder: Path = FOLDER) -> Self | None:
        """Return the built page, or None if it wasn't built."""
        index = folder / "index.html"
        if not index.is_file():
            return None
        assets = {path.name: path for path in (folder / ASSETS).iterdir() if path.suffix in TYPES}
        return cls(index.read_text("utf-8"), assets)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get(f"/{ASSETS}/{{name}}", self._asset)
        app.router.add_get("/playground/members", self._members)

    async def page(self, _request: web.Request) -> web.StreamResponse:
        """Return the page with a nonce for this response only. It must not be cached."""
        nonce = secrets.token_urlsafe(16)
        headers = {"Content-Security-Policy": PAGE_POLICY.replace(NONCE, nonce), hdrs.CACHE_CONTROL: "no-store"}
        text = self.html.replace(NONCE, nonce)
        return web.Response(text=text, content_type="text/html", headers=COMMON | headers)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        """Send a file, compressed if the client accepts it. File names change with their content."""
        path = self.assets.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        encoding, file = _smallest(path, combined(request, hdrs.ACCEPT_ENCODING))
        headers = {
            hdrs.CONTENT_TYPE: TYPES[path.suffix],
            hdrs.CACHE_CONTROL: f"public, max-age={YEAR}, immutable",
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
            "Content-Security-Policy": WORKER_POLICY,
            **encoding,
        }
        # Not by aiohttp's FileResponse: that leaves the file open when the client leaves at the wrong moment.
        return web.Response(body=await asyncio.to_thread(file.read_bytes), headers=COMMON | headers)

    async def _members(self, request: web.Request) -> web.StreamResponse:
        """Return the demo's members and tokens, only to the page itself and not to other origins."""
        if self.members and not (_is_own_page(request) and _names_this_machine(request.host)):
            raise web.HTTPForbidden(text="Only the playground's own page may ask this.")
        headers = COMMON | {hdrs.CACHE_CONTROL: "no-store"}
        return web.Response(body=orjson.dumps(self.members), content_type="application/json", headers=headers)


def _smallest(path: Path, accepted: str | None) -> tuple[Mapping[str, str], Path]:
    for name, suffix in ENCODINGS.items():
        compressed = path.with_name(path.name + suffix)
        if accepts(name, accepted) and compressed.is_file():
            return {hdrs.CONTENT_ENCODING: name}, compressed
    return {}, path


def _is_own_page(request: web.Request) -> bool:
    """Require a header that a page of another origin can't send without a preflight (Fetch standard)."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return request.headers.get(OWN_PAGE) == "1" and site == "same-origin"


def _names_this_machine(host: str) -> bool:
    """Check the Host header, against DNS rebinding: another name may resolve to this address."""
    try:
        name = URL.build(scheme="http", authority=host).host
    except ValueError:
        return False
    return is_loopback(name or "")


def is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
