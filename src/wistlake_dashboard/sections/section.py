"""A section: the figures that it needs, and how they become blocks. It queries nothing itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from wistlake.quality.scope import Scope
from wistlake_dashboard import figures, gaps
from wistlake_dashboard.blocks import Block, Column, Kind, Table, Text
from wistlake_dashboard.coverage import coverage
from wistlake_dashboard.health import MOST
from wistlake_dashboard.names import unique
from wistlake_dashboard.reader import Reader, Row, titles
from wistlake_dashboard.trust import Trust, trust

if TYPE_CHECKING:
    from wistlake.ports import Query

OF_ALL_CHANNELS = "Of all channels, whichever are chosen."
DAY, MEDIA = Column("day", "Day", Kind.DAY), Column("media", "Media")
Figure = Callable[["Query", Scope], Any]


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: a publication, a scope, and the names of the media, which no two share. `pictures`: whether
    the reader's browser may ask Wistia for pictures."""

    read: Reader
    scope: Scope
    names: Mapping[str, str]
    pictures: bool = False

    def name(self, media_id: str) -> str:
        """What people call the media; or its id."""
        return self.names.get(media_id, media_id)

    @property
    def trust(self) -> Trust:
        """How far the scope's numbers can be trusted."""
        return self.read(trust, self.scope)

    def gaps(self, *, compared: bool) -> list[str]:
        """What the scope lacks and, if it is `compared`, the period before; in sentences with names of media."""
        cover = (
            self.read(figures.compare, self.scope).coverage if compared else self.read(coverage, self.scope)
        )
        return gaps.sentences(cover, self.names, compared=compared and bool(cover.even))


def view(read: Reader, scope: Scope, *, pictures: bool = False) -> View:
    """A view with the names of the publication's media."""
    return View(read, scope, unique(read(titles)), pictures)


@dataclass(frozen=True, slots=True)
class Section:
    """One thing that people see. `arrange` makes blocks of the view and of `figures`, in this order; `caption` says
    what they show, `empty` what to say if there are none; where that is nothing, the section is left out. `by_channel`:
    whether the filter by channel holds for it. `half`: two such sections in a row stand beside each other."""

    title: str
    figures: tuple[Figure, ...]
    arrange: Callable[..., Iterable[Block]]
    caption: str = ""
    empty: str = "Nothing was played in these days."
    by_channel: bool = True
    half: bool = False

    def blocks(self, view: View) -> list[Block]:
        """Everything below the section's title; nothing if the section is left out."""
        notes = [self.caption] if self.caption else []
        if view.scope.channels and not self.by_channel:
            notes.append(OF_ALL_CHANNELS)
        content = list(self.arrange(view, *(view.read(figure, view.scope) for figure in self.figures)))
        if not content and not self.empty:
            return []
        return [*map(Text, notes), *(content or [Text(self.empty)])]


def listing(
    title: str,
    figure: Figure,
    name: str,
    columns: Sequence[Column],
    *,
    empty: str,
    caption: str = "",
    printed: int = 50,
) -> Section:
    """A section of one table: the rows of `figure`, under `columns`; they are of all channels."""
    table = Table(name, title, columns, (), printed=printed)
    return Section(title, (figure,), partial(_listed, table), caption, empty, by_channel=False)


def _listed(table: Table, view: View, rows: Sequence[Row]) -> list[Block]:
    named = [r | {"media": view.name(r["media_id"])} if "media_id" in r else r for r in rows]
    cut = [Text(f"The newest {MOST:,}; fewer days or videos show the others.")] if len(named) == MOST else []
    return [replace(table, rows=named), *cut] if named else []
