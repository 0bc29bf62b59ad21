"""Jobs that change a lake beside its runs, under the same lease: forget, rotate, maintain, rebuild, quarantine."""
