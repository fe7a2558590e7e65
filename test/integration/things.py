"""An app whose POST leaves a line in a file: ``THINGS`` names its folder. Each line is one effect; while ``hold`` is there, the effect is all that happens."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from flask import Flask
from flask_restx import Namespace, Resource

from main.controller import idempotency, middleware
from main.controller.conditional import answer_json
from main.controller.idempotency import idempotent
from main.controller.problems import render
from main.controller.swaggerdoc import AisleApi
from main.resources.catalogue.reader import SqliteReader
from main.resources.replies.sqlite import SqliteReplies
from main.service.model import Caller, CallerKind, Role
from main.util.clock import SystemClock

FOLDER = Path(os.environ["THINGS"])
ADA = Caller(name="ada", kind=CallerKind.ACCOUNT, role=Role.EDITOR)
things = Namespace("things", path="/things")


@things.route("")
class Things(Resource):  # type: ignore[misc]
    @idempotent(things)
    def post(self) -> Any:
        with (FOLDER / "effects").open("ab", buffering=0) as file:
            file.write(b"%d\n" % os.getpid())
        while (FOLDER / "hold").exists():
            time.sleep(0.01)
        return answer_json(b'{"made": true}', status=201)


def make_app() -> Flask:
    app = Flask("things")
    middleware.install(app)
    reader = SqliteReader(FOLDER / "aisle.db")
    reader.open()
    idempotency.install(app, SqliteReplies(FOLDER / "aisle.db"), lambda: ADA, SystemClock())
    app.register_error_handler(Exception, render)
    app.add_url_rule("/health", view_func=lambda: "")
    AisleApi(app, doc="/docs", title="Things", version="1", sources=list).add_namespace(things)
    return app


app = make_app()
