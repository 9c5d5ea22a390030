"""Check what a reader meets first: first lines of docs, names of types, sizes of files, layers of the core.

Each finding is one line, `path:line: what`; the exit status is 1 where there is one.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 400
CORE = "rust/core/src/"
UNSAFE_FILE = f"{CORE}simd/mod.rs"
UNSAFE_EXPRESSIONS = 2

ORDER = (
    ("geometry",),
    ("error", "philox", "simd", "view"),
    ("memory",),
    ("bits",),
    ("rle", "plan"),
    ("blend",),
    ("resample",),
    ("output",),
    ("copy_paste", "testing"),
    ("lib",),
)
"""Modules of the core by layer: each uses modules of the layers before its own alone."""

FRAMEWORKS = "python/copypaste_rs/integrations/"
"""Folder whose classes have the names that users of a framework know, such as torchvision's ``ScaleJitter``."""

NAME_SPACES = (("rust/annotations/", "rust/core/", "rust/py/"), ("rust/benches/",), ("python/",))
"""Folders in which a type name stands for one thing."""

OPENING = re.compile(
    r"(The same|So many|This|That|These|Those|It|Its|They|Their|He|She|We|You|I|Of|What|Some|One of|Each of|All|Both"
    r"|Many|As|Which|Who|Whoever|Whose|Where|When|Such|Other|Others|Same|None|Nothing|Everything|Likewise|Here|There"
    r"|How (?:many|much) (?:there|it|they|of|are|is|were|was|will|have|has|can|to)|How (?:many|much)[.,:;])(?![\w`])"
)
"""Pronouns, bare quantities and other words that point at something else, at the start of a line."""

RUST_TYPE = re.compile(r"\s*(?:pub(?:\([\w ]+\))? )?(?:struct|enum|union|trait) (\w+)")
RUST_TESTS = re.compile(r"^#\[cfg\(test\)\]\nmod \w+ \{", re.MULTILINE)
RUST_USED = re.compile(r"\bcrate::(?:(\w+)|\{([^;]*)\};)")
RUST_REEXPORT = re.compile(r"^pub use (\w+)::(?:(\w+)|\{([^}]*)\});", re.MULTILINE)


class Finding(NamedTuple):
    """Line of a file, and what is wrong with it."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def main() -> int:
    """Check all files of the project."""
    suffixes = (".rs", ".py")
    paths = [p for top in ("rust", "python", "benches", "examples", "tests") for p in sorted((ROOT / top).rglob("*"))]
    files = {p.relative_to(ROOT).as_posix(): p.read_text(encoding="utf-8") for p in paths if p.suffix in suffixes}
    findings = sorted(check(files))
    for finding in findings:
        print(finding)
    return int(bool(findings))


def check(files: dict[str, str]) -> Iterator[Finding]:
    """Findings in files, given as texts by path."""
    for path, text in files.items():
        if (lines := len(text.splitlines())) > MOST_LINES:
            yield Finding(path, lines, f"expected at most {MOST_LINES} lines, got {lines}")
        first_lines = rust_first_lines if path.endswith(".rs") else python_first_lines
        for number, line in first_lines(text):
            if OPENING.match(line) and has_docs(path):
                yield Finding(path, number, f"expected a doc line that names its subject first, got: {line}")
    for tops in NAME_SPACES:
        texts = {path: text for path, text in files.items() if path.startswith(tops) and FRAMEWORKS not in path}
        yield from same_names({p: (rust_types if p.endswith(".rs") else python_types)(t) for p, t in texts.items()})
    core = {path.removeprefix(CORE): text for path, text in files.items() if path.startswith(CORE)}
    yield from layers(core)
    yield from unsafe_words({path: text for path, text in files.items() if path.startswith("rust/")})


def has_docs(path: str) -> bool:
    """Whether doc lines of a file are checked; names of tests say enough."""
    return not path.startswith("tests/") or path.startswith("tests/fixtures/")


def rust_first_lines(text: str) -> Iterator[tuple[int, str]]:
    """First lines of `///` and `//!` blocks, by line number."""
    before = False
    for number, line in enumerate(text.splitlines(), 1):
        doc = re.match(r"\s*//[/!](?!/) ?(.*)", line)
        if doc and not before:
            yield number, doc[1]
        before = bool(doc)


def python_first_lines(text: str) -> Iterator[tuple[int, str]]:
    """First lines of docstrings, those of modules, classes, functions and values, by line number."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        documented = True
        for statement in node.body:
            value = statement.value if isinstance(statement, ast.Expr) else None
            if documented and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield statement.lineno, value.value.strip().split("\n")[0]
            documented = isinstance(statement, ast.Assign | ast.AnnAssign)


def rust_types(text: str) -> Iterator[tuple[int, str]]:
    """Names of types, by line number."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := RUST_TYPE.match(line):
            yield number, match[1]


def python_types(text: str) -> Iterator[tuple[int, str]]:
    """Names of classes, by line number."""
    return ((node.lineno, node.name) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef))


def same_names(types: dict[str, Iterator[tuple[int, str]]]) -> Iterator[Finding]:
    """Findings of type names that stand for two things."""
    known: dict[str, str] = {}
    for path, names in types.items():
        for number, name in names:
            place = known.setdefault(name, f"{path}:{number}")
            if place != f"{path}:{number}":
                yield Finding(path, number, f"expected a type name of its own, got {name}, which {place} has")


def layers(core: dict[str, str]) -> Iterator[Finding]:
    """Findings of modules of the core that use one of their own layer or of a later one."""
    layer = {module: number for number, modules in enumerate(ORDER) for module in modules}
    homes = {
        name.strip(): match[1]
        for match in RUST_REEXPORT.finditer(core.get("lib.rs", ""))
        for name in (match[2] or match[3]).split(",")
    }
    for path, text in core.items():
        module, *inner = path.removesuffix(".rs").split("/")
        if module not in layer:
            yield Finding(CORE + path, 1, f"module {module}: expected a layer in ORDER of .ci/check_docs.py, got none")
        elif "tests" not in inner:
            for number, name in used(text):
                other = homes.get(name, name)
                if other != module and layer.get(other, len(ORDER)) >= layer[module]:
                    yield Finding(CORE + path, number, f"expected {module} to use earlier layers alone, got {other}")


def used(text: str) -> Iterator[tuple[int, str]]:
    """Names out of the crate's root that code uses, its tests left out, by line number."""
    code = re.sub(r"//.*", "", RUST_TESTS.split(text, maxsplit=1)[0])
    for match in RUST_USED.finditer(code):
        group = match[2] or ""
        while (flat := re.sub(r"::\{[^{}]*\}", "", group)) != group:
            group = flat
        names: Iterable[str] = [match[1]] if match[1] else re.findall(r"(?<![\w:])\w+", group)
        yield from ((code.count("\n", 0, match.start()) + 1, name) for name in names)


def unsafe_words(rust: dict[str, str]) -> Iterator[Finding]:
    """Findings of `unsafe` outside the expressions that are known."""
    for path, text in rust.items():
        code = re.sub(r"//.*", "", text)
        lines = [code.count("\n", 0, match.start()) + 1 for match in re.finditer(r"\bunsafe\b", code)]
        allowed = UNSAFE_EXPRESSIONS if path == UNSAFE_FILE else 0
        for line in lines[allowed:]:
            yield Finding(path, line, f"expected at most {allowed} `unsafe` here, got {len(lines)}")


if __name__ == "__main__":
    sys.exit(main())
