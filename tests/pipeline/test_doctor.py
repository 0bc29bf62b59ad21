"""What the probes of `doctor --live` find, on simulated accounts that differ in what nobody has written down."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from support.some import some
from unit.wistia.fakes import CANARY, client
from wistia_simulator import MediaChange, Profile, ServerOptions, World, create_app, transport
from wistlake.insight.doctor import UNKNOWN
from wistlake.insight.probes import PROBES, authentication, probes
from wistlake.zones import zone

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
OPTIONS = ServerOptions(token=CANARY, rate_limit_per_minute=None)
QUIET = replace(Profile.calm(), media=1, sessions_per_day=12.0, history_days=15)
NEW_YORK = "America/New_York"


def account(profile: Profile = QUIET, options: ServerOptions = OPTIONS, **connection: str):
    """A client of a simulated account."""
    return client(transport(create_app(World(3, profile, NOW), options)), **connection)


def verdicts(wistia, zone_name: str = NEW_YORK) -> dict[str, str]:
    """What each probe says, by its name."""

    async def ask():
        async with wistia as open_client:
            return await probes(open_client, NOW, zone(zone_name))

    return {check.name.removeprefix("live: "): check.verdict for check in asyncio.run(ask())}


@pytest.mark.parametrize("base", ["https://api.wistia.com/modern", "https://api.wistia.com/v1"])
def test_every_probe_has_a_verdict_on_both_apis(base: str) -> None:
    found = verdicts(account(base_url=base))
    assert set(found) == {name for name, _ in PROBES}
    assert found["events a page without per_page"] == "10"
    assert found["unknown media in stats"] == "404"
    assert found["engagement body"] == "seen"
    assert found["reversed days"] == "200"
    assert found["a day that is none"] == "refused"


@pytest.mark.parametrize(
    ("probe", "variant", "verdict"),
    [
        ("IPv6 addresses", {"ipv6_share": 1.0}, "yes"),
        ("IPv6 addresses", {"ipv6_share": 0.0}, UNKNOWN),
        ("both copies of a repeated event", {"duplicated": 1.0}, "different"),
        ("both copies of a repeated event", {"duplicated": 0.0}, UNKNOWN),
        ("zone of by_date's days", {"account_timezone": NEW_YORK}, "as set"),
        ("zone of by_date's days", {"account_timezone": "UTC"}, "UTC"),
        ("zone of by_date's days", {"sessions_per_day": 200.0}, UNKNOWN),
        ("numeric media id in events", {}, "works"),
        ("numeric media id in events", {"sessions_per_day": 0.0}, UNKNOWN),
        ("archived media in the default list", {}, UNKNOWN),
        (
            "archived media in the default list",
            {"media": 2, "changes": (MediaChange(1, datetime(2026, 11, 15, tzinfo=UTC), "archive"),)},
            "yes",
        ),
    ],
)
def test_verdicts_follow_the_account(probe: str, variant: dict, verdict: str) -> None:
    assert verdicts(account(replace(QUIET, **variant)))[probe] == verdict


@pytest.mark.parametrize(("basic", "verdict"), [(True, "yes"), (False, "no")])
def test_the_other_authentication(basic: bool, verdict: str) -> None:
    async def ask():
        async with account(options=replace(OPTIONS, basic=basic), auth="basic") as wistia:
            return await authentication(wistia, "basic")

    assert asyncio.run(ask()).verdict == verdict


def test_an_account_without_media_is_said() -> None:
    assert verdicts(account(replace(QUIET, media=0))) == {"live": UNKNOWN}


def test_no_probe_tells_a_personal_value() -> None:
    profile = replace(QUIET, canary="canary7", email_share=1.0)

    async def ask():
        async with account(profile) as wistia:
            return await probes(wistia, NOW, zone(NEW_YORK))

    assert not any("canary7" in f"{check}" for check in some(asyncio.run(ask())))
