"""The Streamlit app: pages over one `Source`. The entry point chooses the source."""

from wistlake_dashboard.app.shell import show
from wistlake_dashboard.sections import PAGES

__all__ = ["PAGES", "show"]
