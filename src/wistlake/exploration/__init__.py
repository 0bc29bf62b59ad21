"""Examining the API by hand: what lists hold, how they end, what could serve as a watermark.

Nothing here touches the lake. Responses are saved as sample files, redacted before they are written.
"""
