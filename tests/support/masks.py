"""Pages and names, and what may stay of them: one table for Python and for every engine."""

import base64
from collections.abc import Iterable
from typing import Any

from wistlake.derive import mask
from wistlake.privacy.redaction import page

Stays = tuple[str | None, str | None, str | None]
TOKEN = base64.b64encode(b"jane.doe@mail.example.org").decode()
PAGES: dict[str, Stays] = {
    # url: (host, path, utm_source)
    # pages as they mostly are
    "https://h.example/training?utm_source=news&x=1": ("h.example", "/training", "news"),
    "https://WWW.Example.com": ("www.example.com", None, None),
    "https://h.example:8443/a/b.html#part": ("h.example", "/a/b.html", None),
    "https://h.example/?utm_source=spring+sale%20two": ("h.example", "/", "spring sale two"),
    "https://h.example/caf%C3%A9/%41?utm_source=caf%C3%A9%2B": ("h.example", "/caf%C3%A9/%41", "caf%C3%A9%2B"),
    "https://h.example/watch/dQw4w9WgXcQ": ("h.example", "/watch/dQw4w9WgXcQ", None),
    "https://h.example/iPhone15Pro/DEADBEEF/QATAR": ("h.example", "/iPhone15Pro/DEADBEEF/QATAR", None),
    "https://h.example/2026-03/v2.10.1": ("h.example", "/2026-03/v2.10.1", None),
    "": (None, None, None),
    "about:blank": (None, None, None),
    # user and password
    "https://user:pw@host.example/x": ("host.example", "/x", None),
    "https://a@b@host.example/x": ("host.example", "/x", None),
    "https://jane%40x.example/p": ("[masked]", "/p", None),
    # hosts that are addresses of the network
    "http://203.0.113.7/x": ("[masked]", "/x", None),
    "http://203.0.113.7:8080/x": ("[masked]", "/x", None),
    "http://203.0.113.7./x": ("[masked]", "/x", None),
    "http://[2001:db8::1]/x?utm_source=a": ("[masked]", "/x", "a"),
    "http://u@[2001:DB8::1]:8080/x": ("[masked]", "/x", None),
    "http://[::ffff:203.0.113.7]": ("[masked]", None, None),
    "http://[broken/x": ("[masked]", "/x", None),
    "http://%5B2001:db8::1%5D/x": ("[masked]", "/x", None),
    "http://3405803783/x": ("[masked]", "/x", None),
    "http://0xCB007107/x": ("[masked]", "/x", None),
    "http://0xcb.0.0x71.7/x": ("[masked]", "/x", None),
    "http://ip-203-0-113-7.isp.example/x": ("[masked]", "/x", None),
    "http://203.0.113.7.nip.example/x": ("[masked]", "/x", None),
    "http://203%2E0%2e113%2E7/x": ("[masked]", "/x", None),
    # hosts with what tells one visitor from another
    "https://0F0E0D0C-1111-2222-3333-444455556666.h.example/x": ("[masked]", "/x", None),
    "https://0123456789abcdef0123456789abcdef.h.example/x": ("[masked]", "/x", None),
    "https://4917012345678.h.example/x": ("[masked]", "/x", None),
    "https://shop20261130.h.example/x": ("shop20261130.h.example", "/x", None),
    "https://thecompanyblogaboutmarketing2026.example/x": ("thecompanyblogaboutmarketing2026.example", "/x", None),
    # addresses of the network elsewhere
    "https://h.example/from/::ffff:203.0.113.7/x": ("h.example", "/from/[masked]/x", None),
    "https://h.example/?utm_source=64:ff9b::203.0.113.7": ("h.example", "/", "[masked]"),
    "https://h.example/from/1.2.3.4/x": ("h.example", "/from/[masked]/x", None),
    "https://h.example/from/2001:db8::1": ("h.example", "/from/[masked]", None),
    "https://h.example/from/2001%3Adb8%3A0%3A0%3A0%3A0%3A0%3A1": ("h.example", "/from/[masked]", None),
    # e-mail addresses
    "https://h.example/u/jane.doe@x.example/p": ("h.example", "/u/[masked]/p", None),
    "https://h.example/u/jane%40x.example": ("h.example", "/u/[masked]", None),
    "https://h.example/u/jane%2540x.example?utm_source=jane%252540x.example": ("h.example", "/u/[masked]", "[masked]"),
    "https://h.example/u/jane\uff20x.example/p": ("h.example", "/u/[masked]/p", None),
    "https://h.example/u/jane%EF%BC%A0x.example": ("h.example", "/u/[masked]", None),
    "https://h.example/u/jane%25ef%25bc%25a0x.example": ("h.example", "/u/[masked]", None),
    "https://h.example/u/jane\ufe6bx.example": ("h.example", "/u/[masked]", None),
    "https://h.example/u/m\u00fcller@x.example": ("h.example", "/u/[masked]", None),
    "https://h.example/u/jane(at)x.example/p": ("h.example", "/u/[masked]/p", None),
    "https://h.example/u/jane%28AT%29x.example": ("h.example", "/u/[masked]", None),
    "https://h.example/u/jane[at]x.example": ("h.example", "/u/[masked]", None),
    "https://h.example/?utm_source=jane.doe+promo@x.example": ("h.example", "/", "[masked]"),
    "https://h.example/?utm_source=jane.doe%20@%20x.example": ("h.example", "/", "[masked]"),
    "https://h.example/u/jane.doe%u0040x.example": ("h.example", "/u/[masked]", None),
    "https://h.example/?utm_source=by+jane+(at)+x.example": ("h.example", "/", "by [masked]"),
    "https://h.example/?utm_source=jane%20%5Bat%5D%20x.example": ("h.example", "/", "[masked]"),
    # the same, encoded
    f"https://h.example/u/{TOKEN}/p": ("h.example", "/u/[masked]==/p", None),
    "https://h.example/u/YUBiLmlv/p": ("h.example", "/u/[masked]/p", None),  # a@b.io
    "https://h.example/u/amFuZUB4Lmlv?utm_source=amFuZUB4Lmlv": ("h.example", "/u/[masked]", "[masked]"),  # jane@x.io
    "https://h.example/u_eDFAeS5kZQ%3D%3D": ("h.example", "/[masked]", None),  # x1@y.de
    "https://h.example/u/6140622e696f": ("h.example", "/u/[masked]", None),  # a@b.io
    # sessions and matrix parameters
    "https://h.example/p;jsessionid=1A2B": ("h.example", "/p;[masked]", None),
    "https://h.example/p;JSESSIONID=1A2B;user=jane/q;v=1?utm_source=a": ("h.example", "/p;[masked]/q;[masked]", "a"),
    "https://h.example/p%3Bjsessionid%3D1A2B/q": ("h.example", "/p;[masked]/q", None),
    "https://h.example/p/jsessionid=1A2B/q": ("h.example", "/p/[masked]/q", None),
    "https://h.example/p/PHPSESSID=1A2B&x": ("h.example", "/p/[masked]&x", None),
    # tokens and numbers
    "https://h.example/r/0f0e0d0c-1111-2222-3333-444455556666/x": ("h.example", "/r/[masked]/x", None),
    "https://h.example/17_0f0e0d0c-1111-2222-3333-444455556666-abcdefabcdef-1/x": ("h.example", "/[masked]/x", None),
    "https://h.example/t/abcdefghijklmnopqrstuvwxyz012345": ("h.example", "/t/[masked]", None),
    "https://h.example/call/+49 170 1234567": ("h.example", "/call/+[masked]", None),
    f"https://h.example/{'ab/' * 100}": ("h.example", f"/{'ab/' * 100}"[:200], None),
}  # fmt: skip

NAMES = {
    "Demo call with person10@mail.example.org": "Demo call with [masked]",
    "<jane.doe+x@x.example>, two": "<[masked]>, two",
    "o'brien@x.example / o/brien@x.example": "[masked] / [masked]",
    "m\u00fcller@b\u00fccher.example": "[masked]",
    "jane\uff20x.example!": "[masked]!",
    "jane (at) x.example": "[masked]",
    "jane [at] x [dot] example": "[masked]",
    "jane%40x.example": "[masked]",
    "Ask (mailto:jane@x.example) now": "Ask (mailto:[masked]) now",
    '"jane doe"@x.example, two': "[masked], two",
    "jane.doe&#64;x.example": "[masked]",
    "jane.doe&#x40;x.example and jane.doe&amp;commat;x.example": "[masked] and [masked]",
    "jane.doe@[192.0.2.7]": "[masked]",
    "jane@x\u3002example": "[masked]",
    "jane%40x%2Eexample": "[masked]",
    "jane\\u0040x.example": "[masked]",
    "Q&A: meet me @ the lake": "Q&A: meet me @ the lake",
    "Follow @acme at 5 @ noon": "Follow @acme at 5 @ noon",
    "Intro (at home)": "Intro (at home)",
    "abcdefghijklmnopqrstuvwxyz0123456789": "abcdefghijklmnopqrstuvwxyz0123456789",
    "203.0.113.7 and 2026-03-02": "203.0.113.7 and 2026-03-02",
    '{"title":"to \\"jane@x.example\\""}': '{"title":"to \\"[masked]\\""}',
    "": "",
}


WORDS = {
    "Chrome": "Chrome",
    "120.0.6099.71": "120.0.6099.71",
    "Bot (jane@x.example; 192.0.2.7)": "[masked]",
    "jane\uff20x": "[masked]",
    "": "",
}
LINKS = {
    "https://acme.wistia.example/medias/abc?x=1": "https://acme.wistia.example/medias/abc?x=1",
    "https://u:pw@x.example/y.jpg": None,
    "https://x.example/m?wemail=jane%40x.example": None,
    "https://x.example/m?wemail=jane%2540x.example": None,
}  # fmt: skip


def pages_of(spark: Any) -> dict[str, tuple[Stays, Stays]]:
    """What the engine makes of each page, and of what bronze keeps of it with redaction on."""
    frame = spark.createDataFrame([(url, page(url)) for url in PAGES], "url string, redacted string")
    columns = [
        f"{sql} as {name}_{column}"
        for column in ("url", "redacted")
        for name, sql in (
            ("host", mask.host(column)),
            ("path", mask.path(column)),
            ("utm", mask.utm(column, "source")),
        )
    ]
    rows = frame.selectExpr("url", *columns).collect()
    return {r[0]: (tuple(r[1:4]), tuple(r[4:7])) for r in rows}


def names_of(spark: Any) -> dict[str, str]:
    """What the engine makes of each name."""
    frame = spark.createDataFrame([(text,) for text in NAMES], "text string")
    return {r[0]: r[1] for r in frame.selectExpr("text", mask.name("text")).collect()}


def kinds_of(spark: Any, kind: str, values: Iterable[str]) -> dict[str, str | None]:
    """What the engine makes of values of that kind."""
    frame = spark.createDataFrame([(text,) for text in values], "text string")
    return {r[0]: r[1] for r in frame.selectExpr("text", mask.of(kind, "text")).collect()}
