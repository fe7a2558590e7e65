"""An identity provider: a real server of its keys that can go down, answer garbage and rotate."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from werkzeug import Request, Response

from main.service.model import Provider, Role
from sample.server import running
from test.unit.resources.tokens.forging import by_key, claims, join, jwk_of

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {"RS256": "rsa", "ES256": "ec", "EdDSA": "ed"}
ISSUER = "https://id.example"


def make_private(algorithm: str) -> Any:
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()


class IdentityProvider:
    """Signs tokens by its newest key; ``answer`` replaces what its key set says, ``gate`` makes whoever asks wait."""

    def __init__(self, algorithm: str = "EdDSA") -> None:
        self.algorithm = algorithm
        self.keys: dict[str, Any] = {}
        self.answer: bytes | None = None
        self.status = 200
        self.fetches = 0
        self.url = ""
        self.gate = threading.Event()
        self.gate.set()
        self.rotate("k1")

    def rotate(self, kid: str) -> None:
        self.keys = {kid: make_private(self.algorithm)}

    def app(self, environ: Any, start: Any) -> Any:
        self.fetches += 1
        self.gate.wait(10)
        request = Request(environ)
        body = self.answer if self.answer is not None else self.key_set()
        headers = {"Location": request.url} if self.status == 302 else {}
        return Response(body, self.status, headers, content_type="application/json")(environ, start)

    def key_set(self) -> bytes:
        return json.dumps({"keys": [jwk_of(key.public_key(), kid) for kid, key in self.keys.items()]}).encode()

    def token(self, kid: str | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        kid = kid or next(iter(self.keys))
        body = claims(**{"iss": ISSUER, "sub": "7", "roles": ["Staff"], "typ": ..., "nbf": ..., **changes})
        return join({"alg": self.algorithm, "kid": kid, **(header or {})}, body, by_key(next(iter(self.keys.values()))))

    def settings(self, **changes: Any) -> Provider:
        roles = {"Staff": Role.READER, "Buyers": Role.EDITOR, "Chiefs": Role.ADMIN}
        return Provider(**{"issuer": ISSUER, "audience": "api", "jwks_url": f"{self.url}/keys", "roles": roles, **changes})

    @contextmanager
    def up(self) -> Iterator[None]:
        """Serve the keys meanwhile; each time on another port."""
        with running(self.app) as self.url:
            yield
