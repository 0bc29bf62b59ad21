"""What people see: every section once, in order. The report and the app draw these and nothing else."""

from dataclasses import dataclass

from wistlake_dashboard.figures import compare
from wistlake_dashboard.sections import audience, engagement, health
from wistlake_dashboard.sections.section import Section, View, view

__all__ = ["PAGES", "SECTIONS", "Page", "Section", "View", "view"]


@dataclass(frozen=True, slots=True)
class Page:
    """Sections that the app shows together. `one_media`: of a single media, which the reader picks. `folded`: the
    report, which shows all pages one after the other, hides it until it is opened."""

    title: str
    path: str
    icon: str
    sections: tuple[Section, ...]
    one_media: bool = False
    folded: bool = False

    @property
    def compares(self) -> bool:
        """Whether any of its figures stands against the period before."""
        return any(compare in section.figures for section in self.sections)


PAGES = (
    Page("Overview", "overview", ":material/monitoring:", engagement.OVERVIEW),
    Page("Media detail", "media", ":material/movie:", engagement.OF_ONE_MEDIA, one_media=True),
    Page("Channels", "channels", ":material/hub:", audience.CHANNELS),
    Page("Audience", "audience", ":material/public:", audience.AUDIENCE),
    Page("Data health", "health", ":material/verified:", health.SECTIONS, folded=True),
)
SECTIONS = tuple(dict.fromkeys(section for page in PAGES for section in page.sections))
