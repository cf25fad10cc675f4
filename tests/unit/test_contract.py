"""Every reply word of a header has a branch in Python, and every branch waits for a word that some header names.

Read with `ast` from engine/: a variable that a call of an operation was assigned to is decided where its first part
is matched or compared. `Cell.call` decides the words that are the same for every operation.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.library import read_script, script_names

ROOT = Path(__file__).parents[2]
BY_CELL = frozenset({"closed", "fenced", "other_payload"})
CALLS = {"call", "ask", "read"}
BY_OWNER = frozenset({"seats/restate", "waiting_room/checkpoint", "waiting_room/fold"})
"""Called outside the gate, with the owner's rights: see `engine/{states,checkpoints,folding}.py`."""


class Decision:
    """What one function decides: the operations whose replies it has, how it called them, and the words it knows."""

    def __init__(self) -> None:
        self.operations: dict[str, str] = {}
        self.words: set[str] = set()


def words_of(node: ast.AST) -> set[str]:
    """Every bytes literal below a node."""
    return {
        found.value.decode()
        for found in ast.walk(node)
        if isinstance(found, ast.Constant) and isinstance(found.value, bytes)
    }


def first_part_of(node: ast.AST) -> str | None:
    """`reply` for `reply[0]`."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
        return node.value.id if node.slice.value == 0 else None
    return None


def call_of(node: ast.AST) -> tuple[str, str] | None:
    """The way and the operation of `await cell.call("seats/hold", …)`."""
    if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        way, arguments = node.value.func.attr, node.value.args
        if way in CALLS and arguments and isinstance(arguments[0], ast.Constant):
            operation = arguments[0].value
            if isinstance(operation, str) and "/" in operation:
                return way, operation
    return None


def looks_of(function: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """Every place where the first part of a variable is looked at: the variable, and the words looked for."""
    for node in ast.walk(function):
        if isinstance(node, ast.Match) and (variable := first_part_of(node.subject)):
            yield variable, {word for case in node.cases for word in words_of(case.pattern)}
        if isinstance(node, ast.Compare) and (variable := first_part_of(node.left)):
            yield variable, words_of(node)


def functions_of(sources: list[str]) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {
        f"{number}:{node.name}": node
        for number, source in enumerate(sources)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def decisions(sources: list[str]) -> tuple[dict[str, Decision], set[str]]:
    """Who decides which replies; and the operations that are called without anybody looking at their word."""
    functions = functions_of(sources)
    found: dict[str, Decision] = {}
    called: set[str] = set()
    for name, function in functions.items():
        variables: dict[str, list[tuple[str, str]]] = {}
        for node in ast.walk(function):
            if call := call_of(node):
                called.add(call[1])
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and (call := call_of(node.value)):
                variables.setdefault(node.targets[0].id, []).append(call)
        looks = list(looks_of(function))
        if any(variable in variables for variable, _ in looks):
            decision = found.setdefault(name, Decision())
            for variable, words in looks:
                if variable in variables:
                    decision.words |= words
                    decision.operations |= {operation: way for way, operation in variables[variable]}
        for node in ast.walk(function):
            # A function of the same module that is given the reply decides it.
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                decider = f"{name.partition(':')[0]}:{node.func.id}"
                given = [each.id for each in node.args if isinstance(each, ast.Name) and each.id in variables]
                if (
                    given
                    and decider in functions
                    and (words := set().union(*(w for _, w in looks_of(functions[decider]))))
                ):
                    decision = found.setdefault(decider, Decision())
                    decision.words |= words
                    decision.operations |= {operation: way for each in given for way, operation in variables[each]}
    decided = {operation for decision in found.values() for operation in decision.operations}
    return found, called - decided


def faults(sources: list[str]) -> list[str]:
    """What Python and the headers do not agree on."""
    found, undecided = decisions(sources)
    wrong = [f"nobody looks at what {operation} answers" for operation in sorted(undecided)]
    for decision in found.values():
        promised: set[str] = set()
        for operation, way in decision.operations.items():
            if operation not in script_names():
                wrong.append(f"there is no script {operation}")
                continue
            words = set(read_script(operation).replies)
            promised |= words
            missing = words - decision.words - (BY_CELL if way == "call" else set())
            wrong += [f"{operation}: no branch for {word!r}" for word in sorted(missing)]
        wrong += [f"{sorted(decision.operations)}: {word!r} never comes" for word in decision.words - promised]
    return wrong


ENGINE = [path.read_text() for path in sorted((ROOT / "engine").rglob("*.py")) if path.name != "client.py"]


def test_python_and_the_headers_agree() -> None:
    assert faults(ENGINE) == []


def test_every_script_is_called_from_the_engine() -> None:
    found, undecided = decisions(ENGINE)
    assert (
        undecided | {each for decision in found.values() for each in decision.operations}
        == set(script_names()) - BY_OWNER
    )


def test_the_cell_decides_the_words_that_are_the_same_for_all() -> None:
    cell = ast.parse((ROOT / "engine" / "cell.py").read_text())
    (call,) = (node for node in ast.walk(cell) if isinstance(node, ast.AsyncFunctionDef) and node.name == "call")
    assert set().union(*(words for _, words in looks_of(call))) == BY_CELL


RELEASE = """
async def release(cell):
    reply = await cell.call("seats/release", ())
    match reply[0]:
        case b"released":
            return
        case {branches}:
            raise Refused
    raise broken
"""


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (RELEASE.format(branches='b"hold_ended" | b"unknown_performance"'), []),
        (RELEASE.format(branches='b"hold_ended"'), ["seats/release: no branch for 'unknown_performance'"]),
        (
            RELEASE.format(branches='b"hold_ended" | b"unknown_performance" | b"gone"'),
            ["['seats/release']: 'gone' never comes"],
        ),
        (RELEASE.replace("seats/release", "seats/let_go").format(branches='b"x"'), ["there is no script seats/let_go"]),
        (
            "async def f(cell):\n    await cell.call('seats/sweep', ())",
            ["nobody looks at what seats/sweep answers"],
        ),
        (
            "async def f(cell):\n    reply = await cell.ask('cell/open', ())\n    if reply[0] != b'open': raise broken",
            ["cell/open: no branch for 'fenced'"],
        ),
    ],
)
def test_a_disagreement_is_found(source: str, fault: list[str]) -> None:
    found = faults([source])
    assert [each for each in found if "never comes" not in each or "never comes" in str(fault)] == fault
