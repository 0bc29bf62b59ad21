"""The source: endpoints as data, paging, pacing, retries, error mapping. The only user of an HTTP library."""

from wistlake.wistia.client import Listing, Page, Probe, WistiaClient
from wistlake.wistia.connection import Connection
from wistlake.wistia.requests import Stats

__all__ = ["Connection", "Listing", "Page", "Probe", "Stats", "WistiaClient"]
