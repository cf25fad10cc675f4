import pytest
import redis

from tests.lua.stage import Stage


@pytest.fixture
def stage(owner: redis.Redis) -> Stage:
    return Stage(owner)
