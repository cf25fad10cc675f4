"""The modules of `api/web/` put together: one file for a page, so that a phone in a train asks once.

A module says what it takes on lines of its own, `import { get, h } from './dom.js';`, and its names at the top are its
own among everything it is put together with. That keeps this a matter of order, and a mistake ends the start-up.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import minify

IMPORT: Final = re.compile(r"^import (?:\{([^}]*)\} from )?'\./([\w/]+\.js)';\n", re.MULTILINE)
EXPORT: Final = re.compile(r"^export (?=(?:async function|function|class|const|let)\b)", re.MULTILINE)
NAME: Final = re.compile(
    r"^(export )?(?:async function|function|class|const|let) \*?(\w+|[\[{][^\]}=]*[\]}])", re.MULTILINE
)

Sources = Mapping[str, str]


def closure(sources: Sources, entry: str) -> list[str]:
    """A module and all that it takes, directly or not; each after what it takes itself.

    Raises `KeyError` for a module that is not there.
    """
    found: dict[str, None] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"{name} takes itself, by way of {', '.join(path)}")
        if name not in found:
            for _, taken in IMPORT.findall(sources[name]):
                visit(taken, (*path, name))
            found[name] = None

    visit(entry, ())
    return list(found)


def taken(sources: Sources, entry: str, beside: str) -> set[str]:
    """The names that a bundle takes from the one that it is loaded beside."""
    there = closure(sources, beside)
    return {
        word
        for name in closure(sources, entry)
        if name not in there
        for words, module in IMPORT.findall(sources[name])
        if module in there
        for word in _listed(words)
    }


def bundle(sources: Sources, entry: str, *, beside: str = "", gives: Iterable[str] = ()) -> str:
    """A module with all that it takes, as one small module.

    `beside`: another bundle that is there already when this one is loaded; what it holds is taken from it. `gives`: the
    names that such others take from this one. Raises `ValueError` when two modules use one name for different things.
    """
    there = closure(sources, beside) if beside else []
    modules = [name for name in closure(sources, entry) if name not in there]
    text = "".join(EXPORT.sub("", IMPORT.sub("", sources[name])) for name in modules)
    twice = [name for name, count in Counter(_names(sources, [*there, *modules])).items() if count > 1]
    if twice:
        raise ValueError(f"{entry}: {', '.join(twice)} stands in two of the modules that are put together")
    if beside:
        names = ", ".join(sorted(taken(sources, entry, beside)))
        text = f"import {{ {names} }} from './{beside}';\n{text}"
        given = ", ".join(_names(sources, [entry], is_given=True))
        # Of an empty list the minifier leaves half a word.
        text += f"\nexport {{ {given} }};\n" if given else ""
    if gives:
        names = ", ".join(sorted(gives))
        # Inside a function every name can be made short.
        text = f"const {{ {names} }} = (() => {{\n{text}\nreturn {{ {names} }};\n}})();\nexport {{ {names} }};\n"
    small: str = minify.string("application/javascript", text)
    return small


def _listed(words: str) -> Iterable[str]:
    return re.findall(r"\w+", words)


def _names(sources: Sources, modules: Iterable[str], *, is_given: bool = False) -> Iterable[str]:
    """The names at the top of modules; only those that others may take, if asked."""
    for module in modules:
        for export, names in NAME.findall(sources[module]):
            if export or not is_given:
                yield from _listed(re.sub(r"\w+:", "", names))
