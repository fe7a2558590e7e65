"""``/auth``: logging in, going on, logging out; and the public keys that tokens are signed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from flask_restx import Namespace, Resource

from main.controller.bodies import LoginSchema, RefreshSchema, load_body
from main.controller.conditional import answer_json
from main.controller.context import services
from main.controller.credentials import MISSING, clear_cookie, set_cookie
from main.controller.guards import caller, gate, public, reader
from main.controller.identities import CallerSchema, FarewellSchema, TokensSchema
from main.controller.limits import client_address
from main.controller.middleware import load_args
from main.controller.parameters import NoParametersSchema
from main.controller.swagger import BODY_ERRORS, COOKIE_HEADER, body, documented
from main.service.errors import Forbidden, Unauthenticated
from main.service.model import CallerKind

if TYPE_CHECKING:
    from flask import Response

    from main.service.model import Caller, TokenPair

auth = Namespace("auth", description="Logging in and out.", path="/")

_NONE = NoParametersSchema()
_LOGIN = LoginSchema()
_REFRESH = RefreshSchema()
_NO_LOGIN = "A key has no login that could end; `python -m main keys revoke` ends the key."
_KEYS_FOR = "public, max-age=60"  # seconds: how long a key that was withdrawn may still be trusted


@auth.route("/auth")
class Login(Resource):  # type: ignore[misc]
    """A login."""

    @public
    @documented(
        auth,
        "Tokens",
        "Tokens, and the cookie of the same login.",
        errors=(*BODY_ERRORS, 401, 422, 429, 503),
        headers=COOKIE_HEADER,
    )
    @body(auth, "Login")
    def post(self) -> Response:
        """Log in with name and password; a browser keeps the access token in a cookie that scripts cannot read."""
        load_args(_NONE)
        given = load_body(_LOGIN)
        with services().logins.attempt(given["username"], client_address()):
            tokens, found = gate().door.login(given["username"], given["password"])
        return _welcome("Logged in", tokens, found)

    @reader
    @documented(
        auth, "Farewell", "The login is over; its tokens are worth nothing any more.", errors=(422, 503), headers=COOKIE_HEADER
    )
    def delete(self) -> Response:
        """Log out: end this login with all its tokens, and the browser's cookie."""
        load_args(_NONE)
        found = caller()
        if found.kind is CallerKind.ANONYMOUS:
            raise Unauthenticated(MISSING)
        if found.kind is CallerKind.KEY:
            raise Forbidden(_NO_LOGIN)
        gate().door.logout(found)
        answer = answer_json(orjson.dumps(FarewellSchema().dump({"message": "Logged out"})))
        clear_cookie(answer)
        return answer


@auth.route("/auth/me")
class Me(Resource):  # type: ignore[misc]
    """Whoever asks."""

    @reader
    @documented(auth, "Caller", "Who is asking.", errors=(422, 503))
    def get(self) -> Response:
        """Tell who is asking, and give the CSRF token that a browser's login needs to change something."""
        load_args(_NONE)
        found = caller()
        told = {"username": found.name, "kind": found.kind, "role": found.role, **_prove(found)}
        return answer_json(orjson.dumps(CallerSchema().dump(told)))


@auth.route("/auth/refresh")
class Refresh(Resource):  # type: ignore[misc]
    """A login that goes on."""

    @public
    @documented(auth, "Tokens", "New tokens, and the cookie.", errors=(*BODY_ERRORS, 401, 422, 429, 503), headers=COOKIE_HEADER)
    @body(auth, "Refresh")
    def post(self) -> Response:
        """Give new tokens for a refresh token, which works once: using it again ends the login."""
        load_args(_NONE)
        return _welcome("Refreshed", *gate().door.refresh(load_body(_REFRESH)["refresh_token"]))


@auth.route("/.well-known/jwks.json")
class PublicKeys(Resource):  # type: ignore[misc]
    """The keys to check tokens with."""

    @public
    @documented(auth, "KeySet", "A JWK set (RFC 7517).", errors=(422, 503))
    def get(self) -> Response:
        """Give the public keys of the tokens; none where they are signed with a secret of this installation."""
        load_args(_NONE)
        return answer_json(orjson.dumps({"keys": [], **gate().door.public_keys()}), headers={"Cache-Control": _KEYS_FOR})


def _welcome(message: str, tokens: TokenPair, found: Caller) -> Response:
    told = {
        "message": message,
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token,
        **_prove(found),
    }
    answer = answer_json(orjson.dumps(TokensSchema().dump(told)))
    set_cookie(answer, tokens)
    return answer


def _prove(found: Caller) -> dict[str, str]:
    return {} if found.kind is CallerKind.ANONYMOUS else {"csrf_token": gate().csrf.make(found)}
