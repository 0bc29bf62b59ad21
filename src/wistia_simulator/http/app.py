"""The ASGI app: every request passes the same checks, in the order of the real edge."""

import asyncio
import uuid
from collections import Counter
from datetime import UTC, timedelta
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wistia_simulator.backend import Backend, WorldBackend
from wistia_simulator.faults import Fault, FaultInjector, FaultPlan
from wistia_simulator.http import responses
from wistia_simulator.http.auth import bearer_or_basic, may
from wistia_simulator.http.control import PREFIX, control
from wistia_simulator.http.endpoints import Call, answer
from wistia_simulator.http.options import ServerOptions
from wistia_simulator.http.paging import PageDrift, PageRequest, page_request
from wistia_simulator.http.ratelimit import RateLimiter
from wistia_simulator.http.routes import ANALYTICS_ROUTES, LIST_ROUTES, MEDIA_ROUTES, Match, resolve
from wistia_simulator.rng import digest
from wistia_simulator.transport_signals import IN_PROCESS, READ_TIMEOUT, InjectedTimeout
from wistia_simulator.versions import Api, resolve_release
from wistia_simulator.world import World

_HTML_TITLES = {
    "http502": (502, "502 Bad Gateway"),
    "http503": (503, "503 Service Unavailable"),
    "http504": (504, "504 Gateway Time-out"),
    "html200": (200, "We'll be right back"),
}
_UNKNOWN = "unknown"


class Gate:
    """Everything between the socket and the endpoints. ``requests`` and ``injected`` count requests and faults."""

    def __init__(
        self, backend: Backend, options: ServerOptions, plan: FaultPlan, world: World | None = None
    ) -> None:
        self._backend = backend
        self._options = options
        self._world = world
        self._injector = FaultInjector(plan)
        self._drift = PageDrift()
        fixed = options.rate_limit_window == "fixed"
        self._limiter = RateLimiter(options.rate_limit_per_minute, options.monotonic, fixed=fixed)
        self.requests: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()

    async def __call__(self, request: Request) -> Response:
        if not self._host_allowed(request):
            return Response("Host not allowed", 421, media_type="text/plain")
        if request.url.path.startswith(PREFIX) and self._options.control and self._world is not None:
            return await self._controlled(request, self._world)
        match = resolve(request.url.path) if request.method == "GET" else None
        name = match.name if match else _UNKNOWN
        self.requests[name] += 1
        return self._with_headers(await self._answer(request, match, name))

    def _host_allowed(self, request: Request) -> bool:
        host = request.headers.get("host", "").lower()
        name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
        return name in self._options.allowed_hosts

    async def _controlled(self, request: Request, world: World) -> Response:
        return await control(request, world) if self._token_accepted(request) else responses.unauthorized()

    def _with_headers(self, response: Response) -> Response:
        """The response with Wistia's usual headers; there are none about limits, totals or versions."""
        number = self.requests.total()
        response.headers["X-Request-Id"] = str(uuid.UUID(int=digest("request", number) >> 128, version=4))
        response.headers["X-Runtime"] = f"{0.02 + digest('runtime', number) % 1_000 / 10_000:.6f}"
        response.headers["X-Envoy-Upstream-Service-Time"] = str(20 + digest("envoy", number) % 100)
        return response

    async def _answer(self, request: Request, match: Match | None, name: str) -> Response:
        page = page_request(name, request.query_params)
        number = page.number if name in LIST_ROUTES else None
        media = _media_of(request, match)
        fault = self._injector.next(name, number, self._backend.now(), media)
        if fault is not None:
            self.injected[fault.kind] += 1
        await self._pause(request, self._options.latency_seconds)
        if fault is None:
            return self._checked(request, match, page, None)
        if fault.kind in ("slow_first_page", "hang"):
            await self._pause(request, fault.delay)
        if fault.kind == "media_deleted" and media and self._world is not None:
            self._world.delete(media)
        return self._response_of(fault) or _damaged(fault, self._checked(request, match, page, fault))

    async def _pause(self, request: Request, seconds: float) -> None:
        """Wait as the options say; in process a wait beyond the client's timeout raises that timeout at once."""
        if seconds <= 0:
            return
        timeout = request.scope.get(READ_TIMEOUT)
        if timeout is not None and seconds > timeout:
            raise InjectedTimeout
        if self._options.sleep is not None:
            await self._options.sleep(seconds)
        elif not request.scope.get(IN_PROCESS):
            await asyncio.sleep(seconds)

    def _response_of(self, fault: Fault) -> Response | None:
        """The response of a fault that prevents the request from reaching its endpoint."""
        match fault.kind:
            case "http404" | "http500":
                internal = responses.json_response({"error": "Internal server error"}, 500)
                return responses.missing_stats() if fault.kind == "http404" else internal
            case "http502" | "http503" | "http504" | "html200":
                return responses.html(*_HTML_TITLES[fault.kind])
            case "rate_limited":
                return responses.too_many(self._options.rate_limit_status, self._retry_after(fault))
            case "token_revoked":
                return responses.unauthorized()
            case "empty_list":
                return responses.json_response([])
        return RedirectResponse(fault.location, 302) if fault.kind == "redirect" else None

    def _retry_after(self, fault: Fault) -> str | None:
        match fault.retry_after:
            case "none":
                return None
            case "seconds":
                return str(int(fault.delay))
            case "date":
                until = self._backend.now().astimezone(UTC) + timedelta(seconds=fault.delay)
                return format_datetime(until.replace(microsecond=0), usegmt=True)

    def _checked(
        self, request: Request, match: Match | None, page: PageRequest, fault: Fault | None
    ) -> Response:
        """The endpoint's response, after authentication, rate limit, permission and plan."""
        if not self._token_accepted(request):
            return responses.unauthorized()
        wait = self._limiter.admit()
        if wait is not None:
            after = str(wait) if self._options.retry_after else None
            return responses.too_many(self._options.rate_limit_status, after)
        if match is None:
            return responses.missing_stats()
        if not may(self._options.scopes, match.scope):
            return responses.unauthorized("unauthorized_scope", "Token lacks the required permission.")
        return self._plan_refuses(match) or answer(self._call(request, match, page, fault), self._backend)

    def _plan_refuses(self, match: Match) -> Response | None:
        if match.scope == "stats:read" and not self._options.plan_allows_stats:
            return responses.plan_refused()
        if match.name in ANALYTICS_ROUTES and not self._options.plan_allows_analytics:
            return responses.plan_refused("Analytics")
        return None

    def _token_accepted(self, request: Request) -> bool:
        basic = self._options.basic or (self._world is not None and self._world.profile.basic_auth)
        token = bearer_or_basic(request.headers.get("authorization"), basic=basic)
        return token is not None and self._options.token in (None, token)

    def _call(self, request: Request, match: Match, page: PageRequest, fault: Fault | None) -> Call:
        listing = _listing_id(request)
        if fault is not None:
            self._drift.begin(listing, page, fault)
        if match.name in LIST_ROUTES:
            page = self._drift.adjust(listing, page)
        return Call(match, self._api(request, match), request.query_params, page)

    def _api(self, request: Request, match: Match) -> Api:
        if match.base == "v1":
            return Api("v1")
        header = request.headers.get("x-wistia-api-version")
        return Api("modern", resolve_release(header, self._backend.now().date()))


def _damaged(fault: Fault, response: Response) -> Response:
    """The response as a fault of the network, or of the source, changes it."""
    match fault.kind:
        case "reset" | "truncated":
            return responses.BrokenResponse(response, reset=fault.kind == "reset")
        case "scaled_percent" if response.status_code == 200:
            return responses.scaled(response)
    return response


def _media_of(request: Request, match: Match | None) -> str | None:
    """The id of the media that a request names."""
    if match is not None and match.name in MEDIA_ROUTES:
        return match.argument
    return request.query_params.get("media_id")


def _listing_id(request: Request) -> str:
    """The same text for all pages of one list."""
    query = sorted((k, v) for k, v in request.query_params.multi_items() if k != "page")
    return f"{request.url.path}?{query}"


def build_app(
    backend: Backend, options: ServerOptions, faults: FaultPlan | None = None, world: World | None = None
) -> Starlette:
    """An app over any backend; ``app.state.requests`` and ``app.state.injected`` are its counters."""
    gate = Gate(backend, options, faults or FaultPlan(), world)

    async def endpoint(request: Request) -> Response:
        return await gate(request)

    app = Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])])
    app.state.requests = gate.requests
    app.state.injected = gate.injected
    app.state.world = world
    return app


def create_app(
    world: World, options: ServerOptions | None = None, faults: FaultPlan | None = None
) -> Starlette:
    """The API of a simulated account."""
    return build_app(WorldBackend(world), options or ServerOptions(), faults, world)
