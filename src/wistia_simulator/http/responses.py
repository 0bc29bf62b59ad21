"""Response bodies, error bodies, and broken responses."""

import json

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wistia_simulator.transport_signals import IN_PROCESS, InjectedReset, InjectedTruncation


def json_response(body: object, status: int = 200) -> Response:
    """Compact JSON, keys in the order of ``body``."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status, media_type="application/json")


def html(status: int, title: str) -> Response:
    """A page as an edge server sends it."""
    text = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"
    return Response(text, status, media_type="text/html")


def missing_stats() -> Response:
    """404 of the stats endpoints, which have no body."""
    return Response(b"", 404)


def missing_media(base: str, media_id: str) -> Response:
    """404 of the media endpoints, with the documented message."""
    noun = "Folder" if base == "modern" else "Project"
    return json_response({"error": f"{noun} with ID '{media_id}' not found."}, 404)


def unauthorized(code: str = "unauthorized_credentials", error: str = "Invalid credentials.") -> Response:
    """401, with the machine-readable reason."""
    return json_response({"code": code, "error": error}, 401)


def plan_refused(what: str = "Stats") -> Response:
    """403: the account's plan does not include this."""
    return json_response({"error": f"{what} are not available on your current plan"}, 403)


def bad_request(*errors: str) -> Response:
    """400 with its list of reasons."""
    return json_response({"error": "Bad request", "errors": list(errors)}, 400)


def invalid(error: str) -> Response:
    """422: a parameter can't be understood."""
    return json_response({"error": error}, 422)


def too_many(status: int, retry_after: str | None) -> Response:
    """The response beyond the rate limit."""
    response = Response("Rate limit exceeded", status, media_type="text/plain")
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    return response


def scaled(response: Response) -> Response:
    """The events of a response with percent_viewed from 0 to 100."""
    rows = json.loads(bytes(response.body))
    return json_response([row | {"percent_viewed": _hundredfold(row["percent_viewed"])} for row in rows])


def _hundredfold(value: float | None) -> float | None:
    return None if value is None else value * 100


class BrokenResponse(Response):
    """A response that ends too early: after half of its body, or right after its headers.

    In process an exception tells which; a real server closes the connection instead.
    """

    def __init__(self, whole: Response, *, reset: bool) -> None:
        super().__init__(whole.body, whole.status_code, dict(whole.headers))
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get(IN_PROCESS):
            raise InjectedReset if self._reset else InjectedTruncation
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        headers.append((b"content-length", str(len(self.body) + 1).encode()))
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        if not self._reset:
            half = bytes(self.body[: len(self.body) // 2])
            await send({"type": "http.response.body", "body": half, "more_body": True})
