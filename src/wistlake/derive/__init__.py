"""From a contract to what follows from it: Spark schema, DDL, MERGE text, views, documentation. Pure text."""
