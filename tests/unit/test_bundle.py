"""Modules put together: each once, in order, and a name that means two things is found at the start."""

import re

import pytest

from api.bundle import bundle, closure, taken
from api.pages import SOURCES, WEB

SCRIPTS = {
    "page.js": "import { b } from './b.js';\nimport { a } from './a.js';\n\na(b);\n",
    "a.js": "export const a = (x) => x;\n",
    "b.js": "import { a } from './a.js';\n\nconst hidden = a(1);\nexport const b = hidden + 1;\n",
    "more.js": "import { a } from './a.js';\nimport { c } from './c.js';\n\na(c);\n",
    "c.js": "export function c() { return 3; }\n",
}


def test_a_module_comes_after_what_it_takes() -> None:
    assert closure(SCRIPTS, "page.js") == ["a.js", "b.js", "page.js"]


def test_each_module_is_there_once_and_nothing_is_asked_for_again() -> None:
    text = bundle(SCRIPTS, "page.js")
    assert text.count("hidden+1") == 1
    assert "import" not in text
    assert "export" not in text


def test_a_second_bundle_takes_what_the_first_one_has() -> None:
    needed = taken(SCRIPTS, "more.js", "page.js")
    assert re.search(r"export ?\{a\}", bundle(SCRIPTS, "page.js", gives=needed))
    text = bundle(SCRIPTS, "more.js", beside="page.js")
    assert re.search(r"""import ?\{a\} ?from ?["']\./page\.js["']""", text)
    assert "function c()" in text
    assert "hidden" not in text


def test_a_second_bundle_that_gives_nothing_is_a_whole_script() -> None:
    assert "export" not in bundle(SCRIPTS, "more.js", beside="page.js")
    assert not [name for name, file in WEB.items() if file.body.rstrip(b";").endswith(b"export")]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"c.js": "const a = 1;\nexport const c = a;\n"}, "stands in two"),
        ({"c.js": "const [x, a] = [1, 2];\nexport const c = a;\n"}, "stands in two"),
        ({"c.js": "import { c } from './more.js';\n"}, "takes itself"),
    ],
)
def test_what_cannot_be_put_together_is_said(changed: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        bundle(SCRIPTS | changed, "more.js")


def test_a_missing_module_is_said() -> None:
    with pytest.raises(KeyError, match="gone"):
        bundle({"page.js": "import { x } from './gone.js';\n"}, "page.js")


def test_every_module_of_the_pages_is_in_a_file_that_is_sent() -> None:
    scripts = {name: body.decode() for name, body in SOURCES.items() if name.endswith(".js")}
    sent = {module for name in WEB if name in scripts for module in closure(scripts, name)}
    assert sent == set(scripts)
