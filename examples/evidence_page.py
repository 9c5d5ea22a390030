"""Page of what was measured: a table with intervals, curves, and sentences that follow from the figures."""

from __future__ import annotations

import json
import math
import statistics
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Results = dict[str, dict[int, dict[str, Any]]]
"""Results of each arm, by seed."""

STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""Quantiles of Student's t for two-sided intervals of 95%, by degrees of freedom."""

RISES = 0.005
"""AP between the last two evaluations from which on a curve is said to rise still."""


def write_page(kept: Path, arms: Sequence[str], page: Path) -> None:
    """Write the page and its picture out of results ``ARM-SEED.json``."""
    results = read(kept, arms)
    missing = [arm for arm in arms if arm not in results]
    draw_curves(results, page.with_suffix(".png"))
    parts = [INTRODUCTION, setup(results), table(results), PICTURE, findings(results, missing), HOW]
    page.write_text("\n".join(parts))


def write_summary(kept: Path, arms: Sequence[str], seeds: Sequence[int], readme: Path) -> None:
    """Write means between the comments of README.md that say where they belong: of arms that ran with every seed."""
    results = {arm: runs for arm, runs in read(kept, arms).items() if runs.keys() >= set(seeds)}
    if len(results) < 2:
        return  # nothing to compare yet
    run, second = results[arms[0]][seeds[0]], list(results)[1]
    rows = [
        "| mask AP of a small Mask R-CNN, trained from random weights | AP | AP50 | more than jitter: AP | AP50 |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {' | '.join([name(arm), *means(runs), more(results, arm), more(results, arm, 'AP50')])} |"
            for arm, runs in results.items()
        ),
    ]
    text = f"""
        Means of {len(seeds)} seeds, with intervals of 95%: {run["images"]} microscope images of nuclei with labels,
        {run["images_without_labels"]} more without them for self-training, {run["validation_images"]} for validation,
        {run["settings"]["steps"]} steps. {name(second).capitalize()}, AP against jitter on the way:
        {on_the_way(results, second)}.
    """
    begin, end = "<!-- evidence: begin -->\n", "<!-- evidence: end -->\n"
    before, found, rest = readme.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{readme}: expected the comments {begin.strip()} and {end.strip()}")
    readme.write_text(before + begin + "\n".join([*rows, "", filled(text)]) + end + after)


def read(kept: Path, arms: Sequence[str]) -> Results:
    """Results that are kept."""
    results: Results = {}
    for arm in arms:
        for file in sorted(kept.glob(f"{arm}-[0-9]*.json")):
            results.setdefault(arm, {})[int(file.stem.rpartition("-")[2])] = json.loads(file.read_text())
    if not results:
        raise FileNotFoundError(f"{kept}: no results; evidence.py --data --output makes them")
    return results


def setup(results: Results) -> str:
    """Paragraph on what all runs have in common."""
    run = next(iter(next(iter(results.values())).values()))
    is_set = run["settings"]
    low, high = is_set["scale"]
    canvas, images = is_set["size"], "1 image" if is_set["batch_size"] == 1 else f"{is_set['batch_size']} images"
    text = f"""
        The data are the {run["validation_images"] + total_images(run)} microscope images of stage 1 of the Data Science
        Bowl 2018, with corrected masks of one class, nucleus; {run["validation_images"]} are for validation.
        {run["images"]} images, {is_set["fraction"]:.0%} of the others, keep their labels: the seed says which, and is
        that of the weights, the order and the augmentation, too. The model is a [small Mask
        R-CNN](../examples/small_maskrcnn.py) from random weights. It is trained for {is_set["steps"]} steps of {images}
        on canvases of {canvas}x{canvas}, with scale jitter of {low} to {high} and flips; convolutions compute
        in {is_set["precision"]}. The number of steps was fixed before any run with copy-paste. AP is COCO's mask
        AP with 300 detections an image, on validation images cut to the canvas, in percent.
    """
    return filled(text)


def filled(text: str) -> str:
    """A paragraph in lines of the width of these pages."""
    return textwrap.fill(textwrap.dedent(text).strip(), 120, break_on_hyphens=False) + "\n"


def total_images(run: dict[str, Any]) -> int:
    """Training images, with and without labels."""
    return int(run["images"]) + int(run["images_without_labels"])


def table(results: Results) -> str:
    """Rows of arms; the difference is that of runs with one seed."""
    seeds = sorted({seed for runs in results.values() for seed in runs})
    lines = [
        "| | " + " | ".join(f"AP, seed {seed}" for seed in seeds) + " | AP, mean | AP50, mean | AP, more than jitter |",
        "|---" * (len(seeds) + 4) + "|",
    ]
    for arm, runs in results.items():
        values = [f"{100 * runs[seed]['AP']:.1f}" if seed in runs else "" for seed in seeds]
        lines.append(f"| {' | '.join([name(arm), *values, *means(runs), more(results, arm)])} |")
    return "\n".join(lines) + "\n\nIntervals are of 95% (Student's t, pairs of runs with one seed).\n"


NAMES = {"self-training-copy-paste": "self-training with copy-paste"}


def name(arm: str) -> str:
    """An arm as tables call it."""
    return NAMES.get(arm, arm)


def means(runs: dict[int, dict[str, Any]]) -> list[str]:
    """Means: AP and AP50 of the runs of an arm."""
    return [f"{100 * statistics.fmean(run[metric] for run in runs.values()):.1f}" for metric in ("AP", "AP50")]


def more(results: Results, arm: str, metric: str = "AP") -> str:
    """Text of what an arm has more than jitter; empty for jitter itself."""
    gain = gains(results, arm, metric)
    return "" if arm == "jitter" or not gain else interval(gain)


def gains(results: Results, arm: str, metric: str = "AP", evaluation: int = -1, against: str = "jitter") -> list[float]:
    """Percent of AP, or another metric, that an arm has more than another, by seed, at one evaluation of each run."""
    others = results.get(against, {})
    pairs = [(run, others[seed]) for seed, run in results.get(arm, {}).items() if seed in others]
    return [100 * (run["evaluations"][evaluation][metric] - other["evaluations"][evaluation][metric])
            for run, other in pairs]  # fmt: skip


def half_width(values: Sequence[float]) -> float:
    """Half the 95% interval of the mean."""
    return STUDENT[len(values) - 1] * statistics.stdev(values) / math.sqrt(len(values))


def interval(values: Sequence[float]) -> str:
    """Mean, and its interval where there are several values."""
    mean = round(statistics.fmean(values), 1) + 0.0  # no minus before a zero
    return f"{mean:+.1f}" if len(values) < 2 else f"{mean:+.1f} ± {half_width(values):.1f}"


def findings(results: Results, missing: Sequence[str]) -> str:
    """Sentences that follow from the figures."""
    said = []
    for arm in results:
        gain = gains(results, arm)
        if arm == "jitter" or not gain:
            continue
        better = sum(each > 0 for each in gain)
        line = (
            f"- **{name(arm)}**: {interval(gain)} AP against jitter alone; better with {better} of {len(gain)} seeds."
        )
        if len(gain) > 1:
            clear = abs(statistics.fmean(gain)) > half_width(gain)
            line += " The interval does not contain 0." if clear else " The interval contains 0."
        said.append(f"{line} AP50: {interval(gains(results, arm, 'AP50'))}.")
        said.append(f"- {name(arm)}, AP against jitter alone on the way: {on_the_way(results, arm)}.")
    if gain := gains(results, "self-training-copy-paste", against="self-training"):
        more_50 = interval(gains(results, "self-training-copy-paste", "AP50", against="self-training"))
        said.append(
            f"- self-training with copy-paste against self-training alone: {interval(gain)} AP, {more_50} AP50."
        )
    for arm, runs in results.items():
        steps = [each["step"] for each in next(iter(runs.values()))["evaluations"]][-2:]
        rise = statistics.fmean(run["evaluations"][-1]["AP"] - run["evaluations"][-2]["AP"] for run in runs.values())
        how = "still rises at the end" if rise > RISES else "has levelled off"
        said.append(f"- {name(arm)}: {100 * rise:+.1f} AP from step {steps[0]} to {steps[1]}; it {how}.")
    if taught := next((runs for arm, runs in results.items() if arm.startswith("self-training")), None):
        said.append(f"- {of_teachers(taught)}")
    if missing:
        said.append(f"- Not run yet: {', '.join(map(name, missing))}.")
    lines = [textwrap.fill(line, 120, subsequent_indent="  ", break_on_hyphens=False) for line in said]
    return "## What it says\n\n" + "\n".join(lines) + "\n"


def on_the_way(results: Results, arm: str) -> str:
    """Text of the AP that an arm has more than jitter at each evaluation but the last."""
    steps = [each["step"] for each in next(iter(results[arm].values()))["evaluations"]]
    return ", ".join(f"{interval(gains(results, arm, 'AP', i))} at step {step}" for i, step in enumerate(steps[:-1]))


def of_teachers(runs: dict[int, dict[str, Any]]) -> str:
    """Sentences on what self-training learns from."""
    labels = [run["pseudo_labels"] for run in runs.values()]
    one = next(iter(runs.values()))["settings"]["batch_size"] == 1
    half = "Every other step takes one of its images" if one else "Half of each batch are its images"
    text = f"The teacher of self-training is the copy-paste model of its seed. {half}, so that those with true labels"
    text += " come half as often as with jitter alone."
    if all("precision" in each for each in labels):
        precision, recall = (f"{statistics.fmean(each[of] for each in labels):.0%}" for of in ("precision", "recall"))
        text += f" Of its labels, with the defaults of `PseudoLabels`, {precision} are objects and {recall} of the"
        text += " objects have one (masks of an IoU of 0.5 or more); the others are background to the loss."
    return text


def draw_curves(results: Results, path: Path) -> None:
    """Draw AP by steps: a line for each run, a thick one for the mean of each arm."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for number, (arm, runs) in enumerate(results.items()):
        curves = [[100 * each["AP"] for each in run["evaluations"]] for run in runs.values()]
        steps = [each["step"] for each in next(iter(runs.values()))["evaluations"]]
        for curve in curves:
            axes.plot(steps, curve, color=f"C{number}", linewidth=0.8, alpha=0.5)
        axes.plot(steps, [statistics.fmean(values) for values in zip(*curves, strict=True)], color=f"C{number}",
                  marker="o", linewidth=2.5, label=name(arm))  # fmt: skip
    axes.set(xlabel="step", ylabel="mask AP, %", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)


INTRODUCTION = """# Evidence

<!-- written by examples/evidence.py -->
What copy-paste, and self-training with it, bring to a small model that has few labels, measured on a CPU.
"""

PICTURE = """![Mask AP by steps, for each way to train](evidence.png)

Thin lines are single runs, thick ones their mean.
"""

HOW = """## Run it

```sh
python examples/evidence.py --data nuclei --output runs --jobs 2
```

trains all models that are not there yet, each on one thread, and writes this page. `nuclei` is a folder with
`train.json`, `val.json` and `images/`. One model of your own data is
[`examples/train_maskrcnn.py`](../examples/train_maskrcnn.py), whose `--help` lists what can be chosen.
"""
