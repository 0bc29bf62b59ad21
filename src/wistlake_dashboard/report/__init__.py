"""The self-contained HTML report."""

from wistlake_dashboard.report.page import WEEK, page, requested_scope

__all__ = ["WEEK", "page", "requested_scope"]
