"""The file dialect: files at their names, plain or as a gzip archive, with validators."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, abort, request

from sample.dialects.web import new_app


def file_app(files: Mapping[str, Path | bytes], modified: datetime | None = None) -> Flask:
    """Return an application that serves these files or contents; without a date each file has its own, and a content none."""
    app = new_app("file")

    @app.get("/<name>")
    def get_file(name: str) -> Response:
        file = files.get(name) or files.get(name.removesuffix(".gz"))
        if file is None:
            abort(404)
        content = file.read_bytes() if isinstance(file, Path) else file
        date = modified or (datetime.fromtimestamp(file.stat().st_mtime, UTC) if isinstance(file, Path) else None)
        if name in files:
            return _answer(content, _content_type(name), date)
        # A fixed time inside the archive keeps its ETag the same from one request to the next.
        return _answer(gzip.compress(content, mtime=0), "application/gzip", date)

    return app


def _answer(content: bytes, content_type: str, modified: datetime | None) -> Response:
    """Return the content, or 304 when the client's copy is still good."""
    response = Response(content, content_type=content_type)
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.last_modified = modified
    response.make_conditional(request.environ)
    return response


def _content_type(name: str) -> str:
    """Return the content type that fits the file's name."""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
