"""How a crowd comes: at the opening, all at once."""

# Locust's own shape is not typed.
# mypy: disable-error-code="no-untyped-call"

from typing import Final

from locust import LoadTestShape

SECONDS_TO_COME: Final = 1


class Opening(LoadTestShape):
    """Everybody comes in the same second, and the run ends when all have left, or after `--longest-s`."""

    def __init__(self) -> None:
        super().__init__()
        self._has_begun = False

    def tick(self) -> tuple[int, float] | None:
        """How many visitors there should be now, and how many come a second; None at the end."""
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        assert options is not None
        here = self.get_current_user_count()
        self._has_begun = self._has_begun or here > 0
        if self.get_run_time() > options.longest_s or (self._has_begun and here == 0):
            return None
        return options.visitors, options.visitors / SECONDS_TO_COME
