"""Whatever the OpenAPI document allows, and much that it does not, gets an answer as described: never a 5xx."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from tests.town import Town

SEED = 7
EXAMPLES = 12
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance,status_code_conformance"
CONFIGURATION = """
[parameters]
"path.house" = "noord"
"path.on_sale" = "{on_sale}"
"path.performance" = "{performance}"
"""


async def test_no_request_is_answered_with_an_error_of_ours(town: Town, tmp_path: Path) -> None:
    print(f"seed {SEED}")
    async with await town.open_sale("noord") as sale:
        # With every scope, so that every route gets as far as its own work.
        key = await sale.key("manage", "counter", "orders:read", "orders:write")
        configuration = tmp_path / "schemathesis.toml"
        configuration.write_text(CONFIGURATION.format(on_sale=sale.on_sale, performance=sale.performance))
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration)),
            *("run", f"{town.url}/schema/openapi.json", "--checks", CHECKS),
            *("--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", str(SEED)),
            # A stream of events has no end to wait for.
            *("--exclude-path-regex", "changes$", "--no-color", "--request-timeout", "20"),
            *("--header", f"Authorization: Bearer {key}"),
        ]
        found = await asyncio.to_thread(
            subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False
        )
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    assert " generated" in found.stdout
    selected, of_all, tested = map(int, re.findall(r"(?:Selected: (\d+)/(\d+)\s+Tested: (\d+))", found.stdout)[0])
    assert tested == selected == of_all - 1 > 30, "a route was left out"
    assert "unforeseen" not in town.log()
