"""The source: endpoints as data, pagination, request budget, retries, errors. The only user of an HTTP library."""

from wistlake.wistia.client import Listing, Probe, WistiaClient
from wistlake.wistia.connection import Connection
from wistlake.wistia.requests import Stats
from wistlake.wistia.responses import Response

__all__ = ["Connection", "Listing", "Probe", "Response", "Stats", "WistiaClient"]
