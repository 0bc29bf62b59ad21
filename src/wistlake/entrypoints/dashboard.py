"""The script that Streamlit runs at every turn of the dashboard: settings, a source, the app."""

from wistlake.entrypoints.cli import session
from wistlake.wiring import laptop
from wistlake_dashboard.app import PAGES, show

show(laptop.published(session.settings()), PAGES)
