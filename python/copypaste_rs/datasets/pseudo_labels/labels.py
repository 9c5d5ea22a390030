"""Pseudo-labels of a set of images: made from results, looked at, saved, and trained on."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, final

import numpy as np

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.encoding import geometry_fields
from copypaste_rs.datasets.image_checks import MAX_PIXELS
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.options import CheckedOptions
from copypaste_rs.datasets.pseudo_labels.counts import IGNORED, KEPT, LOW_SCORE, Counts
from copypaste_rs.datasets.pseudo_labels.images import image_set
from copypaste_rs.datasets.pseudo_labels.making import tables_of
from copypaste_rs.datasets.pseudo_labels.reading import read
from copypaste_rs.datasets.pseudo_labels.rounds import rows_of_round, tables_of_round
from copypaste_rs.datasets.pseudo_labels.rules import MASK_NMS, MERGE_IOU, MIN_SCORE, checked_rules
from copypaste_rs.datasets.whole_file import check_free, write_whole

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from copypaste_rs.datasets.pseudo_labels.images import Images
    from copypaste_rs.datasets.pseudo_labels.rules import Threshold
    from copypaste_rs.datasets.tables import AnnotationTables


@final
class PseudoLabels:
    """Labels of images that a model has made, for training as if somebody had drawn them.

    `PseudoLabels.from_results` makes them; `save` writes them as COCO annotations, `dataset` is the data set of them.
    Each row has its `score` and is marked `pseudo`, so that it is pasted only with ``paste_pseudo=True``. All images
    are there, those without any row too: they are backgrounds.

    Attributes
    ----------
    categories : list of dict
        Categories, as COCO has them.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_paths
    >>> images, folder = sample_paths()
    >>> found = {"image_id": 1, "category_id": 2, "segmentation": [[40, 30, 90, 30, 90, 80, 40, 80]], "score": 0.75}
    >>> again = found | {"segmentation": [[42, 30, 90, 30, 90, 80, 42, 80]], "score": 0.9}
    >>> labels = PseudoLabels.from_results([found, again, found | {"score": 0.5}], images, ignore_below=0.6)
    >>> labels.kept, labels.dropped
    ({2: 1}, {2: {'low score': 1, 'duplicate': 1}})
    >>> unlabelled = labels.dataset(folder)
    >>> unlabelled.instances(0).score, unlabelled.instances(0).pseudo, len(unlabelled)
    (array([0.9]), array([ True]), 5)
    """

    def __init__(self) -> None:
        raise TypeError("PseudoLabels: PseudoLabels.from_results makes them")

    _tables: AnnotationTables
    _given_ids: list[int | str]
    _counts: Counts

    @classmethod
    def from_results(
        cls,
        results: str | os.PathLike[str] | Iterable[Mapping[str, Any]],
        images: Images,
        *,
        categories: str | os.PathLike[str] | Iterable[Mapping[str, Any]] | None = None,
        min_score: Threshold = MIN_SCORE,
        ignore_below: Threshold | None = None,
        min_mask_score: SupportsFloat | None = None,
        boxes: str = "error",
        min_part_area: SupportsIndex = 0,
        connectivity: SupportsIndex = 8,
        min_area: SupportsIndex = 0,
        mask_nms: SupportsFloat | None = MASK_NMS,
        merge: str | os.PathLike[str] | PseudoLabels | AnnotatedImages | None = None,
        merge_iou: SupportsFloat = MERGE_IOU,
        max_per_image: SupportsIndex | None = None,
    ) -> PseudoLabels:
        """Pseudo-labels of a list of COCO results, as detectron2, mmdetection and ultralytics write them.

        The rules are applied in the order of the parameters below. The paper that this library is named after says
        that it trained on such labels, and names no threshold: all defaults are ours.

        Parameters
        ----------
        results : path, or iterable of dict
            The list, or the file of it: ``image_id``, ``category_id``, ``score`` and ``segmentation``, in any form
            that COCO has. An image is named by its id, or by its file, as ultralytics does. Category ids are those of
            `images`. Of other fields ``mask_score`` alone becomes a column.
        images : path, dict, iterable of dict, or data set
            Which images there are, and the categories: a COCO file or what is in it, the records of images alone,
            or a data set of files, such as a `CocoDataset`. Annotations are not looked at. Or the folder of the
            images, of which the names are the ids: with and without suffix, and as numbers where all of them are.
        categories : path, or iterable of dict, optional
            The categories, or a COCO file of them, where `images` has none, or others are meant.
        min_score : float, or mapping of int, str or None to float
            Score from which on a result is an object, 0 to 1; or by the id or the name of a category, and under None
            for those that are not named, or else 0.7.
        ignore_below : float, or mapping of int, str or None to float, optional
            Results from this score on, below `min_score`, become crowds: they are never pasted, and no objects of a
            loss. At most `min_score`. There are none where it is None, nor of categories that it gives
            nothing for.
        min_mask_score : float, optional
            Results of a lower ``mask_score`` are dropped; each has to have one then.
        boxes : {"error", "drop"}
            What is done with results that have a ``bbox`` and no ``segmentation``: they are refused, or dropped.
        min_part_area : int
            Connected parts of masks of fewer pixels are taken away, from 2 on.
        connectivity : {8, 4}
            Whether pixels that share a corner alone are connected (8), or only those that share a side (4).
        min_area : int
            Masks of fewer pixels are dropped.
        mask_nms : float, optional
            Of two results of one image and class, crowds or not, whose masks overlap by more than this intersection
            over union, the one of the lower score is dropped, of equal scores the later one. One that is dropped
            drops no other. None drops none.
        merge : path, PseudoLabels or data set, optional
            Labels of an earlier round, of some or all of these images: those stay that no new one overlaps, crowds
            or not, whatever the class of either. No other rule but `max_per_image` is applied to them.
        merge_iou : float
            Intersection over union from which on a new one overlaps an old one. 0.5 is what CutLER has.
        max_per_image : int, optional
            Objects of an image, crowds apart, at most: old ones go first, then low scores, of equal scores the later
            ones.

        Returns
        -------
        PseudoLabels
            Rows of an image in the order of the results, old ones last.

        Warns
        -----
        UserWarning
            When polygon parts of fewer than three points were skipped, with their number; when there are results and no
            object at all, with the reasons.

        Raises
        ------
        OSError
            When a file cannot be read.
        ValueError, TypeError
            When an argument is wrong; when a result is malformed, its score missing, NaN or beyond 0 to 1, its image or
            its category none of `images`, its mask of another size than its image, pixels in the place of run lengths
            or polygons, or its ``file_name`` that of another image; when it has neither ``segmentation`` nor ``bbox``:
            up to ten are told at once, by their numbers. Of results whose scores are too low only ids and scores are
            looked at. When `merge` is of other images or categories, or has a row that
            is not marked as `pseudo`, or has no score.
        """
        of_images = image_set(images, categories)
        old = None
        if merge is not None:
            name, tables = ("merge", merge._tables) if isinstance(merge, cls) else tables_of_round(merge)
            old, of_images = rows_of_round(name, tables, of_images)
        rules = checked_rules(
            of_images.categories,
            min_score=min_score,
            min_mask_score=min_mask_score,
            ignore_below=ignore_below,
            boxes=boxes,
            min_part_area=min_part_area,
            connectivity=connectivity,
            min_area=min_area,
            mask_nms=mask_nms,
            merge_iou=merge_iou,
            max_per_image=max_per_image,
        )
        counts = Counts()
        new, skipped = read(results, of_images, rules, counts)
        if skipped:
            warnings.warn(f"results: left out {', '.join(skipped)}", UserWarning, stacklevel=2)
        number, below = counts.total + len(new.labels), sum(counts.of(LOW_SCORE).values()) + int(new.iscrowd.sum())
        made = cls.__new__(cls)
        made._tables = tables_of(of_images, new, old, rules, counts)
        made._given_ids = of_images.given_ids
        made._counts = counts
        if number and not made.kept:
            reasons = "none has a score of at least min_score" if below == number else counts.reasons()
            of = counted(number, "result", "results")
            warnings.warn(f"results: no object was made of {of}: {reasons}", UserWarning, stacklevel=2)
        return made

    @property
    def categories(self) -> list[dict[str, Any]]:
        """Categories, as COCO has them."""
        return [dict(category) for category in self._tables.categories]

    @property
    def num_images(self) -> int:
        """Number of images, of those without any row too."""
        return len(self._given_ids)

    @property
    def kept(self) -> dict[int, int]:
        """Number of objects by label, of labels that have any."""
        return self._counts.of(KEPT)

    @property
    def ignored(self) -> dict[int, int]:
        """Number of crowds by label, of labels that have any."""
        return self._counts.of(IGNORED)

    @property
    def dropped(self) -> dict[int, dict[str, int]]:
        """Number of results, and of labels of the earlier round, that are gone: by label, and by the reason.

        Reasons are ``"low score"``, ``"low mask score"``, ``"box alone"``, ``"no pixel"``, ``"small"``,
        ``"duplicate"``, ``"replaced"`` and ``"over limit"``.
        """
        return self._counts.by_reason()

    def table(self) -> str:
        """Table, as text, of what became of all results: a line for each class, a column for each reason."""
        return self._counts.table(self._tables.categories)

    def dataset(
        self,
        images: str | os.PathLike[str],
        *,
        apply_exif: bool = False,
        max_pixels: SupportsIndex = MAX_PIXELS,
        dtype: str = "uint8",
        labels: str = "ids",
    ) -> AnnotatedImages:
        """The images with their pseudo-labels, as a sequence of `Sample`: what `CocoDataset` makes of the saved file.

        Parameters
        ----------
        images : path
            The folder of images.
        apply_exif, max_pixels, dtype, labels
            As of `CocoDataset`.
        """
        folder = check_path("images", images)
        options = CheckedOptions.of(apply_exif=apply_exif, max_pixels=max_pixels, dtype=dtype, labels=labels)
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder}: expected a folder of images, which is not there")
        return AnnotatedImages(self._tables, folder, "pseudo-labels", options)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write COCO annotations, which `CocoDataset` reads: the file is there whole, or not at all.

        Records of images, ``info`` and ``licenses`` stand in it as they were given.

        Parameters
        ----------
        path : path
            The file.
        overwrite : bool
            Whether a file that is there is replaced.

        Raises
        ------
        OSError
            When there is a file and `overwrite` is False; when it cannot be written.
        """
        file = check_path("path", path)
        check_free(file, overwrite=overwrite)
        write_whole(file, self._pieces(), overwrite=overwrite)

    def _pieces(self) -> Iterator[bytes]:
        tables = self._tables
        head = {"info": tables.info or {}, "licenses": tables.licenses or [], "categories": tables.categories}
        yield json_text("head", head).removesuffix(b"}")
        yield b',"images":['
        ends = tables.image_json_offsets.tolist()
        for i in range(len(ends) - 1):
            yield (b"," if i else b"") + tables.image_json[ends[i] : ends[i + 1]].tobytes()
        yield b'],"annotations":['
        before = b""
        for i in range(len(ends) - 1):
            for annotation in self._annotations(i):
                yield before + msgspec.json.encode(annotation)
                before = b",\n"
        yield b"]}"

    def _annotations(self, image: int) -> Iterator[dict[str, Any]]:
        """Annotations of an image."""
        tables = self._tables
        start, stop = tables.row_offsets[image : image + 2].tolist()
        if start == stop:
            return
        h, w = tables.sizes[image].tolist()
        rows = slice(start, stop)
        masks, boxes, _ = tables.segmentations.masks((start, stop), (h, w))
        geometry = geometry_fields(masks, tables.labels[rows], tables.iscrowd[rows], boxes)
        columns = {name: field.values[rows].tolist() for name, field in tables.fields.items()}
        for k, fields in enumerate(geometry):
            own = {name: values[k] for name, values in columns.items() if not np.isnan(values[k])}
            yield {"id": start + k + 1, "image_id": self._given_ids[image], **fields, **own}

    def __repr__(self) -> str:
        kept, ignored = sum(self.kept.values()), sum(self.ignored.values())
        return f"PseudoLabels({self.num_images} images, {kept} objects, {ignored} ignored)"
