"""Published rows as files of other tools, with a manifest. Reads through the Query port; writes outside of the lake."""
