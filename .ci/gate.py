"""Regression gate of speed: instructions of fixed cases against the committed budget; see CONTRIBUTING.md.

`gate.py` fails when a case takes more than its budget and the slack; `gate.py --write` makes what it counts the
budget. Only the instructions of code that rustc compiled are the same on every machine; those spent in the C library
(copying, clearing, allocating) are added where the versions are those the budget was counted with.

Valgrind knows no AVX-512. Where the processor has it, a case is timed with it and with AVX2, by turns: it fails when
AVX-512 is slower by more than the noise of such times.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BUDGET = ROOT / "rust" / "benches" / "budget.json"
HOST = "x86_64-unknown-linux-gnu"
LEVELS = {"each": ("portable", "avx2"), "any": ("portable",)}
"""Instruction sets a case is counted on, by what the binary says of it."""

WIDEST, NEXT = "avx512", "avx2"
"""The instruction set that is timed, and the one it is held against."""

TURNS, RUNS = 7, 10
"""How often each of the two has its turn, and the runs of a turn."""

NOISE = 0.10
"""A least time of that many runs moves by less, even where other work goes on beside it."""

SLACK = 0.03
OTHER_COMPILER_SLACK = 0.20
"""Another version of rustc moves single cases by more than the slack, in either direction."""


class Count(NamedTuple):
    """Instructions of one run: in code that rustc compiled, and in the C library."""

    compiled: int
    library: int


class Versions(NamedTuple):
    """What a count depends on, besides the code."""

    rustc: str
    valgrind: str
    glibc: str

    @classmethod
    def here(cls, valgrind: str) -> Versions:
        """The versions of this machine."""
        glibc = os.confstr("CS_GNU_LIBC_VERSION") or "unknown"
        return cls(output(["rustc", "--version"]).strip(), output([valgrind, "--version"]).strip(), glibc)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="make gate", description=__doc__)
    parser.add_argument("--write", action="store_true", help="make what is counted the budget")
    write = parser.parse_args().write

    valgrind = shutil.which("valgrind")
    if f"host: {HOST}\n" not in output(["rustc", "--version", "--verbose"]):
        return not_run(f"instructions are counted on {HOST} only", write)
    if valgrind is None:
        return not_run("valgrind was not found; your system's package manager has it", write)

    versions = Versions.here(valgrind)
    binary = build()
    counts, lacking = count_all(binary, valgrind)
    if write:
        return write_budget(versions, counts, lacking)
    status = compare(versions, counts, lacking) | compare_widest(binary)
    if lacking:
        say(f"NOT COUNTED, since this processor lacks their instructions: {', '.join(lacking)}")
    return status


def not_run(reason: str, write: bool) -> int:
    """Say so in one line; no reason to fail, unless a budget was asked for."""
    say(f"NOT RUN, so nothing is known about regressions of speed: {reason}")
    return int(write)


def build() -> Path:
    """The binary of the cases, built as the wheel's code is."""
    environment = {k: v for k, v in os.environ.items() if "RUSTFLAGS" not in k and not k.startswith("CARGO_PROFILE_")}
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "copypaste-benches", "--bin", "counts"]
    messages = output([*command, "--message-format=json-render-diagnostics"], environment)
    found = [json.loads(line).get("executable") for line in messages.splitlines()]
    return Path(next(path for path in found if path))


def cases(binary: Path) -> list[list[str]]:
    """Names of the cases, each with the key of its instruction sets."""
    return [line.split() for line in output([str(binary)]).splitlines()]


def count_all(binary: Path, valgrind: str) -> tuple[dict[str, Count], list[str]]:
    """Counts by `case/level`, and which of these the processor cannot run."""
    runs = [(case, level) for case, levels in cases(binary) for level in LEVELS[levels]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counted = list(pool.map(lambda run: count(binary, valgrind, *run), runs))
    names = [f"{case}/{level}" for case, level in runs]
    found = {name: result for name, result in zip(names, counted, strict=True) if result is not None}
    return found, [name for name in names if name not in found]


def count(binary: Path, valgrind: str, case: str, level: str) -> Count | None:
    """Count one case; None where the processor lacks the level."""
    # Nothing else of the environment, whose size moves the stack.
    environment = {"COPYPASTE_RS_SIMD": level}
    if "VALGRIND_LIB" in os.environ:
        environment["VALGRIND_LIB"] = os.environ["VALGRIND_LIB"]
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        options = ["--tool=callgrind", "--quiet", "--toggle-collect=*counted_by_the_gate*"]
        used = output([valgrind, *options, f"--callgrind-out-file={profile}", str(binary), case], environment)
        if used.split()[0] != level:
            return None
        return read(profile, str(binary))


def read(profile: Path, binary: str) -> Count:
    """Sum a profile of callgrind by object file."""
    names: dict[str, str] = {}
    spent: dict[str, int] = {}
    number, called = "", False
    for line in profile.read_text().splitlines():
        if match := re.match(r"(c?)ob=\((\d+)\)(?: (.*))?$", line):
            names.setdefault(match[2], match[3])
            number = number if match[1] else match[2]
        elif line.startswith("calls="):
            called = True
        elif re.match(r"[-+*\d]", line):
            # What follows a call is spent by the callee, and stands there as well.
            if not called:
                spent[number] = spent.get(number, 0) + int(line.split()[1])
            called = False
    compiled = sum(instructions for at, instructions in spent.items() if names[at] == binary)
    if compiled == 0:
        raise SystemExit(f"gate: {profile.name} of {binary}: expected instructions of the case, got none")
    return Count(compiled, sum(spent.values()) - compiled)


def write_budget(versions: Versions, counts: dict[str, Count], lacking: list[str]) -> int:
    """Make the counts the budget, and say what moved."""
    if lacking:
        say(f"budget left as it is: this processor lacks the instructions of {', '.join(lacking)}")
        return 1
    old = json.loads(BUDGET.read_text())["compiled"] if BUDGET.exists() else {}
    for name, (compiled, _) in counts.items():
        moved = f"{100 * (compiled / old[name] - 1):+.2f} %" if name in old else "new"
        print(f"{name:40} {compiled:>13,} {moved:>10}")
    budget = {"counted_with": versions._asdict()}
    budget |= {part: {name: getattr(c, part) for name, c in counts.items()} for part in Count._fields}
    BUDGET.write_text(json.dumps(budget, indent=2) + "\n")
    say(f"budget written to {BUDGET.relative_to(ROOT)}")
    return 0


def compare(versions: Versions, counts: dict[str, Count], lacking: list[str]) -> int:
    """Compare the counts with the budget and say what differs."""
    budget = json.loads(BUDGET.read_text())
    counted_with = Versions(**budget["counted_with"])
    same_compiler = versions.rustc == counted_with.rustc
    slack = SLACK if same_compiler else OTHER_COMPILER_SLACK
    # Which variant of copying the C library takes depends on the processor as well.
    same_library = versions == counted_with and not lacking
    over = below = 0
    for name in [name for name in counts if name in budget["compiled"]]:
        allowed = Count(budget["compiled"][name], budget["library"][name])
        share, where = counts[name].compiled / allowed.compiled - 1, ""
        if same_library and abs(share) <= slack:
            share, where = sum(counts[name]) / sum(allowed) - 1, ", those in the C library included"
        # Below the budget of another compiler says nothing about the code.
        if share > slack or (share < -SLACK and same_compiler):
            over, below = over + (share > 0), below + (share < 0)
            say(f"{name}: {100 * abs(share):.1f} % {'over' if share > 0 else 'below'} its instructions{where}")
    unknown = sorted({*counts, *lacking} ^ {*budget["compiled"]})
    for name in unknown:
        say(f"{name}: expected in both the budget and the cases, found in one")
    if below:
        say("a budget that is too high hides the next loss: lower it with `make gate GATE_ARGS=--write`")
    if not same_compiler:
        say(f"the budget was counted with {counted_with.rustc}, and this is {versions.rustc}: the slack is wider")
    verdict = f"{over} over the budget" if over else "none over the budget"
    say(f"{len(counts)} runs, {verdict} by more than {slack:.0%}")
    return int(over > 0 or bool(unknown))


def compare_widest(binary: Path) -> int:
    """Time the widest instruction set against the next, and say where it is slower."""
    ratios = {}
    for case in [case for case, levels in cases(binary) if levels == "each"]:
        least = dict.fromkeys((WIDEST, NEXT), math.inf)
        for _ in range(TURNS):
            for level in (WIDEST, NEXT):
                used, nanoseconds = output([str(binary), case, str(RUNS)], {"COPYPASTE_RS_SIMD": level}).split()
                if used != level:
                    say(f"NOT TIMED, since this processor lacks its instructions: {WIDEST}")
                    return 0
                least[level] = min(least[level], int(nanoseconds))
        ratios[case] = least[WIDEST] / least[NEXT]
    slower = {case: ratio for case, ratio in ratios.items() if ratio > 1 + NOISE}
    for case, ratio in slower.items():
        say(f"{case}: {WIDEST} takes {ratio:.2f} of the time of {NEXT}")
    say(f"{WIDEST} takes {min(ratios.values()):.2f} to {max(ratios.values()):.2f} of the time of {NEXT}")
    return int(bool(slower))


def output(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What a command prints; its complaints go where ours go."""
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise SystemExit(f"gate: `{' '.join(command)}` failed with status {done.returncode}")
    return done.stdout


def say(sentence: str) -> None:
    """Print one line of the gate's."""
    print(f"gate: {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
