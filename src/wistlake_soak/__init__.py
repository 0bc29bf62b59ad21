"""The soak: days of the product by a virtual clock, everything going wrong, and the tables against the truth.

`script` plans the faults, `week` runs the days, `truth` computes what every table must hold, `judge` compares. Tests
use the same `truth`. Neither shares code with the transforms: shared code would share its bugs.
"""
