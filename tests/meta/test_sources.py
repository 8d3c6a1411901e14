"""Rules of the source tree that no linter checks."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "sealane"
MODULES = sorted(SOURCE.rglob("*.py"))
LINES_MAX = 500
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "tools"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_module_is_too_long_to_read() -> None:
    counts = {name_of(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: count for name, count in counts.items() if count > LINES_MAX} == {}


def test_modules_are_named_for_what_they_are() -> None:
    scripts = sorted((ROOT / "scripts").rglob("*.py"))
    assert [name_of(path) for path in (*MODULES, *scripts) if path.stem in VAGUE] == []
    assert [
        name_of(path) for path in SOURCE.rglob("*") if path.is_dir() and path.name in VAGUE
    ] == []


def test_every_module_says_what_it_is_for() -> None:
    trees = ((path, ast.parse(path.read_text())) for path in MODULES)
    assert [name_of(path) for path, tree in trees if not ast.get_docstring(tree)] == []


def _comments(path: Path) -> Iterator[str]:
    with path.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT:
                yield f"{name_of(path)}:{token.start[0]}: {token.string}"


def test_nothing_is_left_to_do_in_comments() -> None:
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = [each for path in MODULES for each in _comments(path) if unfinished.search(each)]
    assert found == []


def test_only_the_command_line_prints() -> None:
    prints = [
        f"{name_of(path)}:{node.lineno}"
        for path in MODULES
        if "cli" not in path.relative_to(SOURCE).parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert prints == []


@pytest.mark.parametrize("folder", ["src", "tests", "scripts"])
def test_nothing_is_executed_that_is_text(folder: str) -> None:
    calls = [
        f"{name_of(path)}:{node.lineno}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("eval", "exec")
    ]
    assert calls == []


def test_no_test_is_marked_to_fail_or_to_be_skipped() -> None:
    """A skip that asks the machine (an extra that is not installed) is `pytest.importorskip` or `skipif`."""
    marked = re.compile(r"pytest\.mark\.(xfail|skip)\b")
    found = [
        name_of(path)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if path != Path(__file__) and marked.search(path.read_text())
    ]
    assert found == []
