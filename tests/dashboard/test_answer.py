"""The sentence that answers, rule by rule: figures in, words out."""

from typing import Any

import pytest

from wistlake_dashboard import answer, noise
from wistlake_dashboard.answer import Channel, Findings, Measure, Moved

WEEK = "the week before"


def moved(
    plays: tuple[float, float], loads: tuple[float, float] | None = None, *, chance: float = 0, **more: Any
) -> Moved:
    """Each figure as (before, now)."""
    return Moved(
        Measure(plays[1], plays[0], chance), Measure(loads[1], loads[0]) if loads else None,
        **{name: Measure(v[1], v[0], chance) if isinstance(v, tuple) else v for name, v in more.items()},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("plays", "chance", "says"),
    [
        ((700, 711), 0, "flat against the week before"),  # 1.6 %
        ((700, 721), 0, "flat against the week before"),  # 3 %: still small
        ((700, 722), 0, "up 3 % on the week before (more loads)"),
        ((700, 678), 0, "down 3 % on the week before (fewer loads)"),
        ((700, 760), 60, "+9 % on the week before, within the usual noise"),
        ((700, 640), 60, "−9 % on the week before, within the usual noise"),
        ((700, 760), 59, "up 9 % on the week before (more loads)"),
        ((10, 19), 0, "+9 on the week before"),  # of fewer than 20 a percentage says nothing
        ((19, 19), 0, "as many as the week before"),
        ((19, 20), 0, "up 5 % on the week before (more loads)"),
        ((0, 50), 0, "+50 on the week before"),
        ((50, 0), 0, "down 100 % on the week before"),
        ((100, 1_400), 0, "up 1,300 % on the week before (more loads)"),
    ],
)  # fmt: skip
def test_what_moved_and_by_how_much(plays: tuple[int, int], chance: float, says: str) -> None:
    assert answer.against(moved(plays, (10 * plays[0], 10 * plays[1]), chance=chance), WEEK) == says


@pytest.mark.parametrize(
    ("plays", "loads", "says"),
    [
        ((100, 200), (1000, 2000), "more loads"), ((200, 100), (2000, 1000), "fewer loads"),
        ((100, 200), (1000, 1000), "more plays per load"), ((200, 100), (1000, 1000), "fewer plays per load"),
        ((100, 200), (1000, 1300), "more plays per load"), ((100, 200), (1000, 1500), "more loads"),
        # The reason points the way that plays went: never "more loads" for fewer plays.
        ((200, 100), (1000, 1100), "fewer plays per load"), ((100, 110), (1000, 900), "more plays per load"),
        ((100, 100), (1000, 1000), ""), ((100, 200), None, ""), ((0, 200), (0, 1000), ""), ((200, 0), (100, 100), ""),
    ],
)  # fmt: skip
def test_why_plays_moved(plays: tuple[int, int], loads: tuple[int, int] | None, says: str) -> None:
    assert answer.cause(moved(plays, loads)) == says


@pytest.mark.parametrize(
    ("plays", "loads", "watched", "says"),
    [
        ((100, 100), (1000, 1000), (500, 250), "less of it watched"),
        ((100, 100), (1000, 1000), (250, 500), "more of it watched"),
        ((100, 50), (1000, 500), (500, 250), "fewer loads"),
        ((100, 60), (1000, 1000), (500, 250), "fewer plays per load"),
        ((100, 90), (1000, 900), (500, 250), "less of it watched"),
    ],
)
def test_why_watch_time_moved(
    plays: tuple[int, int], loads: tuple[int, int], watched: tuple[int, int], says: str
) -> None:
    assert answer.cause(moved(plays, loads, watched=watched), of_watch_time=True) == says


TITLES = {
    "a": "Gap Method 2",
    "b": "Lake Tour",
    "c": "A title that goes on and on, longer than any sentence can bear",
}


@pytest.mark.parametrize(
    ("media", "says"),
    [
        ({}, ["No video moved more than usual"]),
        ({"a": moved((100, 125), (1000, 1250))}, ["“Gap Method 2” +25 plays (more loads)"]),
        ({"a": moved((100, 125), chance=25)}, ["No video moved more than usual"]),
        ({"a": moved((1, 0))}, ["“Gap Method 2” −1 play"]),
        ({"a": moved((100, 125), (9, 9)), "b": moved((100, 60), (1000, 600))},
         ["“Gap Method 2” +25 plays (more plays per load)", "“Lake Tour” −40 plays (fewer loads)"]),
        # The greatest of each, and not a third.
        ({"a": moved((100, 125)), "b": moved((100, 60)), "c": moved((100, 110))},
         ["“Gap Method 2” +25 plays", "“Lake Tour” −40 plays"]),
        # Where all of them gained, nobody lost.
        ({"a": moved((100, 200)), "b": moved((100, 150)), "c": moved((100, 120))}, ["“Gap Method 2” +100 plays"]),
        ({"a": moved((100, 60)), "b": moved((100, 50))}, ["“Lake Tour” −50 plays"]),
        ({"a": moved((0, 50), note="new")}, ["“Gap Method 2” +50 plays (new)"]),
        ({"a": moved((100, 125), (1000, 1250)), "b": moved((100, 99), (1000, 990), watched=(900, 300))},
         ["“Gap Method 2” +25 plays (more loads)", "“Lake Tour” lost watch time (less of it watched)"]),
        ({"b": moved((100, 100), (10, 10), watched=(300, 900))},
         ["“Lake Tour” gained watch time (more of it watched)"]),
        ({"c": moved((0, 9))}, ["“A title that goes on and on, longer than any se…” +9 plays"]),
        ({"unknown": moved((0, 9))}, ["“unknown” +9 plays"]),
    ],
)  # fmt: skip
def test_which_videos_moved(media: dict[str, Moved], says: list[str]) -> None:
    assert answer.movers(media, TITLES) == says


def channel(name: str, plays: int, mean: float = 0.5, days: int = 7) -> Channel:
    """Steady days, and shares that vary as those of viewers do."""
    return Channel(name, tuple([plays // days] * days), plays, mean, 0.09)


@pytest.mark.parametrize(
    ("channels", "says"),
    [
        ([], ""), ([channel("facebook", 700)], ""),
        ([channel("facebook", 700), channel("unclassified", 70)], ""),  # what nobody named can't lose
        ([channel("facebook", 700), channel("youtube", 14)], ""),  # too few to compare
        ([channel("facebook", 700), channel("youtube", 350)],
         "Facebook beats YouTube in plays (700 to 350), no clear difference in average engagement"),
        ([channel("facebook", 350), channel("youtube", 700, 0.6)],
         "YouTube beats Facebook: more plays (700 to 350), higher average engagement (60.0 % to 50.0 %)"),
        ([channel("facebook", 700, 0.4), channel("youtube", 350, 0.6)],
         ("Facebook beats YouTube in plays (700 to 350), "
         "YouTube beats Facebook in average engagement (60.0 % to 40.0 %)")),
        ([channel("facebook", 700), channel("youtube", 693, 0.6)],
         "YouTube beats Facebook in average engagement (60.0 % to 50.0 %), no clear difference in plays"),
        ([channel("facebook", 700), channel("youtube", 693)], "no clear difference between Facebook and YouTube"),
        ([channel("facebook", 700), channel("youtube", 693), channel("partners", 686)],
         "no clear difference between the channels"),
        ([channel("facebook", 70), channel("youtube", 35, 0.52)],
         "Facebook beats YouTube in plays (70 to 35), no clear difference in average engagement"),
        ([channel("facebook", 42), channel("youtube", 35)], "no clear difference between Facebook and YouTube"),
    ],
)  # fmt: skip
def test_which_channel_wins(channels: list[Channel], says: str) -> None:
    assert answer.between(channels) == says
    assert answer.between(channels[::-1]).replace("YouTube and Facebook", "Facebook and YouTube") == says


BOTH = (channel("facebook", 700), channel("youtube", 350))


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Findings(0), "No plays."), (Findings(1), "1 play."), (Findings(1234), "1,234 plays."),
        (Findings(711, WEEK, moved((705, 711), (10, 10)), {"a": moved((100, 125), (1000, 1250))}),
         "711 plays, flat against the week before. “Gap Method 2” +25 plays (more loads)."),
        (Findings(1050, WEEK, moved((1040, 1050)), {}, BOTH),
         ("1,050 plays, flat against the week before; Facebook beats YouTube in plays (700 to 350), no clear "
         "difference in average engagement. No video moved more than usual.")),
        (Findings(1050, channels=BOTH),
         "1,050 plays; Facebook beats YouTube in plays (700 to 350), no clear difference in average engagement."),
        (Findings(0, WEEK, moved((60, 0), (10, 10))),
         "No plays, down 100 % on the week before. No video moved more than usual."),
    ],
)  # fmt: skip
def test_the_whole_sentence(found: Findings, says: str) -> None:
    assert answer.sentence(found, TITLES) == says


@pytest.mark.parametrize(
    ("now", "before", "counts", "least", "most"),
    [
        ([100] * 7, [100] * 7, True, 73, 74),  # 1.96 x sqrt(1400): chance alone
        ([100] * 7, [100] * 7, False, 0, 0),
        ([90, 110] * 7, [110, 90] * 7, True, 160, 170),  # the days' own ups and downs are wider
        ([100, 900], [900, 100], True, 87, 88),  # two days tell nothing of their spread
        ([], [], True, 0, 0),
    ],
)
def test_how_far_sums_differ_without_a_cause(
    now: list[float], before: list[float], counts: bool, least: float, most: float
) -> None:
    assert least <= noise.of_sums(now, before, counts=counts) <= most


@pytest.mark.parametrize(("freedom", "true"), [(6, 2.447), (13, 2.160), (27, 2.052)])
def test_few_days_need_a_greater_difference(freedom: int, true: float) -> None:
    assert noise.student(noise.USUAL, freedom) == pytest.approx(true, rel=0.02)


def test_means_of_days_and_of_samples() -> None:
    assert noise.of_means([0.5, 0.6, 0.5, 0.6], [0.6, 0.5, 0.6, 0.5]) == pytest.approx(0.155, abs=0.03)
    assert noise.of_samples((0.09, 0.09), (100, 400)) == pytest.approx(2.58 * (0.0009 + 0.000225) ** 0.5)
