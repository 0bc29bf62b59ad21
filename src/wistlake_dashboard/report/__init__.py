"""The self-contained HTML report."""

from wistlake_dashboard.report.page import WEEK, newest_scope, page

__all__ = ["WEEK", "newest_scope", "page"]
