"""What people see: every section once. The report and the app draw these and nothing else."""

from dataclasses import dataclass

from wistlake_dashboard.figures import compare
from wistlake_dashboard.sections import analytics, audience, health, labels, overview, video
from wistlake_dashboard.sections.section import Section, View, view

__all__ = ["APPENDIX", "PAGES", "REPORT", "SECTIONS", "Page", "Section", "View", "view"]


@dataclass(frozen=True, slots=True)
class Page:
    """Sections that the app shows together. `one_media`: of a single media, which the reader picks."""

    title: str
    path: str
    icon: str
    sections: tuple[Section, ...]
    one_media: bool = False

    @property
    def compares(self) -> bool:
        """Whether any of its figures stands against the period before."""
        return any(compare in section.figures for section in self.sections)


OVERVIEW = (*overview.OVERVIEW, analytics.ACTIONS)
TRAFFIC = (*audience.TRAFFIC, analytics.REFERRERS, analytics.CAMPAIGNS, analytics.PAGES, labels.BY_LABEL)
AUDIENCE = (*audience.AUDIENCE, analytics.LANGUAGES, analytics.SCREENS)
PAGES = (
    Page("Overview", "overview", ":material/monitoring:", OVERVIEW),
    Page("Videos", "videos", ":material/video_library:", overview.VIDEOS),
    Page("Video", "video", ":material/movie:", (*video.OF_ONE_MEDIA, analytics.ACTIONS), one_media=True),
    Page("Traffic", "traffic", ":material/hub:", TRAFFIC),
    Page("Audience", "audience", ":material/public:", AUDIENCE),
    Page("Data quality", "quality", ":material/verified:", (overview.CHANGES, *health.SECTIONS)),
)
# The report's pages, and its appendix.
REPORT = (
    *OVERVIEW, video.ENGAGEMENT_CURVES, video.SWAP, audience.CHANNELS, audience.WAYS, analytics.REFERRERS,
    analytics.CAMPAIGNS, labels.BY_LABEL, audience.COUNTRIES, audience.DEVICES,
)  # fmt: skip
APPENDIX = PAGES[-1].sections
SECTIONS = tuple(dict.fromkeys(section for page in PAGES for section in page.sections))
