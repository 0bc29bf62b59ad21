"""Which (dataset, media, day) to ask for, and which days are over. Pure: now and the zone are arguments."""
