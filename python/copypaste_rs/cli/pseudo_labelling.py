"""Pseudo-labels by options: what ``pseudo-label`` takes, and the labels that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from copypaste_rs import _checks
from copypaste_rs.cli.option_types import LocalPath, Threshold
from copypaste_rs.cli.outputs import real_path
from copypaste_rs.cli.words import as_option
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.pseudo_labels.images import NO_CATEGORIES
from copypaste_rs.datasets.pseudo_labels.labels import PseudoLabels
from copypaste_rs.datasets.pseudo_labels.rules import BOXES, MASK_NMS, MERGE_IOU, MIN_SCORE
from copypaste_rs.errors import ArgumentError

with extra("cli"):
    import click

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILE = LocalPath(dir_okay=False)
_SHARE = click.FloatRange(0, 1)
_PIXELS = click.IntRange(0, _checks.MAX_PIXELS)

PSEUDO_LABEL_OPTIONS = [
    click.option("--results", type=_FILE, required=True, help="List of COCO results, as a model's evaluation has it."),
    click.option("--images", type=LocalPath(), required=True,
                 help="COCO file of the images and categories, whose annotations are not looked at; or the folder of "
                      "the images, which results name by their files."),
    click.option("--output", type=LocalPath(), required=True, help="File of COCO annotations to write."),
    click.option("--categories", type=_FILE, help="COCO file of the categories, where --images has none."),
    click.option("--min-score", type=Threshold(), multiple=True, metavar="SCORE|CLASS=SCORE",
                 help=f"Score from which on a result is an object, of all classes ({MIN_SCORE} unless given) or of "
                      "one; may be repeated."),
    click.option("--ignore-below", type=Threshold(), multiple=True, metavar="SCORE|CLASS=SCORE",
                 help="Results from this score on become crowds, which are never pasted, and no objects of a loss; may "
                      "be repeated."),
    click.option("--min-mask-score", type=_SHARE, metavar="SCORE", help="Drop results of a lower mask_score."),
    click.option("--boxes", type=click.Choice(BOXES), default="error", show_default=True,
                 help="Results with a box and no outline: refuse the list, or drop them."),
    click.option("--min-part-area", type=_PIXELS, default=0, show_default=True,
                 help="Take away connected parts of masks of fewer pixels."),
    click.option("--connectivity", type=click.Choice(["8", "4"]), default="8", show_default=True,
                 help="Whether pixels that share a corner alone are connected."),
    click.option("--min-area", type=_PIXELS, default=0, show_default=True, help="Drop masks of fewer pixels."),
    click.option("--mask-nms", type=_SHARE, default=MASK_NMS, show_default=True, metavar="IOU",
                 help="Of two results of a class whose masks overlap more, drop that of the lower score; 1 drops "
                      "none."),
    click.option("--merge", type=_FILE,
                 help="Labels of an earlier round, written by this command: those stay that no new one overlaps."),
    click.option("--merge-iou", type=_SHARE, default=MERGE_IOU, show_default=True, metavar="IOU",
                 help="Overlap from which on a new one replaces an old one."),
    click.option("--max-per-image", type=click.IntRange(1, _checks.MAX_SIDE), help="Objects of an image, at most."),
    click.option("--overwrite", is_flag=True, help="Replace a file that is there."),
]  # fmt: skip


def check_pseudo_labels(output: Path, options: Mapping[str, Any]) -> None:
    """Refuse, before anything is read, an output that is an input, and thresholds that are given twice."""
    for name in ("results", "images", "categories"):
        if options[name] is not None and real_path(options[name]) == real_path(output):
            raise click.UsageError(f"--output: expected another file than --{name}, got {output}")
    for name in ("min_score", "ignore_below"):
        given = [of for of, _ in options[name]]
        if twice := [of for of in given if given.count(of) > 1]:
            what = "one number for all classes" if twice[0] is None else f"the class {twice[0]} once"
            raise click.UsageError(f"--{name.replace('_', '-')}: expected {what}, got {given.count(twice[0])}")


def pseudo_labels(options: Mapping[str, Any]) -> PseudoLabels:
    """The pseudo-labels that the options ask for; a class that is not there is wrong usage."""
    names = ("categories", "min_mask_score", "boxes", "min_part_area", "min_area", "mask_nms", "merge", "merge_iou",
             "max_per_image")  # fmt: skip
    given = {name: options[name] for name in names} | {"connectivity": int(options["connectivity"])}
    given |= {name: dict(options[name]) for name in ("min_score", "ignore_below") if options[name]}
    try:
        return PseudoLabels.from_results(options["results"], options["images"], **given)
    except ArgumentError as error:
        if error.argument not in ("min_score", "ignore_below", "categories"):
            raise
        if error.got == NO_CATEGORIES:
            raise click.UsageError(f"{options['images']} has no categories; give --categories FILE") from None
        raise click.UsageError(as_option(error)) from None
