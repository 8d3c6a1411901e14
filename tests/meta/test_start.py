"""What a node loads to start: what few searches need is loaded by the first of them."""

import subprocess
import sys

LATE = ("numpy", "elasticsearch", "opensearchpy", "hypothesis", "sealane.testing")


def test_a_node_starts_without_what_few_need() -> None:
    """ADR 0001: numpy is loaded on first use; it takes a tenth of a second and 20 MB."""
    program = f"import sys, sealane.node; print([name for name in {LATE!r} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
