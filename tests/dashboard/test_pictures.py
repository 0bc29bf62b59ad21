"""Pictures of videos: only Wistia's, and only where the setting says so."""

import re
from datetime import date, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.published import DAILY, DIM, Published, days
from dashboard.shown import NUMBER, Fixed
from support.some import some
from wistlake.quality.scope import Scope
from wistlake_dashboard.pictures import address
from wistlake_dashboard.report import page

LAST = date(2026, 3, 12)
WEEK = Scope(LAST - timedelta(days=6), LAST)
STILL = "https://embed-ssl.wistia.com/deliveries/a.jpg?image_crop_resized=200x120"


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        (STILL, STILL),
        ("http://embed.wistia.com/deliveries/a.bin", "https://embed-ssl.wistia.com/deliveries/a.bin"),
        ("https://somebody@fast.wistia.com:8080/a", "https://fast.wistia.com/a"),
        ("https://wistia.com.example/a.jpg", None),
        ("https://fast.wistia.com.example/a.jpg", None),
        ("https://evil-wistia.com/a.jpg", None),
        ("https://x.example/a.wistia.com", None),
        ("javascript:alert(1)//.wistia.com", None),
        ("data:image/png;base64,AAAA", None),
        ("//fast.wistia.com/a.jpg", None),
        ("https://[", None),
        ("", None),
        (None, None),
    ],
)
def test_only_wistia_is_asked_over_tls(url: str | None, asked: str | None) -> None:
    assert address(url) == asked


@pytest.fixture(scope="module")
def query() -> Published:
    """A video with a picture, one whose picture is somebody else's, and one without."""
    made = Published({})
    pictures = {"a": f'{STILL}&x="><script>alert(1)</script>', "b": "https://x.example/b.jpg", "c": None}
    for media_id, url in pictures.items():
        made.add(DAILY, days(media_id, WEEK.before.start, [3] * 14))
        made.add(
            DIM,
            [{"media_id": media_id, "title": media_id.upper(), "is_deleted": False, "thumbnail_url": url}],
        )
    return made


def images(html: str) -> list[str]:
    return re.findall(r"<img [^>]*>", html)


def test_the_report_asks_for_none(query: Published) -> None:
    text = page(query, WEEK)
    assert images(text) == []
    assert "img-src data:;" in text
    assert "wistia.com" not in text


def test_with_the_setting_the_report_asks_wistia_and_nobody_else(query: Published) -> None:
    text = page(query, WEEK, pictures=True)
    (image,) = images(text)
    assert f'src="{STILL.replace("&", "&amp;")}' in image
    assert 'referrerpolicy="no-referrer"' in image
    assert "<script" not in text
    assert "img-src https://*.wistia.com;" in text
    assert "default-src &#x27;none&#x27;" in text


def with_pictures(number: int, source: object) -> None:
    """Streamlit runs this function's text: it stands alone."""
    from wistlake_dashboard.app import PAGES, show

    show(source, PAGES[number : number + 1], pictures=True)  # type: ignore[arg-type]


def without_pictures(number: int, source: object) -> None:
    """Streamlit runs this function's text: it stands alone."""
    from wistlake_dashboard.app import PAGES, show

    show(source, PAGES[number : number + 1])  # type: ignore[arg-type]


def shown(script: object, path: str, query: Published) -> AppTest:
    app = AppTest.from_function(script, args=(NUMBER[path], Fixed(query)), default_timeout=60)  # type: ignore[arg-type]
    app.query_params["video"] = "a"
    app.run()
    assert not app.exception
    return app


def pictured(app: AppTest) -> list[str]:
    return images(" ".join(e.proto.body for e in app.get("html")))


def test_the_pages_show_none(query: Published) -> None:
    assert pictured(shown(without_pictures, "video", query)) == []
    (table,) = shown(without_pictures, "videos", query).dataframe
    assert "picture" not in table.value


def test_with_the_setting_the_pages_show_wistias(query: Published) -> None:
    (image,) = pictured(shown(with_pictures, "video", query))
    assert image.count('"') == 10  # five attributes, and no way out of one
    assert 'alt="A"' in image
    (table,) = shown(with_pictures, "videos", query).dataframe
    assert [bool(v) for v in some(table.value["picture"])] == [True, False, False]
