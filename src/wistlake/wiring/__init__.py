"""Settings to a lake: the only code that chooses adapters. `lake.open_lake` chooses between this machine and AWS.

What is heavy and not always needed (boto3, duckdb, pyiceberg, pyspark, an engine) is imported inside functions.
"""
