"""The files that pages are made of: one style, three scripts, an icon."""

import mimetypes

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from waqcore.web.admin.guard import OPEN
from waqcore.web.admin.page import STATIC
from waqcore.web.admin.session import AdminRequest

_FOR_STRANGERS = ("admin.css", "icon.svg")
"""What the login page is made of."""

_FILES = {file.name: file.read_bytes() for file in STATIC.iterdir()}


def _answer(name: str) -> Response[bytes]:
    if name not in _FILES:
        raise NotFoundException(f"there is no file {name[:40]!r}")
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    kind = kind if kind.startswith("image/") else f"{kind}; charset=utf-8"
    # A file's address changes with what is in it.
    headers = {"cache-control": "private, max-age=31536000, immutable"}
    return Response(_FILES[name], media_type=kind, headers=headers)


@get([f"/static/{name}" for name in _FOR_STRANGERS], opt={OPEN: True}, sync_to_thread=False)
def open_asset(request: AdminRequest) -> Response[bytes]:
    """A file that the login page needs."""
    return _answer(request.url.path.rpartition("/")[2])


@get("/static/{name:str}", sync_to_thread=False)
def asset(name: FromPath[str]) -> Response[bytes]:
    """A file that pages need."""
    return _answer(name)
