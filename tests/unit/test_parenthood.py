"""A child whose parent ended before it could say that it wants to end with it."""

import os
import subprocess
import sys

CHILD = "import os, signal, sys; from engine.parenthood import die_with; die_with(int(sys.argv[1]), signal.SIGKILL)"


def test_a_child_whose_parent_has_ended_already_ends() -> None:
    orphan = subprocess.run([sys.executable, "-c", CHILD, str(os.getpid() + 1)], check=False)
    assert orphan.returncode == 1
    assert subprocess.run([sys.executable, "-c", CHILD, str(os.getpid())], check=False).returncode == 0
