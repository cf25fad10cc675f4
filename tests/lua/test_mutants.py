"""The list of mutants keeps in step with the scripts, and its page with the list; `make mutants` tries them."""

import pytest

from tests.lua.mutant_list import MUTANTS, Mutant
from tests.lua.mutants import README, ROOT, in_step, told


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.file} {mutant.breaks}")
def test_a_mutants_text_is_in_its_script_once(mutant: Mutant) -> None:
    source = (ROOT / mutant.path).read_text()
    assert in_step(mutant, source) != source


def test_the_page_tells_of_every_mutant_that_it_was_killed() -> None:
    outcomes = told(README.read_text())
    assert list(outcomes) == [(mutant.file, mutant.breaks) for mutant in MUTANTS]
    assert {outcome.word for outcome in outcomes.values()} == {"killed"}
