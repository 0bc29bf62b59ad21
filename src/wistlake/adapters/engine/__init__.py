"""Spark engines: Sail and Apache Spark on this machine, and Iceberg tables behind either. The only SparkSession."""
