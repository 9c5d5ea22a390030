"""The transforms: draw a plan, apply it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, final

from copypaste_rs import _checks, _fills, _operation, draws
from copypaste_rs._batch import Batch, apply_batch
from copypaste_rs._options import (
    Scale,
    Sigma,
    checked_backend,
    checked_jitter,
    checked_select,
    checked_sigma,
    frozen_arguments,
)
from copypaste_rs._planning import (
    PASTE,
    TARGET_JITTER,
    TARGET_WORDS,
    DrawOptions,
    PastePlanner,
    Select,
    draw_compiled,
    fits_float32,
    word_count,
)
from copypaste_rs._transform import Transform
from copypaste_rs.plan import Paste, Plan
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


@final
class ScaleJitter(Transform):
    """Scale jitter alone: resize by a random factor, mirror, crop or pad to a fixed size.

    What `SimpleCopyPaste` does to its target, for pipelines and images without pasting.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the canvas; one int is a square.
    scale : {"large", "standard"} or (float, float)
        Range of the scale factor: (0.1, 2.0), (0.8, 1.25), or your own.
    flip : float
        Probability of mirroring left to right.
    fill : float, sequence of float, optional
        Value where no image lands, one or one for each channel; None is mid-grey (128, 32768, 0.5).
    pad : {"top_left", "random"}
        Where an image smaller than the canvas lies.
    interpolation : {"bilinear", "nearest"}
        How pixels are resampled. Masks always take the nearest.
    antialias : bool
        Whether shrinking averages all pixels it covers (as Pillow) or takes two taps an axis (as OpenCV).
    scale_reference : {"fit", "input"}
        What scale 1 means: the image just fits the canvas, or keeps its size.
    min_area : int
        Rows, other than crowds, with fewer pixels are dropped.
    backend : {"rust", "numpy"}
        Which of the two equal implementations runs.

    Examples
    --------
    >>> import numpy as np
    >>> from copypaste_rs import Instances, Sample, ScaleJitter
    >>> jitter = ScaleJitter(size=(64, 96), scale=(0.5, 2.0))
    >>> jitter(Sample(np.zeros((48, 64, 3), np.uint8), Instances()), rng=0).size
    (64, 96)
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        size: _checks.Size,
        scale: Scale = "large",
        flip: SupportsFloat = 0.5,
        fill: _fills.Fill = None,
        pad: str = "top_left",
        interpolation: str = "bilinear",
        antialias: bool | np.bool_ = True,
        scale_reference: str = "fit",
        min_area: SupportsIndex = 0,
        backend: str = "rust",
    ) -> None:
        arguments = frozen_arguments(locals())
        self._put(
            _arguments=arguments,
            _jitter=checked_jitter(arguments, "scale"),
            _options=_operation.Options.check(
                fill=arguments["fill"], interpolation=interpolation, antialias=antialias, min_area=min_area
            ),
            backend=checked_backend(backend),
        )
        self._put(_drawing=DrawOptions.of(self._jitter, None, 0.0) if self.backend == "rust" else None)

    def sample_plan(self, sample: Sample, rng: draws.Rng = None) -> Plan:
        """Draw a plan for `sample`: a placement, no pastes.

        The same key gives the same target placement as `SimpleCopyPaste` with the same settings.
        """
        _check_sample("sample", sample)
        key = draws.resolve(rng)
        if self._drawing is not None:
            return draw_compiled(self._drawing, key, sample.size, [])
        words = draws.words(key, draws.PLAN_STREAM, TARGET_WORDS, self.backend)
        return Plan(self._jitter.draw(words[TARGET_JITTER], sample.size))

    def apply(self, plan: Plan, sample: Sample, *, out: NDArray[Any] | None = None) -> Sample:
        """Apply `plan` to `sample`; into `out`, when given, an array of the canvas's shape."""
        _check_sample("sample", sample)
        _operation.check_canvas(plan, self._jitter.canvas)
        if isinstance(plan, Plan) and plan.pastes:
            raise ValueError(f"plan: expected no pastes, got {len(plan.pastes)}; SimpleCopyPaste applies them")
        return _operation.apply(self._compose(), self._options, plan, sample, [], out, "sample")

    def __call__(self, sample: Sample, rng: draws.Rng = None, *, out: NDArray[Any] | None = None) -> Sample:
        """Draw a plan and apply it."""
        return self.apply(self.sample_plan(sample, rng), sample, out=out)


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
        As in `ScaleJitter`.
    min_area : int
        Objects with fewer pixels on the canvas are not pasted, and rows left with fewer are dropped.
    min_visibility : float
        Rows of which a smaller part is left visible are dropped, 0 to 1. Crowds are exempt.
    on_hidden : {"drop", "crowd"}
        What becomes of rows below these limits: gone, or marked as crowd while a pixel is left.
    missing : mapping, optional
        Values for columns that only one side has, such as ``{"score": 1.0}``.

    Warns
    -----
    UserWarning
        When the settings can never paste anything.

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

    __slots__ = ()

    _p: float
    _pastes: PastePlanner

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
        fill: _fills.Fill = None,
        pad: str = "top_left",
        interpolation: str = "bilinear",
        antialias: bool | np.bool_ = True,
        scale_reference: str = "fit",
        min_area: SupportsIndex = 0,
        min_visibility: SupportsFloat = 0.0,
        on_hidden: str = "drop",
        missing: Mapping[str, Any] | None = None,
        backend: str = "rust",
    ) -> None:
        arguments = frozen_arguments(locals())
        source_jitter = checked_jitter(arguments, "source_scale")
        uniform = _checks.choice("placement", placement, ("jitter", "uniform")) == "uniform"
        self._put(
            _arguments=arguments,
            _jitter=checked_jitter(arguments, "target_scale"),
            _pastes=PastePlanner(
                source_jitter, checked_select(select), uniform, checked_sigma(arguments["blend_sigma"])
            ),
            _options=_operation.Options.check(
                fill=arguments["fill"],
                interpolation=interpolation,
                antialias=antialias,
                min_area=min_area,
                min_visibility=min_visibility,
                on_hidden=on_hidden,
                missing=arguments["missing"],
            ),
            backend=checked_backend(backend),
        )
        chance = _checks.real("p", p, 0.0, 1.0)
        self._put(_drawing=DrawOptions.of(self._jitter, self._pastes, chance) if self.backend == "rust" else None)
        h, w = self._jitter.canvas
        self._put(_p=chance)
        if chance == 0:
            _warn("p=0: nothing will ever be pasted")
        elif self._options.min_area > h * w:
            _warn(f"min_area={min_area}: nothing will ever be pasted on a canvas of {h * w} pixels")

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
        _check_sample("target", target)
        givers = _operation.samples(sources)
        for i, source in enumerate(givers):
            if len(source.instances) and source.instances.masks is None:
                raise ValueError(
                    f"sources[{i}]: expected masks for its {len(source.instances)} instances, got none "
                    "(boxes alone are not supported)"
                )
        key = draws.resolve(rng)
        if self._drawing is not None and all(fits_float32(giver.size) for giver in givers):
            return draw_compiled(self._drawing, key, target.size, givers)
        words = draws.words(key, draws.PLAN_STREAM, word_count(givers), self.backend)
        placement = self._jitter.draw(words[TARGET_JITTER], target.size)
        pastes: list[Paste] = []
        if draws.uniform(words[PASTE]) < self._p:
            start = TARGET_WORDS
            for number, source in enumerate(givers):
                stop = start + word_count([source]) - TARGET_WORDS
                pastes += self._pastes.draw(number, source, words[start:stop], key)
                start = stop
        return Plan(placement, tuple(pastes))

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
            ``source`` (-1 for the target), ``source_row`` and ``visibility``; the target's info.

        Raises
        ------
        ValueError, TypeError
            When plan and samples do not fit each other. Nothing has been written then.
        """
        _operation.check_canvas(plan, self._jitter.canvas)
        return _operation.apply(self._compose(), self._options, plan, target, _operation.samples(sources), out)

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
            As many of each; every entry as `apply` takes it. All images are of one dtype and number of channels.
        threads : int
            Threads to work on, the calling one included; never more than this process may use, nor than the
            environment variable ``COPYPASTE_RS_THREADS`` says. They share large images too, where those left are
            fewer. The result does not depend on it. They are kept for the next call; a forked process starts its own.
            A data loader with worker processes has its parallelism already: leave this at 1 there.
        out : array, optional
            Takes the images: shape (B, H, W) or (B, H, W, C), the images' dtype, C-contiguous, apart from all
            inputs.

        Returns
        -------
        Batch
            ``.images``, ``.instances`` and ``.infos``; ``batch[i]`` is what `apply` gives for item i.

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
        made = apply_batch(self.backend, self._options, self._jitter.canvas, plans, targets, sources, threads, out)
        return Batch(made.images, [s.instances for s in made.samples], [s.info for s in made.samples])

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


def _check_sample(name: str, sample: object) -> None:
    if not isinstance(sample, Sample):
        raise TypeError(f"{name}: expected a Sample, got {type(sample).__name__}")
