"""Copy-paste as a transform of Albumentations, for ``Compose``: of Albumentations 2.0 and of AlbumentationsX.

``pip install albumentations`` (the last release under the MIT licence) or ``pip install albumentationsx[headless]``
brings what is needed; both are imported by the name ``albumentations``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs.datasets._extras import needed
from copypaste_rs.datasets.partner_checks import check_samples, may_have_objects
from copypaste_rs.integrations._drawing import partners, worker
from copypaste_rs.integrations._label_fields import LabelFields, assembled, donor_sample, mask_runs
from copypaste_rs.transforms import SimpleCopyPaste

with needed("pip install albumentations brings what copypaste_rs.integrations.albumentations needs"):
    import albumentations as A  # noqa: N812  # its own convention

if A.__version__.partition(".")[0] in ("0", "1"):
    raise ImportError(
        f"copypaste_rs.integrations.albumentations: expected albumentations 2.0 or AlbumentationsX, got "
        f"{A.__version__}; pip install albumentations==2.0.8"
    )

from albumentations.core.type_definitions import Targets  # which old ones have not

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.datasets.copy_paste import Samples
    from copypaste_rs.sample import Sample

__all__ = ["CopyPaste"]

IS_X = hasattr(A.DualTransform, "sample_parameters")
"""Whether it is AlbumentationsX, whose transforms draw in a method of another name."""

REFUSED = ("images", "volume", "volumes", "mask3d", "masks3d", "keypoints")
"""Targets that nothing is pasted into."""


class _Result(NamedTuple):
    """The results of one call, from which each target gets its own."""

    sample: Sample
    rows: NDArray[np.float32]
    value: int


@final
class CopyPaste(A.DualTransform):  # type: ignore[misc]  # Albumentations is not there where types are checked
    """Copy-paste as a transform: `image`, `mask`, `masks`, `bboxes` and label fields.

    The image and those whose objects are pasted are jittered in scale, mirrored, and put on the canvas, so the result
    has another size; transforms that come before have to keep the one they get. What is covered is cut from the masks
    below, boxes are measured on the masks that are left, and rows that are hidden are dropped from masks, boxes and
    label fields alike. ``mask`` is a map of the whole image, such as one of classes, pasted where objects are.

    Two names of label fields have a meaning: ``iscrowd`` marks crowds, which are never pasted; ``mask_index`` becomes
    the number of each row, by which masks are found again when transforms further on drop boxes.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the canvas.
    donors : sequence of Sample or of dict, optional
        Images whose objects are pasted, such as a `CocoDataset`; one of them is drawn for each call. Label fields are
        taken from columns of the same names, and from `labels` where there is one label field.
    metadata_key : str
        Where there are no `donors`: name of the keyword argument of each call that has a list of them, all of which are
        pasted from. A donor is a dict with ``image``, ``masks``, the label fields, and ``mask`` where the image has it;
        or a `Sample`.
    num_sources : int
        How many of `donors` are drawn.
    fill_mask : int or float
        Value of `mask` where no image lands.
    p : float
        Probability of pasting. The canvas is made in any case, so that all results have one size.
    **options
        Options of `SimpleCopyPaste`.

    Raises
    ------
    ValueError, TypeError
        When an option is wrong; when called with boxes and no masks, or other numbers of them, with keypoints, volumes
        or additional targets, or with donors that do not fit: the donor is named.
    NotImplementedError
        When put into a ``ReplayCompose``, and when written to a dict while it has `donors`.

    Notes
    -----
    All is drawn from the random state of the transform, which ``Compose(..., seed=)`` sets; in worker processes of
    torch's loaders their seed counts too.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_data
    >>> photos = sample_data()
    >>> transform = A.Compose([CopyPaste(256, donors=photos, min_area=16)], seed=0)
    >>> masks = photos[0].instances.masks.to_dense()
    >>> result = transform(image=photos[0].image, masks=masks)
    >>> result["image"].shape, result["masks"].shape[1:], len(result["masks"]) > len(masks)
    ((256, 256, 3), (256, 256), True)
    """

    _targets = (Targets.IMAGE, Targets.MASK, Targets.BBOXES, *((Targets.MASKS,) if IS_X else ()))

    def __init__(
        self,
        size: _checks.Size,
        *,
        donors: Samples | Sequence[Mapping[str, Any]] | None = None,
        metadata_key: str = "copy_paste_metadata",
        num_sources: SupportsIndex = 1,
        fill_mask: float = 0,
        p: SupportsFloat = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(p=1.0)
        self.fill_mask = fill_mask
        self.metadata_key = metadata_key
        self.donors = None if donors is None else check_samples("donors", donors)
        self.num_sources = _checks.integer("num_sources", num_sources, 1, 1024)
        self.transform = SimpleCopyPaste(size=size, p=p, **options)
        arguments = {"metadata_key": metadata_key, "num_sources": self.num_sources, "fill_mask": fill_mask}
        self._given = {"size": size, "p": p, **arguments, **options}

    @property
    def targets(self) -> dict[str, Any]:
        """Functions that hand out the results."""
        return {
            "image": self.apply,
            "mask": self.apply_to_mask,
            "masks": self.apply_to_masks,
            "bboxes": self.apply_to_bboxes,
        }

    @property
    def targets_as_params(self) -> list[str]:
        """Name of the keyword argument with the donors, where it is needed."""
        return [] if self.donors is not None else [self.metadata_key]

    def __call__(self, *args: Any, force_apply: bool = False, **data: Any) -> Any:
        """The results, by the names of the targets."""
        masks, image = data.get("masks"), data.get("image")
        if isinstance(masks, list | tuple) and not masks and isinstance(image, np.ndarray):
            # An empty list would be handed on, and the masks of what is pasted be lost.
            data["masks"] = np.zeros((0, *image.shape[:2]), np.uint8)
        return super().__call__(*args, force_apply=force_apply, **data)

    if IS_X:

        def sample_parameters(self, params: Any, data: dict[str, Any], targets: Any, sampling: Any) -> Any:  # noqa: ARG002
            """The result, in the form of AlbumentationsX."""
            from albumentations.core.transform_params import SampledParams

            return SampledParams({"made": self._made(data, [sampling.py_random.getrandbits(63)])})

    else:

        def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
            """The result, in the form of Albumentations."""
            # It copies its random state into all workers, which would draw the same without their seeds.
            process = worker()
            seeds = [] if process is None else [process.seed % 2**64]
            return {"made": self._made(data, [self.py_random.getrandbits(63), *seeds])}

    def apply(self, img: NDArray[Any], made: _Result, **_: Any) -> NDArray[Any]:
        """The image."""
        return _with_axes(made.sample.image, img.ndim)

    def apply_to_mask(self, mask: NDArray[Any], made: _Result, **_: Any) -> NDArray[Any]:
        """The map of the whole image."""
        return _with_axes(made.sample.maps["mask"], mask.ndim)

    def apply_to_masks(self, masks: Any, made: _Result, **_: Any) -> Any:
        """The masks, with the values that masks had."""
        found = made.sample.instances.masks
        assert found is not None
        listed = isinstance(masks, list | tuple)  # as AlbumentationsX hands on what was given so
        one = masks if not listed else masks[0][None] if len(masks) else np.zeros((0, 0, 0), np.uint8)
        dense = found.to_dense().astype(one.dtype, copy=False)
        if made.value > 1:
            dense *= made.value
        dense = _with_axes(dense, one.ndim)
        return list(dense) if listed else dense

    def apply_to_bboxes(self, bboxes: NDArray[Any], made: _Result, **_: Any) -> NDArray[np.float32]:  # noqa: ARG002
        """The boxes, as shares of the canvas, with the label fields behind them."""
        h, w = made.sample.size
        boxes = made.sample.instances.boxes
        assert boxes is not None
        return np.hstack([boxes / np.array([w, h, w, h], np.float32), made.rows]).astype(np.float32)

    def _made(self, data: dict[str, Any], rng: list[int]) -> _Result:
        for name, value in data.items():
            if name in REFUSED and value is not None and len(value):
                raise wrong(name, "none, as CopyPaste takes image, mask, masks and bboxes", f"{len(value)} of them")
            if name in self._additional_targets and value is not None:
                raise wrong(name, "no additional targets, as only one image is pasted into", "one")
        fields = LabelFields(self.get_processor("bboxes"), data, self.fill_mask)
        target = self._target(data, fields)
        given = data.get(self.metadata_key)
        if self.donors is not None:
            drawn = partners(
                self.transform, rng, self.num_sources, len(self.donors), lambda i: self._donor(i, data, fields)
            )
        else:
            items = _checks.items(self.metadata_key, given)
            never = self.transform._never
            drawn = [donor_sample((self.metadata_key, i), each, data, fields, never) for i, each in enumerate(items)]
        made = self.transform(target, drawn, rng)
        return _Result(made, fields.rows(made.instances), fields.value)

    def _target(self, data: dict[str, Any], fields: LabelFields) -> Sample:
        boxes = data.get("bboxes")
        if boxes is not None and len(boxes) and data.get("masks") is None:
            raise wrong("masks", f"one for each of the {len(boxes)} boxes", "none")
        masks = mask_runs("masks", data.get("masks"), data["image"].shape[:2], fields)
        if boxes is not None and len(boxes) != len(masks):
            raise wrong("masks", f"one for each of the {len(boxes)} boxes", str(len(masks)))
        rows = np.zeros((0, fields.count), np.float32)
        if boxes is not None and len(boxes):
            rows = np.asarray(boxes, np.float32)[:, 4:]
            if rows.shape[1] != fields.count:
                raise wrong("bboxes", "four numbers a box, and labels in label_fields", str(4 + rows.shape[1]))
        return assembled(data["image"], masks, rows, data.get("mask"), fields)

    def _donor(self, i: int, data: dict[str, Any], fields: LabelFields) -> Sample | None:
        donors: Any = self.donors
        if not may_have_objects(donors, i):
            return None
        sample = donor_sample(("donors", i), donors[i], data, fields, self.transform._never)
        return sample if len(sample.instances.without_crowds()) else None

    def set_deterministic(self, flag: bool, save_key: str = "replay") -> Any:
        """Refuse to be replayed: what was pasted belongs to one image."""
        if flag:
            raise NotImplementedError(
                "CopyPaste cannot be replayed: what it did to one image says nothing about another; "
                "Compose(..., seed=) makes a pipeline reproducible"
            )
        return super().set_deterministic(flag, save_key)

    def get_transform_init_args(self) -> dict[str, Any]:
        """Arguments, for ``to_dict``; donors cannot be written."""
        if self.donors is not None:
            raise NotImplementedError(
                "CopyPaste: donors cannot be written to a dict; hand them over in each call, by metadata_key"
            )
        return dict(self._given)

    def get_transform_init_args_names(self) -> tuple[str, ...]:
        """Names of the arguments."""
        return tuple(self._given)

    def __repr__(self) -> str:
        return f"CopyPaste({self.transform!r}, num_sources={self.num_sources})"


def _with_axes(array: NDArray[Any], axes: int) -> NDArray[Any]:
    """The array with a last axis of one more, where the target had it."""
    return array[..., None] if array.ndim < axes else array
