"""Whether the numbers can be trusted: identities with the source's own totals, and certificates. Pure."""
