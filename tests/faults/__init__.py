"""Faults for tests: a proxy that misbehaves on demand, and a Redis process that can be frozen and killed."""

from engine.torture.proxy import FaultProxy
from tests.faults.redis_process import RedisProcess

__all__ = ["FaultProxy", "RedisProcess"]
