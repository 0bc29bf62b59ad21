"""Pseudonyms (keyed), redaction, erasure."""
