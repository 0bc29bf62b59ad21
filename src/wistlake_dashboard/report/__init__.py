"""The self-contained HTML report."""

from wistlake_dashboard.report.page import page, requested_scope

__all__ = ["page", "requested_scope"]
