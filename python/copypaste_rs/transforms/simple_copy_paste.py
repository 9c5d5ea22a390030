"""Simple Copy-Paste."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, TypeAlias, final

from copypaste_rs import _checks
from copypaste_rs._engine import call
from copypaste_rs._engine.options import Options
from copypaste_rs.plan_options import PlanOptions
from copypaste_rs.transforms.backend import backend_of
from copypaste_rs.transforms.base import Transform, check_flips, frozen_arguments, plan_source
from copypaste_rs.transforms.batch import Batch, apply_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs import draws
    from copypaste_rs.instances import Instances
    from copypaste_rs.plan import Plan
    from copypaste_rs.plan_options import Rows, Scale, Sigma
    from copypaste_rs.sample import Sample

Select: TypeAlias = "str | SupportsFloat | Callable[[Sample, NDArray[np.int64], np.random.Generator], Rows]"
ClassWeights: TypeAlias = "Mapping[Any, SupportsFloat] | Callable[[Instances], ArrayLike]"


@final
class SimpleCopyPaste(Transform):
    """Simple Copy-Paste (Ghiasi et al., CVPR 2021): paste a random subset of one image's objects onto another.

    Target and sources are each jittered in scale, mirrored, and cropped or padded to the canvas. Objects of
    the sources are pasted; what they cover is cut from the masks below, and what is hidden is dropped. All
    randomness lies in a `Plan`, drawn by `sample_plan`; applying one is a pure function.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the canvas; one int is a square.
    target_scale, source_scale : {"large", "standard"} or (float, float)
        Ranges of the two scale factors, drawn apart: (0.1, 2.0), (0.8, 1.25), or your own.
    flip : float
        Probability of mirroring, drawn for each image.
    select : {"subset", "one", "all"}, int, float or callable
        Which of a source's N objects are pasted: a random number of them, one, all, at most so many, that
        fraction (1.0 is all, 1 is one), or what ``select(source, rows, rng)`` returns out of `rows`.
        Crowds, and objects that the jitter puts off the canvas, are no candidates.
    placement : {"jitter", "uniform"}
        Whether objects keep the place that they have on the jittered source, together, or each goes anywhere.
    blend_sigma : float or (float, float), optional
        Soft edges: standard deviation in canvas pixels, 0.1 to 20, or a range of it. None pastes hard.
        Labels follow the hard masks in any case.
    p : float
        Probability of pasting; the target is jittered all the same.
    fill, pad, interpolation, antialias, scale_reference, backend
        As in `ScaleJitter`. The fill is decided by the target: of a source only objects are seen.
    min_area : int
        Objects with fewer pixels on the canvas are not pasted, and rows left with fewer are dropped.
    min_visibility : float
        Rows of which a smaller part is left visible are dropped, 0 to 1. Crowds are exempt.
    on_hidden : {"drop", "crowd"}
        What becomes of rows below these limits: gone, or marked as crowd while a pixel is left.
    missing : mapping, optional
        Values for columns and maps that only some sides have, such as ``{"score": 1.0}``; ``{"keypoints": 0}`` gives
        rows of zeros; for a map with channels one number, or one for each.
    flip_pairs : sequence of (int, int), optional
        Numbers of keypoints that a mirror image exchanges, such as left and right eye; () for none. Samples with
        keypoints are refused without, unless `flip` is 0.
    class_weights : mapping or callable, optional
        Weights by which objects are drawn, where a source has more than `select` takes: by label, such as
        ``{3: 2.0, 8: 0.0}``, 1 for labels that are not named; or what ``class_weights(instances)`` returns, a number
        for each row of a source. Of each two objects of a source, the one of twice the weight is drawn twice as
        often, as long as neither is taken; one of weight 0 is no candidate. A callable `select` chooses out of the
        others. Weights are finite numbers of at least 0, and count as shares of the largest in a source, in steps of
        2^-20. `CocoDataset.class_weights` finds labels by name. None draws all objects alike.
    paste_boxes : bool
        Whether rows that are `box_only` are pasted too: rectangles with whatever is in them, as CutMix pastes.
    paste_pseudo : bool
        Whether rows that are marked `pseudo`, predicted by a model, are pasted too.

    Raises
    ------
    ValueError, TypeError
        When an argument is wrong, the message names it; when a plan is drawn, also where a callable returns what it
        must not, or weights are by label and a source with rows has no labels, or of the other kind than the names.

    Warns
    -----
    UserWarning
        When the settings can never paste anything, or, with weights that are all 0, only objects of other labels.

    Examples
    --------
    >>> import numpy as np
    >>> from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste
    >>> image = np.full((48, 64, 3), 200, np.uint8)
    >>> square = np.zeros((1, 48, 64), np.uint8)
    >>> square[0, 10:30, 20:40] = 1
    >>> source = Sample(image, Instances(masks=RleMasks.from_dense(square), labels=[5]))
    >>> target = Sample(np.zeros_like(image), Instances())
    >>> copy_paste = SimpleCopyPaste(size=64, source_scale=(1.0, 1.0), flip=0.0)
    >>> result = copy_paste(target, source, rng=(0, 0, 7))
    >>> result.instances.labels, result.instances.masks.area
    (array([5]), array([400]))
    """

    __slots__ = ("_never",)

    _never: tuple[str, ...]
    """Flags of rows that are never pasted, besides crowds."""

    def __init__(
        self,
        *,
        size: _checks.Size,
        target_scale: Scale = "large",
        source_scale: Scale = "large",
        flip: SupportsFloat = 0.5,
        select: Select = "subset",
        placement: str = "jitter",
        blend_sigma: Sigma = None,
        p: SupportsFloat = 1.0,
        fill: _checks.Fill = None,
        pad: str = "top_left",
        interpolation: str = "bilinear",
        antialias: bool | np.bool_ = True,
        scale_reference: str = "fit",
        min_area: SupportsIndex = 0,
        min_visibility: SupportsFloat = 0.0,
        on_hidden: str = "drop",
        missing: Mapping[str, Any] | None = None,
        flip_pairs: Sequence[tuple[SupportsIndex, SupportsIndex]] | None = None,
        class_weights: ClassWeights | None = None,
        paste_boxes: bool | np.bool_ = False,
        paste_pseudo: bool | np.bool_ = False,
        backend: str = "rust",
    ) -> None:
        arguments = frozen_arguments(locals())
        self._put(
            _arguments=arguments,
            _backend=backend_of(backend),
            _options=Options.check(
                fill=arguments["fill"],
                interpolation=interpolation,
                antialias=antialias,
                min_area=min_area,
                min_visibility=min_visibility,
                on_hidden=on_hidden,
                missing=arguments["missing"],
                flip_pairs=arguments["flip_pairs"],
            ),
            _planning=PlanOptions.check(
                size=size,
                target_scale=arguments["target_scale"],
                source_scale=arguments["source_scale"],
                flip=flip,
                select=select,  # type: ignore[arg-type]  # a rule of the user's own is bound to samples later
                placement=placement,
                blend_sigma=arguments["blend_sigma"],
                p=p,
                pad=pad,
                scale_reference=scale_reference,
                class_weights=arguments["class_weights"],
            ),
        )
        arguments["flip_pairs"] = self._options.flip_pairs
        pasted = {"box_only": _checks.flag("paste_boxes", paste_boxes)}
        pasted["pseudo"] = _checks.flag("paste_pseudo", paste_pseudo)
        self._put(_never=tuple(name for name, is_pasted in pasted.items() if not is_pasted))
        h, w = self._planning.canvas
        weights = self._planning.class_weights
        if self._planning.p == 0:
            _warn("p=0: nothing will ever be pasted")
        elif self._options.min_area > h * w:
            _warn(f"min_area={min_area}: nothing will ever be pasted on a canvas of {h * w} pixels")
        elif isinstance(weights, Mapping) and weights and not any(weights.values()):
            _warn("class_weights: all are 0, so that nothing will be pasted but objects of labels that are not named")

    def sample_plan(self, target: Sample, sources: Sample | Sequence[Sample], rng: draws.Rng = None) -> Plan:
        """Draw a plan for a target and its sources.

        Parameters
        ----------
        target : Sample
            The image that is pasted on.
        sources : Sample or sequence of Sample
            The images whose objects are pasted, in order.
        rng : None, int, sequence of 1 to 3 ints, or numpy.random.Generator
            The key of the draws: ``seed``, ``(seed, epoch)``, ``(seed, epoch, index)``; a generator gives
            four words; None takes fresh entropy. The same key gives the same plan, anywhere.
        """
        size = call.check_sample("target", target).size
        given = call.samples(sources)
        options, select = self._planning, self._planning.choose
        for sample in (target, *given):
            check_flips(self._options, options.flip, sample)
        drawn_from = [plan_source(("sources", i), source, self._never) for i, source in enumerate(given)]
        if select is not None:
            options = options._replace(choose=lambda number, rows, rng: select(given[number], rows, rng))  # type: ignore[arg-type]
        weigh = options.class_weights
        if weigh is not None and callable(weigh):
            options = options._replace(class_weights=lambda number: weigh(given[number].instances))  # type: ignore[arg-type]
        return self._draw_plan(options, size, drawn_from, rng)

    def apply(
        self, plan: Plan, target: Sample, sources: Sample | Sequence[Sample], *, out: NDArray[Any] | None = None
    ) -> Sample:
        """Apply `plan`.

        Parameters
        ----------
        plan : Plan
            From `sample_plan` or written by hand, for this transform's canvas.
        target, sources
            The samples it was made for. They are read, never written.
        out : array, optional
            Takes the image: canvas shape, the images' dtype, C-contiguous, apart from all inputs.

        Returns
        -------
        Sample
            The image; rows of the target that are left, then those pasted; every column, and
            ``source`` (-1 for the target), ``source_row`` and ``visibility``; the target's info; every map, moved as
            the image and pasted hard, with its fill and interpolation.

        Raises
        ------
        ValueError, TypeError
            When plan and samples do not fit each other. Nothing has been written then.
        """
        self._check_plan(plan)
        return call.apply(self._backend._compose, self._options, plan, target, call.samples(sources), out)

    def _check_plan(self, plan: Plan) -> None:
        call.check_canvas(plan, self._planning.canvas)

    def apply_batch(
        self,
        plans: Sequence[Plan],
        targets: Sequence[Sample],
        sources: Sequence[Sample | Sequence[Sample]],
        *,
        threads: SupportsIndex = 1,
        out: NDArray[Any] | None = None,
    ) -> Batch:
        """Apply plan i to target i and sources i, for all of a batch in one call.

        Parameters
        ----------
        plans, targets, sources
            As many of each; every entry as `apply` takes it. All images are of one dtype and number of channels, and
            all have the same maps.
        threads : int
            Threads to work on; never more than this process may use, nor than the
            environment variable ``COPYPASTE_RS_THREADS`` says. They share large images too, where those left are
            fewer. The result does not depend on it. They are kept for the next call; a forked process starts its own.
            A data loader with worker processes has its parallelism already: leave this at 1 there.
        out : array, optional
            Takes the images: shape (B, H, W) or (B, H, W, C), the images' dtype, C-contiguous, apart from all
            inputs.

        Returns
        -------
        Batch
            ``.images``, ``.instances``, ``.infos`` and ``.maps``; ``batch[i]`` is what `apply` gives for item i.

        Raises
        ------
        ValueError, TypeError
            When something does not fit; the message names the item. Nothing has been written then: all items are
            checked and all masks read before the first pixel is.

        Examples
        --------
        >>> import numpy as np
        >>> from copypaste_rs import Instances, Sample, SimpleCopyPaste
        >>> photos = [Sample(np.full((48, 64, 3), v, np.uint8), Instances()) for v in (10, 200)]
        >>> augment = SimpleCopyPaste(size=32)
        >>> plans = [augment.sample_plan(photo, photos, (0, 0, i)) for i, photo in enumerate(photos)]
        >>> augment.apply_batch(plans, photos, [photos, photos], threads=2).images.shape
        (2, 32, 32, 3)
        """
        made = apply_batch(self, plans, targets, sources, threads, out)
        return Batch(made.images, [s.instances for s in made.samples], [s.info for s in made.samples], made.maps)

    def __call__(
        self,
        target: Sample,
        sources: Sample | Sequence[Sample],
        rng: draws.Rng = None,
        *,
        out: NDArray[Any] | None = None,
    ) -> Sample:
        """Draw a plan and apply it."""
        return self.apply(self.sample_plan(target, sources, rng), target, sources, out=out)


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=3)
