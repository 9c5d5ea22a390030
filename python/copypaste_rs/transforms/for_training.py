"""Transforms whose results are ready for a model: image format, normalisation and masks in the same pass."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, final

import numpy as np

from copypaste_rs import _checks, draws
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._engine.call import Call, check_sample, samples
from copypaste_rs._engine.formats import OutputFormat, checked_dtype
from copypaste_rs._equality import same
from copypaste_rs._immutable import Immutable
from copypaste_rs._result_memory import empty
from copypaste_rs._shown import call, not_default
from copypaste_rs.sample import Sample
from copypaste_rs.transforms.batch import MaskDrawing, TrainingForm, apply_batch, check_masks_out, output_shape
from copypaste_rs.transforms.scale_jitter import ScaleJitter
from copypaste_rs.transforms.simple_copy_paste import SimpleCopyPaste

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from copypaste_rs._engine.formats import PerChannel
    from copypaste_rs.instances import Instances
    from copypaste_rs.masks import RleMasks
    from copypaste_rs.plan import Plan

MASKS = ("runs", "dense", "label_map")

Masks: TypeAlias = "RleMasks | NDArray[Any] | None"


@final
@dataclass(frozen=True, slots=True, eq=False)
class TrainingSample:
    """One augmented sample in the form that a model takes.

    Parameters
    ----------
    image : array, shape (C, H, W) or (H, W, C), or (H, W)
        The image, in the layout and dtype that were asked for.
    instances : Instances
        The objects, as `SimpleCopyPaste` gives them; their masks are runs.
    masks : RleMasks or array
        The same masks as they were asked for: runs, (N, H, W), or one map (H, W).
    info : dict
        The info of the target.
    maps : dict of str to array, shape (H, W) or (H, W, C)
        Further rasters by name, as `SimpleCopyPaste` gives them: in no other layout, not normalised.
    """

    image: NDArray[Any]
    instances: Instances
    masks: Masks
    info: dict[str, Any]
    maps: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TrainingSample):
            return NotImplemented
        return (
            self.image.dtype == other.image.dtype
            and same(self.image, other.image)
            and self.instances == other.instances
            and same(self.masks, other.masks)
            and same(self.info, other.info)
            and same(self.maps, other.maps)
            and all(array.dtype == other.maps[name].dtype for name, array in self.maps.items())
        )

    __hash__ = None  # type: ignore[assignment]  # holds arrays, which may be written to

    def __repr__(self) -> str:
        masks = self.masks
        drawn = f"{masks.shape} {masks.dtype}" if isinstance(masks, np.ndarray) else repr(masks)
        return f"TrainingSample(image={self.image.shape} {self.image.dtype}, {self.instances!r}, masks={drawn})"


@final
@dataclass(frozen=True, slots=True, eq=False)
class TrainingBatch:
    """Augmented samples in the form that a model takes, their images in one array.

    Parameters
    ----------
    images : array, shape (B, C, H, W) or (B, H, W, C), or (B, H, W)
        The images.
    instances : list of Instances
        The objects of each.
    masks : list of RleMasks or array
        The masks of each.
    infos : list of dict
        The info of each target.
    maps : dict of str to array, shape (B, H, W) or (B, H, W, C)
        Further rasters by name, as `SimpleCopyPaste` gives them.
    """

    images: NDArray[Any]
    instances: list[Instances]
    masks: list[Masks]
    infos: list[dict[str, Any]]
    maps: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.instances)

    def __getitem__(self, index: SupportsIndex) -> TrainingSample:
        """Sample of a number; its image is a view into `images`, its maps are views into `maps`."""
        i = operator.index(index)
        maps = {name: array[i] for name, array in self.maps.items()}
        return TrainingSample(self.images[i], self.instances[i], self.masks[i], self.infos[i], maps)

    def __repr__(self) -> str:
        return f"TrainingBatch(images={self.images.shape} {self.images.dtype})"


@final
class ForTraining(Immutable):
    """A transform whose results are ready for a model, made in the same pass over the image.

    Rows of the image are normalised and written in their final place while they are still in a near cache; masks
    are drawn from their runs. Nothing is gone over a second time.

    Parameters
    ----------
    transform : SimpleCopyPaste or ScaleJitter
        What is done to the samples.
    layout, dtype, mean, std, scale
        The format of the image, as `copypaste_rs.reference.convert_image` says. A value v becomes
        ``(v / m - mean) / std``; m is 255 for uint8 images, 65535 for uint16, and 1 for float32, which are taken to lie
        in 0..1, and with ``scale=False``.
    masks : {"dense", "label_map", "runs"}
        Masks as (N, H, W); as one int32 map (H, W) in which row i of the instances is i + 1, the later one where rows
        overlap, and 0 the background; or run-length encoded, as they are.
    mask_dtype : {"uint8", "bool"}
        dtype of dense masks.

    Examples
    --------
    >>> import numpy as np
    >>> from copypaste_rs import ForTraining, Instances, RleMasks, Sample, SimpleCopyPaste
    >>> image = np.full((48, 64, 3), 200, np.uint8)
    >>> square = np.zeros((1, 48, 64), np.uint8)
    >>> square[0, 10:30, 20:40] = 1
    >>> photo = Sample(image, Instances(masks=RleMasks.from_dense(square), labels=[5]))
    >>> augment = ForTraining(SimpleCopyPaste(size=64), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    >>> ready = augment(photo, photo, rng=(0, 0, 7))
    >>> ready.image.shape, ready.image.dtype.name, ready.masks.shape[1:] == ready.image.shape[1:]
    ((3, 64, 64), 'float32', True)
    """

    __slots__ = ("_arguments", "_form", "transform")

    _arguments: dict[str, Any]
    _form: TrainingForm
    transform: SimpleCopyPaste | ScaleJitter

    def __init__(
        self,
        transform: SimpleCopyPaste | ScaleJitter,
        *,
        layout: str = "chw",
        dtype: DTypeLike = "float32",
        mean: PerChannel = None,
        std: PerChannel = None,
        scale: bool | np.bool_ = True,
        masks: str = "dense",
        mask_dtype: DTypeLike = "uint8",
    ) -> None:
        if not isinstance(transform, SimpleCopyPaste | ScaleJitter):
            raise wrong_type("transform", "a SimpleCopyPaste or a ScaleJitter", type(transform).__name__)
        output_format = OutputFormat.check(layout, dtype, mean, std, scale)
        kind = _checks.choice("masks", masks, MASKS)
        planes = checked_dtype("mask_dtype", mask_dtype, ("uint8", "bool"))
        drawn = None
        if kind != "runs":
            drawn = MaskDrawing(kind == "label_map", np.dtype(np.int32) if kind == "label_map" else planes)
        self._put(transform=transform, _form=TrainingForm(output_format, drawn))
        arguments = {
            "layout": layout,
            "dtype": output_format.dtype.name,
            "mean": output_format.mean,
            "std": output_format.std,
        }
        arguments |= {"scale": output_format.scale, "masks": masks, "mask_dtype": planes.name}
        self._put(_arguments=arguments)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._arguments:
            return self._arguments[name]
        raise AttributeError(f"ForTraining has no attribute {name!r}")

    @property
    def backend(self) -> str:
        """Name of the implementation that runs, of the two equal ones."""
        return self.transform.backend

    def sample_plan(self, target: Sample, sources: Sample | Sequence[Sample] = (), rng: draws.Rng = None) -> Plan:
        """Draw a plan, as the transform does; for a `ScaleJitter` there are no sources."""
        if isinstance(self.transform, SimpleCopyPaste):
            return self.transform.sample_plan(target, sources, rng)
        _no_sources(sources)
        return self.transform.sample_plan(target, rng)

    def apply(
        self,
        plan: Plan,
        target: Sample,
        sources: Sample | Sequence[Sample] = (),
        *,
        out: NDArray[Any] | None = None,
        masks_out: NDArray[Any] | None = None,
    ) -> TrainingSample:
        """Apply `plan`.

        Parameters
        ----------
        plan, target, sources
            As the transform takes them.
        out : array, optional
            Takes the image: of the result's shape and dtype, C-contiguous, apart from all inputs.
        masks_out : array, optional
            Takes the masks: (M, H, W) of `mask_dtype`, M at least the rows of the target and those pasted together, or
            the map (H, W), int32. The result is a view of what was written; what lies behind it stays as it was.

        Returns
        -------
        TrainingSample
            Image, instances, masks, the target's info, and maps.

        Raises
        ------
        ValueError, TypeError
            When plan and samples do not fit each other. Nothing has been written then.
        """
        transform, form = self.transform, self._form
        if isinstance(transform, ScaleJitter):
            _no_sources(sources)
        image = check_sample("target", target).image
        transform._check_plan(plan)
        call = Call.check(transform._options, plan, target, samples(sources))
        shape, dtype = output_shape(call.plan.canvas_size, image, form.image)
        read = call.arrays()
        result = empty(shape, dtype) if out is None else _checks.output("out", out, shape, dtype, read)
        drawing = None if masks_out is None else check_masks_out("masks_out", form.masks, call, masks_out, read)
        if out is not None and drawing is not None and _checks.may_overlap(out, [drawing]):
            raise wrong("masks_out", "memory of its own", "an array that overlaps out")
        backend = transform._backend
        if drawing is not None:
            backend._check_unused([drawing], numbered=False)
        rasters = call.map_canvases() if call.maps else ()
        made = backend._compose(call, transform._options.of_kernel(image), result, form.image, rasters)
        sample = call.result(transform._options, made, rasters)
        masks: Masks = made.masks
        if form.masks is not None:
            n = len(made.masks)
            drawing = form.masks.fresh(n, call.plan.canvas_size) if drawing is None else drawing
            masks = form.masks.part(drawing, n)
            backend._draw_masks([made.masks], [drawing], 1, numbered=False)
        return TrainingSample(result, sample.instances, masks, sample.info, sample.maps)

    def apply_batch(
        self,
        plans: Sequence[Plan],
        targets: Sequence[Sample],
        sources: Sequence[Sample | Sequence[Sample]] | None = None,
        *,
        threads: SupportsIndex = 1,
        out: NDArray[Any] | None = None,
        masks_out: Sequence[NDArray[Any]] | None = None,
    ) -> TrainingBatch:
        """Apply plan i to target i and sources i, for all of a batch in one call, as `SimpleCopyPaste.apply_batch`.

        For a `ScaleJitter` there are no sources. `out` takes the images, shape (B, C, H, W) or (B, H, W, C);
        `masks_out` has for each item an array that takes its masks, as `apply` describes it.
        """
        plans = _checks.items("plans", plans)
        sources = [()] * len(plans) if sources is None else _checks.items("sources", sources)
        if isinstance(self.transform, ScaleJitter):
            for source in sources:
                _no_sources(source)
        made = apply_batch(self.transform, plans, targets, sources, threads, out, self._form, masks_out)
        instances = [sample.instances for sample in made.samples]
        masks: list[Masks] = [each.masks for each in instances] if made.masks is None else [*made.masks]
        infos = [sample.info for sample in made.samples]
        return TrainingBatch(made.images, instances, masks, infos, {n: each.array for n, each in made.maps.items()})

    def __call__(
        self,
        target: Sample,
        sources: Sample | Sequence[Sample] = (),
        rng: draws.Rng = None,
        *,
        out: NDArray[Any] | None = None,
        masks_out: NDArray[Any] | None = None,
    ) -> TrainingSample:
        """Draw a plan and apply it."""
        plan = self.sample_plan(target, sources, rng)
        return self.apply(plan, target, sources, out=out, masks_out=masks_out)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ForTraining):
            return NotImplemented
        return self.transform == other.transform and same(self._arguments, other._arguments)

    __hash__ = None  # type: ignore[assignment]  # as its transform

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.transform, self._arguments)

    def __repr__(self) -> str:
        return call("ForTraining", [repr(self.transform), *not_default(ForTraining, self._arguments)])


def _rebuild(transform: SimpleCopyPaste | ScaleJitter, arguments: dict[str, Any]) -> ForTraining:
    return ForTraining(transform, **arguments)


def _no_sources(sources: object) -> None:
    if isinstance(sources, Sample) or (isinstance(sources, Sequence) and len(sources)):
        raise wrong("sources", "none, since ScaleJitter pastes nothing", "some")
