"""ministack and what it lacks for this project: each module mends one service, `__main__` starts the whole.

Only tests use it; nothing of it reaches AWS. The hooks stand on names inside ministack: every module lists
those that it needs, and the start fails if the version is another one or a name is gone.
"""
