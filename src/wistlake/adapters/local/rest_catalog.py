"""The lake's catalog as an Iceberg REST service, on 127.0.0.1 or a Unix socket, for engines that can't read sqlite.

Paths begin with a random secret: other users of the machine can reach the port, but not the lake.
"""

import json
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import CommitTableRequest
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER, SortOrder

from wistlake.adapters.local.published_catalog import PublishedCatalog

MOST_BYTES = 256 << 20  # of one request: more than a commit of very many files
_HOSTS = re.compile(r"^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$")
_ERRORS: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (NoSuchTableError, HTTPStatus.NOT_FOUND, "NoSuchTableException"),
    (NoSuchNamespaceError, HTTPStatus.NOT_FOUND, "NoSuchNamespaceException"),
    (TableAlreadyExistsError, HTTPStatus.CONFLICT, "AlreadyExistsException"),
    (NamespaceAlreadyExistsError, HTTPStatus.CONFLICT, "AlreadyExistsException"),
    (CommitFailedException, HTTPStatus.CONFLICT, "CommitFailedException"),
)
Response = tuple[HTTPStatus, dict[str, Any] | bytes | None]
Handler = Callable[..., Response]


class RequestHandler(Protocol):
    """Handles the requests of engines."""

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """The response to one request; `path` is what follows /v1/."""


Middleware = Callable[[RequestHandler], RequestHandler]


def no_middleware(handler: RequestHandler) -> RequestHandler:
    """Requests reach the catalog as they are."""
    return handler


class Routes(RequestHandler):
    """The part of Iceberg's REST specification that the engines use, over a PyIceberg catalog."""

    def __init__(self, catalog: Any, *, read_only: bool = False) -> None:
        self._catalog = catalog
        self._read_only = read_only
        # The newest state of each table: where it is, and how it is sent.
        self._loaded: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._table: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
            (method, re.compile(f"^{pattern}$"), handler)
            for method, pattern, handler in (
                ("GET", "config", lambda *_: (HTTPStatus.OK, {"defaults": {}, "overrides": {}})),
                ("GET", "namespaces", self._namespaces),
                ("POST", "namespaces", self._create_namespace),
                ("GET|HEAD", "namespaces/([^/]+)", self._namespace),
                ("GET", "namespaces/([^/]+)/tables", self._tables),
                ("POST", "namespaces/([^/]+)/tables", self._create_table),
                ("GET|HEAD", "namespaces/([^/]+)/tables/([^/]+)", self._load),
                ("POST", "namespaces/([^/]+)/tables/([^/]+)", self._commit),
                ("GET", "namespaces/([^/]+)/views", lambda *_: (HTTPStatus.OK, {"identifiers": []})),
                (
                    "POST",
                    "namespaces/([^/]+)/tables/([^/]+)/metrics",
                    lambda *_: (HTTPStatus.NO_CONTENT, None),
                ),
            )
        )

    def answer(self, method: str, path: str, body: bytes) -> Response:
        for methods, pattern, handler in self._table:
            if method in methods.split("|") and (match := pattern.match(path)):
                if self._read_only and method == "POST" and not path.endswith("/metrics"):
                    return _error(HTTPStatus.FORBIDDEN, "ForbiddenException", "this catalog is read-only")
                return handler(body, *match.groups())
        return _error(HTTPStatus.NOT_FOUND, "NoSuchEndpoint", f"{method} {path}")

    def _namespaces(self, _body: bytes) -> Response:
        return HTTPStatus.OK, {"namespaces": [list(n) for n in self._catalog.list_namespaces()]}

    def _create_namespace(self, body: bytes) -> Response:
        request = json.loads(body)
        properties = request.get("properties") or {}
        self._catalog.create_namespace(tuple(request["namespace"]), properties)
        return HTTPStatus.OK, {"namespace": request["namespace"], "properties": properties}

    def _namespace(self, _body: bytes, namespace: str) -> Response:
        properties = self._catalog.load_namespace_properties(namespace)
        return HTTPStatus.OK, {"namespace": [namespace], "properties": dict(properties)}

    def _tables(self, _body: bytes, namespace: str) -> Response:
        tables = self._catalog.list_tables(namespace)
        return HTTPStatus.OK, {"identifiers": [{"namespace": list(t[:-1]), "name": t[-1]} for t in tables]}

    def _load(self, _body: bytes, namespace: str, name: str) -> Response:
        return self._state(namespace, name, self._catalog.load_table((namespace, name)))

    def _create_table(self, body: bytes, namespace: str) -> Response:
        request = json.loads(body)
        spec, order = request.get("partition-spec"), request.get("write-order")
        created = self._catalog.create_table(
            (namespace, request["name"]),
            Schema.model_validate(request["schema"]),
            request.get("location"),
            PartitionSpec.model_validate(spec) if spec else UNPARTITIONED_PARTITION_SPEC,
            SortOrder.model_validate(order) if order else UNSORTED_SORT_ORDER,
            request.get("properties") or {},
        )
        return self._state(namespace, request["name"], created)

    def _commit(self, body: bytes, namespace: str, name: str) -> Response:
        identifier = {"identifier": {"namespace": [namespace], "name": name}}
        commit = CommitTableRequest.model_validate(identifier | json.loads(body))
        table = self._catalog.load_table((namespace, name))
        done = self._catalog.commit_table(table, commit.requirements, commit.updates)
        return self._state(namespace, name, done)

    def _state(self, namespace: str, name: str, table: Any) -> Response:
        """A table, written as JSON once: engines ask for the same state many times."""
        location, sent = self._loaded.get((namespace, name), ("", b""))
        if location != table.metadata_location:
            metadata = table.metadata.model_dump_json(by_alias=True, exclude_none=True)
            place = json.dumps(table.metadata_location)
            sent = f'{{"metadata-location":{place},"metadata":{metadata},"config":{{}}}}'.encode()
            self._loaded[namespace, name] = (table.metadata_location, sent)
        return HTTPStatus.OK, sent


def _error(status: HTTPStatus, kind: str, message: str) -> Response:
    return status, {"error": {"message": message, "type": kind, "code": int(status)}}


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without these two, every catalog call waits 0.4 s for a delayed acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: "_Server"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Paths hold the secret: no access log."""

    def _handle(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not (self._is_authorized() and length.isdecimal() and int(length) <= MOST_BYTES):
            self.close_connection = True  # the body of an unauthorized request is never read
            self._send(*_error(HTTPStatus.NOT_FOUND, "NotFound", "nothing here"))
            return
        self._send(*self._answer(self.rfile.read(int(length))))

    def _is_authorized(self) -> bool:
        """Whether the caller names this machine as the host, which a web page elsewhere can't, and has the secret."""
        start = self.path[: len(self._prefix)].encode("utf-8", "replace")
        return bool(_HOSTS.match(self.headers.get("Host", ""))) and secrets.compare_digest(
            start, self._prefix.encode()
        )

    @property
    def _prefix(self) -> str:
        return f"/{self.server.secret}/v1/"

    do_GET = do_POST = do_HEAD = _handle  # noqa: N815 - the base class's names

    def _answer(self, body: bytes) -> Response:
        path = unquote(urlsplit(self.path).path).removeprefix(self._prefix).rstrip("/")
        try:
            with self.server.lock:
                return self.server.routes.answer(self.command, path, body)
        except Exception as e:
            for kind, status, name in _ERRORS:
                if isinstance(e, kind):
                    return _error(status, name, str(e))
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, type(e).__name__, str(e))

    def _send(self, status: HTTPStatus, content: dict[str, Any] | bytes | None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode() if content else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        self.wfile.flush()


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request: type[_Request] = _Request

    def __init__(self, routes: RequestHandler, address: Any) -> None:
        super().__init__(address, self.request)
        self.routes = routes
        self.lock = threading.Lock()
        self.secret = secrets.token_urlsafe(16)


class _UnixRequest(_Request):
    disable_nagle_algorithm = False  # TCP's


class _UnixServer(_Server):
    address_family = getattr(socket, "AF_UNIX", socket.AF_INET)  # Windows has none, and makes none of these
    request = _UnixRequest


@contextmanager
def serve(
    catalog: "SqlCatalog | PublishedCatalog | None",
    port: int = 0,
    *,
    read_only: bool = False,
    middleware: Middleware = no_middleware,
) -> Iterator[str]:
    """Serve `catalog` on 127.0.0.1 during the block; yields the URI for engines."""
    routes = middleware(Routes(catalog, read_only=read_only))
    server = _Server(routes, ("127.0.0.1", port))
    with _running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}/{server.secret}"


@contextmanager
def serve_at(
    path: Path, catalog: "SqlCatalog | PublishedCatalog | None", middleware: Middleware = no_middleware
) -> Iterator[str]:
    """Serve `catalog` on a Unix socket during the block; yields the secret that paths begin with."""
    server = _UnixServer(middleware(Routes(catalog)), str(path))
    with _running(server):
        yield server.secret


@contextmanager
def _running(server: _Server) -> Iterator[None]:
    # The default interval makes every run wait half a second at its end.
    stop_check = {"poll_interval": 0.02}
    thread = threading.Thread(
        target=server.serve_forever, kwargs=stop_check, daemon=True, name="rest-catalog"
    )
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
