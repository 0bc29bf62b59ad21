"""What else changes a lake, each under the same lease: forget, rotate, maintain, rebuild, quarantine."""
