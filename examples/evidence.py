"""Train each way with each seed, and write what copy-paste and self-training bring: docs/evidence.md, README.md.

    python evidence.py --data nuclei --output runs --jobs 2
    python evidence.py --page

The folder of the data has train.json, val.json and images/. Runs that were interrupted go on when it is started again;
the result of each is kept in evidence/ beside this file, which the page is made from.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
KEPT = HERE / "evidence"
PAGE = HERE.parent / "docs" / "evidence.md"
README = HERE.parent / "README.md"
SEEDS = (0, 1, 2)

COMMON = {
    "size": "256",
    "fraction": "0.1",
    "scale": "0.5 2.0",
    "scale-reference": "input",
    "steps": "3000",
    "evaluations": "5",
    "precision": "bfloat16",
    "threads": "1",
}
"""Settings of all runs. The number of steps was fixed before any run with copy-paste."""


class Arm(NamedTuple):
    """One way to train."""

    name: str
    copy_paste: str
    has_teacher: bool


ARMS = (
    Arm("jitter", "none", False),
    Arm("copy-paste", "paper", False),
    Arm("self-training", "none", True),
    Arm("self-training-copy-paste", "paper", True),
)
TEACHER = "copy-paste"
"""The arm whose models label the other images, as in the paper: the run of the same seed."""


def command(arm: Arm, seed: int, data: Path, output: Path) -> list[str]:
    """Command that trains one model."""
    run = [sys.executable, str(HERE / "train_maskrcnn.py"), "--copy-paste", arm.copy_paste]
    for name, value in COMMON.items():
        run += [f"--{name}", *value.split()]
    run += ["--train", str(data / "train.json"), "--val", str(data / "val.json"), "--seed", str(seed)]
    run += ["--output", str(output / f"{arm.name}-{seed}")]
    results = output / f"teacher-{seed}.json"
    if arm.has_teacher:
        run += ["--teacher", str(results)]
    elif arm.name == TEACHER and not results.exists():
        run += ["--predict", str(results)]
    return run


def train(data: Path, output: Path, jobs: int) -> int:
    """Train what is not there yet, so many at a time, and keep the results; the exit status."""
    output.mkdir(parents=True, exist_ok=True)
    waiting = [(arm, seed) for arm in ARMS for seed in SEEDS if not is_done(arm, seed, output)]
    running: dict[tuple[Arm, int], subprocess.Popen[bytes]] = {}
    try:
        while waiting or running:
            for each in [each for each in waiting if is_ready(*each, output)][: jobs - len(running)]:
                waiting.remove(each)
                with (output / f"{each[0].name}-{each[1]}.log").open("ab") as log:
                    running[each] = subprocess.Popen(command(*each, data, output), stdout=log, stderr=log)
            time.sleep(1)
            for each, process in list(running.items()):
                if process.poll() is None:
                    continue
                del running[each]
                name = f"{each[0].name}-{each[1]}"
                if process.returncode:
                    print(f"{name} failed; {output / name}.log says why", flush=True)
                    return 1
                keep(name, output)
                print(f"{name} is done; {len(waiting) + len(running)} left", flush=True)
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()
    return 0


def is_done(arm: Arm, seed: int, output: Path) -> bool:
    """Whether a result is kept, and the labels of a teacher are there."""
    return (KEPT / f"{arm.name}-{seed}.json").exists() and (
        arm.name != TEACHER or (output / f"teacher-{seed}.json").exists()
    )


def is_ready(arm: Arm, seed: int, output: Path) -> bool:
    """Whether a run can begin."""
    return not arm.has_teacher or (output / f"teacher-{seed}.json").exists()


def keep(name: str, output: Path) -> None:
    """Copy a result to where the page is made from, without paths of this machine."""
    result = json.loads((output / name / "result.json").read_text())
    for argument in ("train", "val", "teacher"):
        if value := result["settings"].get(argument):
            result["settings"][argument] = Path(value).name
    KEPT.mkdir(exist_ok=True)
    write(KEPT / f"{name}.json", result)


def write(file: Path, result: dict[str, Any]) -> None:
    """Write a result that is kept."""
    file.write_text(json.dumps(result, indent=1) + "\n")


def grade(data: Path, output: Path) -> None:
    """Add to results of self-training how good the labels of their teachers were, as all objects are known here."""
    graded: dict[str, dict[str, float]] = {}
    for file in sorted(KEPT.glob("*.json")):
        result = json.loads(file.read_text())
        settings, name = result["settings"], result["settings"].get("teacher")
        if name is None or "precision" in result["pseudo_labels"] or not (output / name).exists():
            continue
        if name not in graded:
            from teacher_quality import quality
            from training_data import split

            from copypaste_rs.datasets import PseudoLabels, open_dataset

            truth = open_dataset(data / "train.json")
            labels = PseudoLabels.from_results(output / name, truth).dataset(truth.image_folder)
            graded[name] = quality(labels, truth, split(len(truth), settings["fraction"], settings["seed"])[1])
        result["pseudo_labels"] |= graded[name]
        write(file, result)


def main() -> int:
    """Train and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the data set")
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder of the runs")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (default: 1)")
    parser.add_argument("--page", action="store_true", help="only write the page, of the results that are kept")
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error(f"--jobs: expected at least 1, got {args.jobs}")
    if not args.page:
        if not (args.data and args.output):
            parser.error("--data and --output are needed, or --page")
        for name in ("train.json", "val.json"):
            if not (args.data / name).is_file():
                sys.exit(f"{args.data / name}: expected a file of COCO annotations, which is not there")
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # which ends the runs too
        try:
            status = train(args.data, args.output, args.jobs)
        except KeyboardInterrupt:
            print("interrupted; the same command goes on", file=sys.stderr)
            return 130
        if status:
            return status
        grade(args.data, args.output)
    from evidence_page import write_page, write_summary

    try:
        write_page(KEPT, [arm.name for arm in ARMS], PAGE)
        write_summary(KEPT, [arm.name for arm in ARMS], SEEDS, README)
    except FileNotFoundError as error:
        sys.exit(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
