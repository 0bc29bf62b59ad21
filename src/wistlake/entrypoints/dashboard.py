"""The script that Streamlit runs at every turn of the dashboard: settings, a lake, the app."""

from wistlake.entrypoints.cli import session
from wistlake.wiring.lake import Published
from wistlake_dashboard.app import PAGES, show

lake = session.lake()
show(Published(lake, held=True), PAGES, pictures=lake.settings.thumbnails)
