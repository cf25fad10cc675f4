"""Operations on seats while a performance may move to another plan: each is of one plan, from start to end."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from engine.cell import Cell
from engine.errors import CellUnavailable, PlanChanged

TRIES: Final = 3
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def of_one_plan(
    operation: Callable[Concatenate[Cell, Arguments], Coroutine[Any, Any, Answer]],
) -> Callable[Concatenate[Cell, Arguments], Coroutine[Any, Any, Answer]]:
    """The operation against the catalogue as it stands when it begins, and anew where a plan has changed meanwhile.

    A performance's keys are those of its plan, so with an old one nothing is found, and nothing was done.
    """

    @wraps(operation)
    async def begun(cell: Cell, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        for _ in range(TRIES):
            try:
                return await operation(cell.whole.as_it_stands(), *args, **kwargs)
            except PlanChanged:
                continue
        raise CellUnavailable("the plan of this performance is changing")

    return begun
