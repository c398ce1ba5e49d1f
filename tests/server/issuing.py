"""An issuer of JSON Web Tokens for tests: it signs claims, and serves its keys on loopback."""

import asyncio
import json
import time
import warnings
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import web
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

ISSUER, AUDIENCE, EMAIL = "https://id.harbor.example", "mainsheet", "ada@harbor.example"
CONFIGURED: dict[str, Any] = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_organization": "OR0"}
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
NEXT = RSAKey.generate_key(2048, {"kid": "next"})
FORGED = RSAKey.generate_key(2048, {"kid": "rsa"})


@dataclass
class KeyServer:
    """The issuer's key set, over real HTTP."""

    keys: list[Key] = field(default_factory=lambda: [RSA, EC, ED])
    body: bytes | None = None
    discovery: dict[str, Any] = field(default_factory=dict)  # values other than the right ones
    asked: int = 0
    url: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    runner: web.AppRunner | None = None

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        self.arrived.set()
        await self.open.wait()
        body = self.body if self.body is not None else json.dumps(KeySet(self.keys).as_dict()).encode()
        return web.Response(body=body, content_type="application/json")

    async def start(self) -> None:
        self.open.set()
        app = web.Application()
        app.router.add_get("/jwks", self.answer)
        app.router.add_get("/moved", self.moved)
        app.router.add_get("/.well-known/openid-configuration", self.discover)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}/jwks"

    @property
    def issuer(self) -> str:
        return self.url.removesuffix("/jwks")

    async def discover(self, _request: web.Request) -> web.Response:
        return web.json_response({"issuer": self.issuer, "jwks_uri": self.url} | self.discovery)

    async def moved(self, _request: web.Request) -> web.Response:
        raise web.HTTPFound("/jwks")

    async def stop(self) -> None:
        assert self.runner is not None
        await self.runner.cleanup()


def signed(
    key: Key = RSA, algorithm: str = "RS256", kid: str | None = "", typ: str | None = None, **changes: Any
) -> str:
    """Sign the default claims with these changes. `...` omits a claim."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "1", "iat": now, "exp": now + 300}
    claims |= {"email": EMAIL, "email_verified": True} | changes
    moments = {
        name: now + value.seconds + value.days * 86_400
        for name, value in claims.items()
        if isinstance(value, timedelta)
    }
    payload = json.dumps({name: value for name, value in (claims | moments).items() if value is not ...})
    header = {"alg": algorithm, "kid": key.kid if kid == "" else kid, "typ": typ}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.serialize_compact(
            {name: value for name, value in header.items() if value is not None}, payload, key, [algorithm]
        )
