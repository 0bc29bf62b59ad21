"""The HTTP side: what Wistia's edge, its authentication, its paging and its error bodies look like."""
