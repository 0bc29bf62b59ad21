"""A served simulator on a real socket."""

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from simulator.support import BEARER, NOW, UNLIMITED, app_of, world
from wistia_simulator import Fault, FaultPlan, Nth, Profile, TickingClock
from wistia_simulator.main import Serving, build, main, running

PATH = "/v1/medias"


def test_a_real_socket_serves_only_this_machine():
    with running(app_of(world())) as url:
        assert url.startswith("http://127.0.0.1:")
        assert httpx2.get(f"{url}{PATH}", headers=BEARER).status_code == 200
        assert httpx2.get(f"{url}{PATH}", headers={**BEARER, "Host": "example.com"}).status_code == 421


@pytest.mark.parametrize("kind", ["reset", "truncated"])
def test_a_real_connection_breaks(kind):
    app = app_of(world(), UNLIMITED, FaultPlan(0, (Fault(kind, when=Nth(1)),)))
    with running(app) as url:
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            httpx2.get(f"{url}{PATH}", headers=BEARER)
        assert httpx2.get(f"{url}{PATH}", headers=BEARER).status_code == 200


def test_a_real_hang_runs_into_the_timeout():
    app = app_of(world(), UNLIMITED, FaultPlan(0, (Fault("hang", seconds=0.6),)))
    with running(app) as url, pytest.raises(httpx2.ReadTimeout):
        httpx2.get(f"{url}{PATH}", headers=BEARER, timeout=0.2)


def test_the_clock_is_set_over_the_wire():
    subject = world()
    with running(app_of(subject, replace(UNLIMITED, control=True))) as url:
        later = {"now": "2026-11-21T00:00:00+00:00"}
        answer = httpx2.post(f"{url}/_simulator/clock", headers=BEARER, json=later)
        assert answer.json() == later
    assert subject.clock.now().isoformat() == later["now"]


def test_settings_reach_the_world(tmp_path):
    app = build(Serving(now=NOW, media=4, timezone="UTC-5", profile="calm", sessions_per_day=3.0))
    profile = app.state.world.profile
    assert (profile.media, profile.account_timezone, profile.growing) == (4, "UTC-5", 0.0)
    assert app.state.world.clock.now() == NOW
    path = tmp_path / "profile.json"
    path.write_text(
        '{"base": "hostile", "late": 0.5, "schema_addition_from": "2026-11-20",'
        '"changes": [{"media_index": 0, "at": "2026-11-20T00:00:00+00:00", "kind": "retag", "value": ["a"]}]}'
    )
    profile = build(Serving(profile=str(path))).state.world.profile
    assert profile.late == 0.5
    assert profile.changes[0].value == ("a",)
    with pytest.raises(ValueError, match="unknown profile"):
        Profile.named("odd")
    with pytest.raises(SystemExit):
        main(["--now", "2026-11-20"])


def test_a_ticking_clock_runs_and_can_be_set():
    seconds = [100.0]
    clock = TickingClock(NOW, lambda: seconds[0])
    seconds[0] += 90
    assert clock.now() == NOW + timedelta(seconds=90)
    clock.advance(timedelta(hours=1))
    assert clock.now() == NOW + timedelta(hours=1, seconds=90)
    with pytest.raises(ValueError, match="aware"):
        clock.set(NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("--faults wild", "unknown fault plan 'wild'"),
        ("--faults missing.json", "missing.json"),
        ("--profile wild", "wild"),
        ("--port 80000", "port must be 0-65535"),
    ],
)
def test_what_can_not_be_served_ends_with_one_line(typed, says, capsys):
    with pytest.raises(SystemExit) as ended:
        main(typed.split())
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
