"""AWS: S3, DynamoDB, Secrets Manager, SNS, Glue, Athena. The only boto3."""
