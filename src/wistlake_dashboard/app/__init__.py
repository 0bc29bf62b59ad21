"""The Streamlit app: pages over one `Source`. The entry point chooses the source."""

from wistlake_dashboard.app.pages import PAGES
from wistlake_dashboard.app.shell import show

__all__ = ["PAGES", "show"]
