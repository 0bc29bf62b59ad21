"""The laptop: files, sqlite, lock files, a local Iceberg catalog, and copies of all of it."""
