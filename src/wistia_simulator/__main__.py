"""``python -m wistia_simulator``."""

from wistia_simulator.main import main

main()
