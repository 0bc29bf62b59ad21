"""From a contract to everything that follows from it: Spark schema, DDL, MERGE text, views, documentation. Pure text."""
