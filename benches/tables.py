"""Figures as Markdown, put between markers so that no number is ever typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches import items, memory, opening, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

LABELS = {
    "call": "one call, plan drawn too",
    "plan": "its plan alone",
    "plan_of_many": "a plan for 500 objects in each image",
}


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, ["---"] * len(heads), *rows])


def put(path: Path, name: str, text: str) -> None:
    """Replace what stands between the markers `name` in a Markdown file."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = path.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{path.name}: expected the markers {begin} and {end}")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def tables(figures: dict[str, Any]) -> dict[str, str]:
    """Texts and tables of the page of benchmarks, by marker."""
    extras = figures["extras"]
    return {
        "benchmark": whole_table(figures),
        "training": training_table(extras["training"]),
        "small": small_table(extras),
        "labels": labels_table(figures["labels"]),
        "memory": memory_table(figures["memory"]),
        "linear": linear_text(figures["resampling"]),
        "antialias": resampling_table(figures["resampling"]["antialias"], "Pillow"),
        "opening": opening_table(figures["opening"]),
        "items": items_table(figures["items"]),
        "machine": machine_text(figures["machine"]),
    }


def whole_table(figures: dict[str, Any]) -> str:
    """The whole transform in milliseconds, and how many times as long the others take."""
    measured, grid = figures["whole"], figures["whole"]["grid"]
    heads = [f"{cell['canvas']}, {cell['instances']}" for cell in grid]
    rows = [
        [name, *(f"{c['milliseconds'][name]['median']:.2f} (x {c['times_as_fast'][name]:.2f})" for c in grid)]
        for name in grid[0]["milliseconds"]
    ]
    middle = grid[1]
    memory = ", ".join(f"{mb:.1f} MiB at {n}" for n, mb in measured["memory_above_canvas"].items())
    first = [cell["milliseconds"][whole.OURS] for cell in grid]
    spread = max((each["high"] - each["low"]) / each["median"] for each in first)
    return "\n".join(
        [
            markdown(["milliseconds for one augmented image: canvas, objects in each image", *heads], rows),
            "",
            "Medians; in brackets, the median of how many times as long as the first row it takes on the same draw. "
            "The second row is the default: it averages where an image shrinks. Ours take masks as runs and give "
            "runs, the NumPy + OpenCV rows dense ones. OpenCV resizes the whole of both images, as a pipeline does "
            f"that resizes and then crops, and nothing else. 640x480 photographs, {first[0]['n']} scales spread "
            "evenly over 0.1-2.0 for each of the two images, a random subset of the objects pasted, one thread; "
            "plan, image, masks, boxes and columns included. Before timing, masks, boxes, areas and labels of the "
            "rivals are compared with ours, and of the dense one the image (a window resized alone lies off by a "
            f"fraction of a pixel). The quartiles of the first row lie up to {spread:.0%} apart, since the scales "
            "differ.",
            "",
            f"At {middle['canvas']} and {middle['instances']} objects, with bilinear resampling, the transform takes "
            f"**{middle['of_resize']:.2f}** of the time that OpenCV needs to resize the two images, and "
            f"**{middle['of_pass']:.2f} times** as long as resampling the same windows and nothing more; that in turn "
            f"takes {middle['pass_of_copy']:.2f} times as long as a copy of the canvas. Summed over the schedule, "
            f"antialiasing takes {middle['antialias_of_linear']:.2f} times as long as bilinear, and the NumPy "
            f"reference **{measured['times_numpy']:.0f} times** as long as Rust. Memory above the output canvas, by "
            f"objects in each image: {memory}; with a canvas given, {measured['memory_with_out']:.1f} MiB.",
            "",
            machine_text(figures["machine"]),
        ]
    )


def training_table(measured: dict[str, Any]) -> str:
    """Results in a model's format: in the same pass, and afterwards."""
    ways = list(next(iter(measured.values()))["milliseconds"])
    rows = [
        [name, *(f"{row['milliseconds'][way]['median']:.2f}" for way in ways), f"{row['times_as_fast']:.2f}"]
        for name, row in measured.items()
    ]
    return markdown(["milliseconds, transform included", *ways, "gain over our kernels afterwards"], rows)


def small_table(extras: dict[str, Any]) -> str:
    """Table of small calls, soft edges and threads: what does not depend on the pixels."""
    rows = [
        [LABELS[name], f"{value['median']:.0f} us ({value['low']:.0f}-{value['high']:.0f})"]
        for name, value in extras["microseconds"].items()
    ]
    soft, threads = extras["soft"], extras["threads"]
    rows += [
        [f"soft edges, sigma {soft['sigma']:g}, against hard ones", f"{soft['of_hard']:.2f} times as long"],
    ]
    rows += [
        [
            f"a batch of {row['batch']} on {threads['threads']} threads, against one",
            f"{row['times_as_fast']:.2f} times as fast; two processes that make one each, {row['processes']:.2f}",
        ]
        for row in threads["batches"]
    ]
    return markdown(["what", "takes"], rows)


def labels_table(measured: dict[str, Any]) -> str:
    """Calls with further labels, and how many times as long they take as without."""
    rows = [[name, f"{row['milliseconds']['median']:.2f}", f"{row['of_plain']:.2f}"] for name, row in measured.items()]
    return markdown(["labels", "milliseconds", "times as long as masks alone"], rows)


def memory_table(measured: dict[str, Any]) -> str:
    """Results in memory that was used before, against others, by what is done between calls."""
    rows = [
        [
            name,
            between,
            *(f"{value['median']:.2f} (x {of[between]['of_given'][way]:.2f})" for way, value in ways.items()),
        ]
        for name, of in measured["tasks"].items()
        for between, ways in ((between, each["milliseconds"]) for between, each in of.items())
    ]
    heads = ["milliseconds, by memory of the result", "between calls", memory.GIVEN, memory.AGAIN, memory.OWN]
    return "\n".join(
        [
            markdown(heads, rows),
            "",
            f"A transform at {measured['canvas']} with {measured['instances']} objects in each image, and "
            f"{measured['masks']} masks of that size to dense ones; in brackets, the median of how many times as long "
            "as into a given array. Between calls, either nothing is done, or an array of "
            f"{memory.OTHERS >> 20} MiB is written and let go, and whatever is free goes back to the system.",
        ]
    )


def items_table(measured: dict[str, Any]) -> str:
    """An item of a data set, and what it is made of."""
    words = {
        "item": "an item: the result of two images",
        "whole": "where all rows of both are decoded, with `inputs`",
        "decodes": "decoding the two JPEG files, all rows, from memory",
        "transform": "the transform, of samples in memory",
        "rest": "the rest: files found and read, annotations made instances, a partner drawn, less the rows left out",
    }
    rows = [[words[name], f"{measured[name]:.2f}"] for name in items.PARTS]
    return "\n".join(
        [
            markdown(["milliseconds of the processor", "mean over items"], rows),
            "",
            "A set with the statistics of COCO's train2017, and files as large as COCO's; `SimpleCopyPaste` with its "
            f"defaults at {items.SIZE}. Each part of an item is the quickest of several turns. An item decodes its "
            "files from the top as far as they show, so that the rest can be less than nothing; "
            f"its median over items is {measured['median']:.2f}. "
            f"{machine_text(measured['machine'])}",
        ]
    )


def opening_table(measured: dict[str, Any]) -> str:
    """Time and memory of opening an annotation file, by way, and how workers grow."""
    ways = measured["ways"]
    peer = ways[opening.PEER]["seconds"]
    rows = [
        [
            name,
            f"{each['seconds']:.3g} s ({each['seconds'] / peer:.2g})",
            f"{each['peak']:.0f} MiB",
            f"{each['anonymous']:.0f} MiB",
            f"{each['pickle'] * 1024:.0f} KiB" if each["pickle"] < 1 else f"{each['pickle']:.0f} MiB",
        ]
        for name, each in ways.items()
    ]
    heads = [
        "way",
        "takes (pycocotools is 1)",
        "memory at the peak",
        "memory afterwards, without mapped pages",
        "pickle",
    ]
    growth = ", ".join(f"{grown:.1f} MiB ({method})" for method, grown in measured["growth"].items())
    return "\n".join(
        [
            markdown(heads, rows),
            "",
            f"A file of {measured['megabytes']:.0f} MiB with {measured['images']:,} images and "
            f"{measured['annotations']:,} annotations, made with the statistics of COCO's train2017; medians of "
            f"{opening.ROUNDS} rounds, each way in a fresh process, by turns. Ids, labels and masks of "
            f"{opening.COMPARED} images are compared with pycocotools' first. The first time includes writing the "
            f"cache. A worker that takes the annotations of all images grows by {growth}.",
        ]
    )


def resampling_table(cells: Sequence[dict[str, Any]], rival: str) -> str:
    """Sentence on the speed against rivals, and on the cost of mirroring."""
    scales = sorted({cell["scale"] for cell in cells})
    kinds = list(dict.fromkeys((cell["dtype"], cell["channels"]) for cell in cells))
    rows = []
    for dtype, channels in kinds:
        row = {c["scale"]: c for c in cells if (c["dtype"], c["channels"]) == (dtype, channels)}
        flip = max(cell["flip_cost"] for cell in row.values())
        rows.append([f"{dtype} x {channels}", *(f"{row[s]['times_as_fast']:.2f}" for s in scales), f"{flip:.0%}"])
    heads = [f"{rival} takes so many times as long, by scale", *(f"{scale:g}" for scale in scales)]
    return markdown([*heads, "mirroring adds at most"], rows)


def linear_text(measured: dict[str, Any]) -> str:
    """Bilinear against OpenCV, and whom it asks for help."""
    table = resampling_table(measured["linear"], "OpenCV")
    if measured["ipp"] is None:
        return table
    return f"{table}\n\nFor uint16 and float32 OpenCV calls Intel's closed library here ({measured['ipp']})."


def machine_text(found: dict[str, Any]) -> str:
    """Sentence on the machine and the versions that the figures come from."""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return f"{found['processor']}, {found['cores']} cores, Python {found['python']}, {versions}."
