"""Figures for CloudWatch, as one line of embedded metric format on standard output."""

from collections.abc import Mapping

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

NAMESPACE = "Wistlake"


def emit(figures: Mapping[str, float], stage: str) -> None:
    """Write the figures, with the stage as their dimension."""
    metrics = AmazonCloudWatchEMFProvider(namespace=NAMESPACE)
    metrics.add_dimension("stage", stage)
    for name, value in figures.items():
        metrics.add_metric(name, MetricUnit.NoUnit, value)
    metrics.flush_metrics()
