"""The widget's files: read once, sent compressed, and kept by browsers for good under an address that names their content."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

FOLDER = Path(__file__).parent / "static"
_KEPT = "public, max-age=31536000, immutable"
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True)
class _File:
    kind: str
    plain: bytes
    packed: bytes


class Assets:
    """An ASGI application for a folder's files, at `/<version>/<path>`."""

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix in (".js", ".css", ".svg"))
        self._files = {path.relative_to(folder).as_posix(): _file(path) for path in paths}
        whole = hashlib.sha256()
        for name, file in self._files.items():
            whole.update(name.encode() + b"\0" + file.plain + b"\0")
        self.version = whole.hexdigest()[:12]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        version, _, name = scope["path"].removeprefix(scope.get("root_path", "")).strip("/").partition("/")
        file = self._files.get(name)
        if file is None or request.method not in ("GET", "HEAD"):
            await Response(status_code=404)(scope, receive, send)
            return
        # Another version's address still finds this one's file, for pages that were open while the server changed.
        kept = _KEPT if version == self.version else "no-store"
        response = compressed(request, file.plain, file.kind, file.packed)
        response.headers["Cache-Control"] = kept
        await response(scope, receive, send)


def compressed(request: Request, plain: bytes, kind: str, packed: bytes | None = None) -> Response:
    """A response with some content, compressed for those who can read that."""
    headers = {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        plain = gzip.compress(plain, 9) if packed is None else packed
    return Response(plain, media_type=kind, headers=headers)


def _file(path: Path) -> _File:
    plain = path.read_bytes()
    return _File(mimetypes.guess_type(path.name)[0] or "application/octet-stream", plain, gzip.compress(plain, 9))
