"""Scale jitter alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, final

from copypaste_rs._checks import wrong
from copypaste_rs._engine import call
from copypaste_rs._engine.options import Options
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.plan import Plan
from copypaste_rs.plan_options import PlanOptions
from copypaste_rs.transforms.backend import backend_of
from copypaste_rs.transforms.base import Transform, check_flips, frozen_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from copypaste_rs import _checks, draws
    from copypaste_rs.plan_options import Scale
    from copypaste_rs.sample import Sample


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
    fill : float, sequence of float, "edge" or "min", optional
        Value where no image lands, one or one for each channel; None is mid-grey (128, 32768, 0.5). The two that the
        image decides are for dark fields, as those of fluorescence: "edge" continues its outermost pixels, as they are
        resized, over the canvas; "min" is the smallest value of each channel of the image.
    pad : {"top_left", "random"}
        Where an image smaller than the canvas lies.
    interpolation : {"bilinear", "nearest"}
        How pixels are resampled. Masks always take the nearest.
    antialias : bool
        Whether shrinking averages all pixels it covers (as Pillow) or is plain bilinear, two taps an axis (as OpenCV).
    scale_reference : {"fit", "input"}
        What scale 1 means: the image just fits the canvas, or keeps its size.
    min_area : int
        Rows, other than crowds, with fewer pixels are dropped.
    flip_pairs : sequence of (int, int), optional
        Numbers of keypoints that a mirror image exchanges, such as left and right eye; () for none. Samples with
        keypoints are refused without, unless `flip` is 0.
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
        fill: _checks.Fill = None,
        pad: str = "top_left",
        interpolation: str = "bilinear",
        antialias: bool | np.bool_ = True,
        scale_reference: str = "fit",
        min_area: SupportsIndex = 0,
        flip_pairs: Sequence[tuple[SupportsIndex, SupportsIndex]] | None = None,
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
                flip_pairs=arguments["flip_pairs"],
            ),
        )
        arguments["flip_pairs"] = self._options.flip_pairs
        with _scale_named():
            planning = PlanOptions.check(
                size=size, target_scale=arguments["scale"], flip=flip, p=0.0, pad=pad, scale_reference=scale_reference
            )
        self._put(_planning=planning)

    def sample_plan(self, sample: Sample, rng: draws.Rng = None) -> Plan:
        """Draw a plan for `sample`: a placement, no pastes.

        The same key gives the same target placement as `SimpleCopyPaste` with the same settings.
        """
        size = call.check_sample("sample", sample).size
        check_flips(self._options, self._planning.flip, sample)
        with _scale_named():
            return self._draw_plan(self._planning, size, (), rng)

    def apply(self, plan: Plan, sample: Sample, *, out: NDArray[Any] | None = None) -> Sample:
        """Apply `plan` to `sample`; into `out`, when given, an array of the canvas's shape."""
        call.check_sample("sample", sample)
        self._check_plan(plan)
        return call.apply(self._backend._compose, self._options, plan, sample, [], out, "sample")

    def _check_plan(self, plan: Plan) -> None:
        call.check_canvas(plan, self._planning.canvas)
        if isinstance(plan, Plan) and plan.pastes:
            raise wrong("plan", "no pastes (SimpleCopyPaste applies them)", str(len(plan.pastes)))

    def __call__(self, sample: Sample, rng: draws.Rng = None, *, out: NDArray[Any] | None = None) -> Sample:
        """Draw a plan and apply it."""
        return self.apply(self.sample_plan(sample, rng), sample, out=out)


@contextmanager
def _scale_named() -> Iterator[None]:
    """Errors about the range of the target's scale, which is an argument of another name here."""
    try:
        yield
    except (ArgumentError, ArgumentTypeError) as error:
        if error.argument != "target_scale":
            raise
        raise error.renamed("scale", error.index) from None
