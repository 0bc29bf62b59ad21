"""Answers about a lake: status, gaps, plan preview, explain, certify, cost, doctor. Reads only; changes nothing."""
