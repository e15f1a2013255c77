"""Lambda Cloud, API v1: whole virtual machines, billed by the minute, ended by nothing but a terminate call."""

from adapters.providers.lambda_cloud.profile import PROFILE
from adapters.providers.lambda_cloud.provider import LambdaProvider

__all__ = ["PROFILE", "LambdaProvider"]
