"""The self-contained HTML report."""

from wistlake_dashboard.report.page import chosen_scope, page

__all__ = ["chosen_scope", "page"]
