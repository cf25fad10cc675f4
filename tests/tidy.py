"""The house rules. Each rule reads one file and yields what breaks it, the line first where there is one."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

CODE = ("engine", "api", "loadtests")
ARROWS = {
    "engine": {"api", "loadtests", "tests", "litestar", "locust"},
    "api": {"loadtests", "tests", "lua", "asyncpg", "psycopg", "locust"},
    "loadtests": {"engine", "api", "lua", "tests", "litestar", "asyncpg", "psycopg", "redis"},
}
"""What a room may not import: arrows point `api → engine → lua`, and `loadtests` speaks HTTP only."""
NAMELESS = {"utils.py", "helpers.py", "manager.py", "base.py", "common.py", "misc.py"}
NEVER = {
    *("tenant", "tenants", "organiser", "organizer", "campaign", "lottery", "contingent", "shard", "dao"),
    *("cart", "carts", "locker", "booking", "bookings", "reservation", "reservations"),
}
"""Words of the list *Words* in the README that no name is made of; those that mean other things too are not here."""
MOST_LINES, MOST_ARGUMENTS = 80, 8
# Put together here, so that this file does not itself name what no file may name.
HOSTS = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("crates", "io"))]
SOMEBODYS = re.compile("/(?:ho" + "me|ro" + "ot|Us" + r"ers|wo" + r"rk)/\w")
LEFT_OVER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


class Source(NamedTuple):
    """A file of the repository: its path from the root, and its text."""

    path: str
    text: str

    @property
    def room(self) -> str:
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def tree(self) -> ast.Module:
        return parse(self.text)


@cache
def parse(text: str) -> ast.Module:
    return ast.parse(text)


Rule = Callable[[Source], Iterator[str]]


def is_python_of(source: Source, *rooms: str) -> bool:
    return source.room in rooms and source.path.endswith(".py")


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every module that is imported anywhere, type checking and inner functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def arrows_never_turn(source: Source) -> Iterator[str]:
    if is_python_of(source, *CODE):
        for line, module in imported(source.tree):
            if module.startswith("."):
                yield f"{line}: a relative import hides where it goes"
            if module.partition(".")[0] in ARROWS[source.room]:
                yield f"{line}: {source.room} imports {module}"


def only_the_ledger_speaks_to_postgres(source: Source) -> Iterator[str]:
    if is_python_of(source, "engine") and not source.path.startswith("engine/ledger/"):
        yield from (f"{line}: {module}" for line, module in imported(source.tree) if module.startswith("asyncpg"))


def only_the_library_reads_lua(source: Source) -> Iterator[str]:
    if is_python_of(source, *CODE) and source.path != "engine/library.py":
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node).startswith("files('lua')"):
                yield f"{node.lineno}: {ast.unparse(node)}"


def keys_are_spelled_once(source: Source) -> Iterator[str]:
    """A key carries its house's tag, `{house}:…`, and that is written in engine/keys.py alone."""
    if is_python_of(source, *CODE) and source.path != "engine/keys.py":
        docstrings = said(source.tree)
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or node in docstrings:
                continue
            if re.search(r"\}:|:(live|claimed|due|index)$", node.value):
                yield f"{node.lineno}: {node.value!r}"


def said(tree: ast.Module) -> set[ast.expr]:
    """What stands by itself: docstrings."""
    return {each.value for each in ast.walk(tree) if isinstance(each, ast.Expr)}


def names_say_something(source: Source) -> Iterator[str]:
    if source.name in NAMELESS:
        yield f"what is in {source.name}?"


def public_things_say_what_they_are(source: Source) -> Iterator[str]:
    if not is_python_of(source, *CODE) or not source.text.strip():
        return
    if ast.get_docstring(source.tree) is None:
        yield "the module"
    yield from undocumented(source.tree.body)


def undocumented(body: list[ast.stmt], owner: str = "") -> Iterator[str]:
    """Public classes and functions without a docstring. What a base class asks for is said there."""
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            is_overload = any(ast.unparse(each) in {"overload", "override"} for each in node.decorator_list)
            if ast.get_docstring(node) is None and not is_overload:
                yield f"{node.lineno}: {owner}{node.name}"
            if isinstance(node, ast.ClassDef) and not inherits(node):
                yield from undocumented(node.body, f"{node.name}.")


def inherits(node: ast.ClassDef) -> bool:
    """From something whose methods it takes over, and which describes them: not from a mere shape."""
    shapes = {"msgspec.Struct", "NamedTuple", "Protocol", "Enum", "Exception", "TypedDict"}
    return any(ast.unparse(base) not in shapes for base in node.bases)


def nothing_is_printed(source: Source) -> Iterator[str]:
    """Only what runs in a terminal speaks there; the rest logs."""
    if is_python_of(source, *CODE) and not source.path.startswith("engine/cli/"):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"print", "breakpoint", "pprint"}:
                yield f"{node.lineno}: {ast.unparse(node)}"


def no_file_knows_a_registry_or_somebodys_folder(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        yield from (f"{number}: {host}" for host in HOSTS if host in line)
        if found := SOMEBODYS.search(line):
            yield f"{number}: {found.group()}"


def nothing_is_left_for_later(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := LEFT_OVER.search(line):
            yield f"{number}: {found.group()}"


def scripts_can_be_read_at_once(source: Source) -> Iterator[str]:
    if source.room == "lua" and source.path.endswith(".lua"):
        lines = source.text.splitlines()
        if len(lines) > MOST_LINES:
            yield f"{len(lines)} lines"
        arguments = re.search(r"^-- ARGV(.*)$", source.text, re.MULTILINE)
        if arguments and len(arguments.group(1).split()) > MOST_ARGUMENTS:
            yield "a script that wants a ninth argument is two verbs"
        if "cjson" in source.text:
            yield "cjson"


def parts(identifier: str) -> set[str]:
    """`cartOf_tenants` → cart, of, tenants."""
    return {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)}


def defined(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name that a module makes: what it calls things is ours, what it calls is others'."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def one_word_has_one_meaning(source: Source) -> Iterator[str]:
    if is_python_of(source, *CODE, "tests"):
        yield from (f"{line}: {name}" for line, name in defined(source.tree) if parts(name) & NEVER)
    elif source.path.endswith((".lua", ".js", ".sql")) and "/words/" not in source.path:
        code = re.sub(r"""(["'`]).*?\1|--.*|//.*""", "", source.text)
        for name in set(re.findall(r"[A-Za-z_]\w*", code)):
            if parts(name) & NEVER:
                yield name


RULES: list[Rule] = [
    arrows_never_turn,
    only_the_ledger_speaks_to_postgres,
    only_the_library_reads_lua,
    keys_are_spelled_once,
    names_say_something,
    public_things_say_what_they_are,
    nothing_is_printed,
    no_file_knows_a_registry_or_somebodys_folder,
    nothing_is_left_for_later,
    scripts_can_be_read_at_once,
    one_word_has_one_meaning,
]
