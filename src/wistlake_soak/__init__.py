"""The soak: days of the product by a virtual clock, everything going wrong, and the tables against the truth.

`script` says what goes wrong, `week` lives through it, `judge` compares every table with what the simulated
account truly held. The judge shares no code with the transforms: shared code would share its bugs.
"""
