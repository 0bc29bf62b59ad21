"""Settings become parts. The only code that chooses between laptop and AWS."""
