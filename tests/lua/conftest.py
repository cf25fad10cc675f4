import pytest

from tests.lua.stage import Stage


@pytest.fixture
def stage(owner):
    return Stage(owner)
