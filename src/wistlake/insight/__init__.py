"""Answers about a lake: status, gaps, preview, explain, certify, doctor, cost. Reads only; changes nothing."""
