"""The playground's files on this machine's own address, and nothing else: what is not in the site's list of files is not there.

The files are read once, compared with the digests in that list, and served from memory by their exact names: no request ever names a
place on the disk. Requests that were made for another host are refused, so that no page on the web can reach it by a name of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import socketserver
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from .._version import __version__

HOST: Final = "127.0.0.1"
PACKAGE: Final = "fwengine_playground"
LIST: Final = "site.json"
INDEX: Final = "index.html"
TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".gz": "application/gzip",
    ".txt": "text/plain; charset=utf-8",
}
# The page's own policy, and that no other page frames it.
CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self'; "
    "style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": f"{CONTENT_POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class SiteError(Exception):
    """There is no site, or it is not as it was built; the message says what to do."""


@dataclass(frozen=True)
class Site:
    """The files of a site by name, as they were built."""

    version: str
    files: Mapping[str, bytes]


def installed() -> Path:
    """The folder of the site that is installed beside this package.

    Raises:
        SiteError: if none is.
    """
    found = find_spec(PACKAGE)  # it is not imported: it holds nothing but files
    for place in (found.submodule_search_locations or ()) if found is not None else ():
        return Path(place) / "site"
    raise SiteError(
        "the playground is not installed; it is a file of its own beside the release of this version: "
        f"pip install fwengine_playground-{__version__}-py3-none-any.whl"
    )


def read_site(folder: Path) -> Site:
    """The site in a folder.

    Raises:
        SiteError: if the folder has none, or a file of it is missing or another than was built.
    """
    try:
        told = json.loads((folder / LIST).read_bytes())
        version, listed = str(told["version"]), dict(told["files"])
    except (OSError, ValueError, TypeError, KeyError):
        raise SiteError(f"{folder} is no playground: it has no list of files `{LIST}`") from None
    files = {}
    for name, digest in listed.items():
        if posixpath.basename(name) != name or os.path.basename(name) != name:  # noqa: PTH119  # any system's separators
            raise SiteError(f"{folder} is no playground: `{name}` is not a file in it")
        try:
            data = (folder / name).read_bytes()
        except (OSError, ValueError):
            raise SiteError(f"{folder} is not as it was built: `{name}` cannot be read") from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise SiteError(f"{folder} is not as it was built: `{name}` is another file")
        files[name] = data
    if INDEX not in files:
        raise SiteError(f"{folder} is no playground: it has no `{INDEX}`")
    return Site(version, files)


class Server(ThreadingHTTPServer):
    """Serves a site, and what it was `given` by its exact path, on this machine alone.

    Raises:
        OSError: if the port is taken.
    """

    daemon_threads = True

    def __init__(self, site: Site, given: Mapping[str, bytes], port: int) -> None:
        self.answers = {f"/{name}": data for name, data in site.files.items()}
        self.answers["/"] = site.files[INDEX]
        self.answers.update(given)
        super().__init__((HOST, port), _Handler)
        self.hosts = frozenset(f"{name}:{self.port}" for name in (HOST, "localhost"))
        if self.port == 80:
            self.hosts |= {HOST, "localhost"}

    def server_bind(self) -> None:
        """As a plain server does: the name of this machine is not looked up."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    """GET and HEAD of a known path."""

    protocol_version = "HTTP/1.1"
    server_version = "fwengine"
    sys_version = ""
    timeout = 60  # seconds that an open connection may say nothing
    server: Server

    def do_GET(self) -> None:  # the name that the library calls
        self._answer(whole=True)

    def do_HEAD(self) -> None:
        self._answer(whole=False)

    def _answer(self, *, whole: bool) -> None:
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            self._say(HTTPStatus.MISDIRECTED_REQUEST, b"not of this host\n", "text/plain", whole=whole)
            return
        path = self.path.partition("?")[0]
        data = self.server.answers.get(path)
        if data is None:
            self._say(HTTPStatus.NOT_FOUND, b"no such file in the playground\n", "text/plain", whole=whole)
            return
        tag = f'"{hashlib.sha256(data).hexdigest()}"'
        if self.headers.get("If-None-Match") == tag:
            self._say(HTTPStatus.NOT_MODIFIED, b"", "", tag, whole=False)
            return
        name = INDEX if path == "/" else path
        self._say(
            HTTPStatus.OK, data, TYPES.get(posixpath.splitext(name)[1], "application/octet-stream"), tag, whole=whole
        )

    def _say(self, status: HTTPStatus, data: bytes, kind: str, tag: str = "", *, whole: bool) -> None:
        self.send_response(status)
        for header, value in HEADERS.items():
            self.send_header(header, value)
        if kind:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
        if tag:
            self.send_header("ETag", tag)
        if status is HTTPStatus.MISDIRECTED_REQUEST:
            self.send_header("Connection", "close")
        self.end_headers()
        if whole:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is written down about what is looked at."""
