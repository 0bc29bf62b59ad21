"""The HTTP side: Wistia's edge, authentication, paging and error bodies."""
