"""HTML as values: text is escaped unless it is Markup already, and can't turn the writing around."""

from html import escape

from wistlake.foreign import printable


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | None
_WITHOUT_END = ("meta", "img")


def join(*children: Child) -> Markup:
    """The children one after the other, escaped where they are text."""
    return Markup(
        "".join(c if isinstance(c, Markup) else escape(printable(str(c))) for c in children if c is not None)
    )


def picture(url: str, what: str = "") -> Markup:
    """A picture, of which its host learns nothing but that it was asked for. `what` is read out."""
    return tag("img", src=url, alt=what, class_="picture", loading="lazy", referrerpolicy="no-referrer")


def tag(name: str, *children: Child, **attributes: str | int | float | None) -> Markup:
    """`<name attributes>children</name>`; `class_` is class, underscores are hyphens, None leaves one out."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(printable(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    end = "" if name in _WITHOUT_END else f"</{name}>"
    return Markup(f"<{name}{pairs}>{join(*children)}{end}")
