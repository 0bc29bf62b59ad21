"""Every body that is served, against the descriptions that Wistia publishes, where they are at hand."""

import pytest
import yaml
from jsonschema import Draft202012Validator

from simulator.support import BEARER, SAMPLES, app_of, get, world
from wistia_simulator import Profile

PUBLISHED = SAMPLES.parent / "openapi"
NAMES = (("v1", "v1", 14), ("2026-05", "modern", 22), ("2026-09-fragment.reconstructed", "modern", 15))
RANGE = "start_date=2026-11-10&end_date=2026-11-18"
# Observed in real answers, and declared by later releases only.
UNDESCRIBED = {"identifying_event_key"}


@pytest.fixture(scope="module")
def app():
    return app_of(world(Profile.described(), conversion_share=0.05, email_share=0.3, lead_share=0.3, media=4))


def paths(app):
    """Described path to one that is served."""
    media = get(app, "/modern/medias")[0]["hashed_id"]
    folder = get(app, "/modern/folders")[0]["hashed_id"]
    event = get(app, "/v1/stats/events")[0]["event_key"]
    visitor = get(app, "/v1/stats/visitors")[0]["visitor_key"]
    return {
        "/stats/account": "/stats/account",
        "/stats/account/by_date": f"/stats/account/by_date?{RANGE}",
        "/stats/projects/{projectId}": f"/stats/projects/{folder}",
        "/stats/medias/{mediaId}": f"/stats/medias/{media}",
        "/stats/medias/{mediaId}/by_date": f"/stats/medias/{media}/by_date?{RANGE}",
        "/stats/medias/{mediaId}/engagement": f"/stats/medias/{media}/engagement",
        "/stats/visitors": "/stats/visitors",
        "/stats/visitors/{visitorKey}": f"/stats/visitors/{visitor}",
        "/stats/events": "/stats/events",
        "/stats/events/{eventKey}": f"/stats/events/{event}",
        "/medias": "/medias",
        "/medias/{mediaHashedId}": f"/medias/{media}",
        "/medias/{mediaHashedId}/stats": f"/medias/{media}/stats",
        "/folders": "/folders",
        "/folders/{id}": f"/folders/{folder}",
        "/projects": "/projects",
        "/projects/{id}": f"/projects/{folder}",
        "/analytics/medias/{mediaId}/timeseries": f"/analytics/medias/{media}/timeseries?{RANGE}&granularity=daily",
        "/analytics/medias/{mediaId}": f"/analytics/medias/{media}?{RANGE}",
        "/analytics/medias/{mediaId}/traffic": f"/analytics/medias/{media}/traffic?{RANGE}&group_by=utm_source",
        "/analytics/medias/{mediaId}/languages": f"/analytics/medias/{media}/languages?{RANGE}",
        "/analytics/medias/{mediaId}/embed_locations": f"/analytics/medias/{media}/embed_locations?{RANGE}",
        "/analytics/medias/{mediaId}/embed_locations_timeseries": (
            f"/analytics/medias/{media}/embed_locations_timeseries?{RANGE}&granularity=daily"
        ),
        "/analytics/medias/{mediaId}/conversions": f"/analytics/medias/{media}/conversions?{RANGE}",
    }


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published descriptions are not on this machine")
@pytest.mark.parametrize(("name", "base", "endpoints"), NAMES)
def test_every_body_is_as_described(app, name, base, endpoints):
    description = yaml.load((PUBLISHED / f"{name}.yaml").read_text(), yaml.CSafeLoader)
    described = {path: served for path, served in paths(app).items() if path in description["paths"]}
    assert len(described) == endpoints
    for path, served in described.items():
        answers = description["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        schema = {**answers["schema"], "components": description.get("components", {})}
        headers = {**BEARER, "X-Wistia-API-Version": name[:7]}
        body = get(app, f"/{base}{served}", headers)
        problems = [
            problem.message
            for problem in Draft202012Validator(schema).iter_errors(_without(body, UNDESCRIBED))
        ]
        assert problems == [], path


def _without(body, names):
    if isinstance(body, list):
        return [_without(row, names) for row in body]
    return {name: value for name, value in body.items() if name not in names}
