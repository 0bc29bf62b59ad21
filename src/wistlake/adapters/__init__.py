"""The outside world, a module each. The only boto3, the only SparkSession."""
