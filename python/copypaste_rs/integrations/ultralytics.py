"""Copy-paste in a training by Ultralytics: a callback.

Nothing of Ultralytics, which is under the AGPL, is imported; torch, which it brings, is.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any, SupportsIndex, final

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.integrations._class_labels import weights_by_class, with_names
from copypaste_rs.integrations._ultralytics_chain import PasteStep, is_mirror, with_paste
from copypaste_rs.transforms import SimpleCopyPaste

__all__ = ["CopyPasteCallback", "copy_paste"]

EVENT = "on_train_epoch_start"
EVENTS = ("on_pretrain_routine_end", "on_train_start", EVENT)
"""Events after which the loader has yet to begin with an epoch."""

TASKS = ("segment", "detect")
DEFAULTS: dict[str, Any] = {"target_scale": (1.0, 1.0), "fill": 114, "pad": "random"}
"""Options that differ from `SimpleCopyPaste`: Ultralytics has moved the image before, and its grey is 114."""

LEAST_SCALE = 0.1
"""Smallest scale of a source, where the training's own ``scale`` would allow 0."""


def copy_paste(*, num_sources: SupportsIndex = 1, off_for_last: SupportsIndex = 0, **options: Any) -> CopyPasteCallback:
    """A callback that pastes objects of other photographs of the training set into each training image.

    ``model.add_callback("on_train_epoch_start", copy_paste(min_area=16))`` is all; `CopyPasteCallback` says what it
    does.

    Parameters
    ----------
    num_sources : int
        Photographs whose objects are pasted into one image.
    off_for_last : int
        Epochs at the end of the training in which nothing is pasted.
    **options
        Options of `SimpleCopyPaste` but `size`, which is the training's ``imgsz``. Defaults are those of the training:
        `source_scale` its ``scale``, `flip` its ``fliplr``, and `fill` 114; `target_scale` is (1, 1), as the image was
        scaled before, and `pad` ``"random"``, so that small sources lie anywhere. Keys of `class_weights` are names, or
        classes as ``data.yaml`` numbers them, from 0.

    Returns
    -------
    CopyPasteCallback
        What ``add_callback`` takes.

    Raises
    ------
    ValueError, TypeError
        When an option is wrong.

    Examples
    --------
    >>> copy_paste(min_area=16, off_for_last=10)
    copy_paste(num_sources=1, off_for_last=10, min_area=16)
    """
    return CopyPasteCallback(num_sources, off_for_last, options)


@final
class CopyPasteCallback:
    """Callback of `copy_paste`, for the event ``on_train_epoch_start`` of a training by Ultralytics.

    Called with the trainer, it puts copy-paste into the transforms of the training set: behind mosaic, perspective,
    MixUp and CutMix, which stay as the training's settings have them, and before colours. It stays there when mosaic is
    closed, and is put into a loader that is built anew, as after a lack of memory. Validation is left alone.

    Objects come from a photograph drawn from the whole training set, scaled and mirrored by itself. What they cover is
    cut from the masks below, and what is hidden is dropped. Masks are drawn from runs, so holes, parts and cuts stay;
    polygons that the training's own steps have moved are filled by COCO's rule.

    Parameters
    ----------
    num_sources, off_for_last, options
        As `copy_paste` takes them.

    Raises
    ------
    ValueError, TypeError
        When called: with no trainer, or one of another task than ``segment`` and ``detect``; when the version of
        Ultralytics does not fit, a label or a key of `class_weights` is none of the model's classes, objects have boxes
        and no outlines (unless ``paste_boxes=True``), or `off_for_last` leaves no epoch; when the event is one of the
        middle of an epoch or later, or another `copy_paste` was added before.

    Warns
    -----
    UserWarning
        When Ultralytics' own ``copy_paste`` is set, which is left out then; when fewer than two images have objects.
    """

    def __init__(self, num_sources: SupportsIndex, off_for_last: SupportsIndex, options: Mapping[str, Any]) -> None:
        self._num_sources = _checks.integer("num_sources", num_sources, 1, 1000)
        self._off_for_last = _checks.integer("off_for_last", off_for_last, 0, 2**31 - 1)
        if "size" in options:
            raise wrong("size", "no size: the canvas is imgsz of the training", repr(options["size"]))
        if "seed" in options:
            raise wrong("seed", "no seed: train(seed=...) determines what is drawn", repr(options["seed"]))
        self._options = dict(options)
        unnamed = {"class_weights": None} if with_names(options) else {}
        SimpleCopyPaste(size=64, **DEFAULTS | self._options | unnamed)

    def __call__(self, trainer: Any) -> None:
        """Put copy-paste into the training set of a trainer, once for each; switch it off for the last epochs."""
        loader = getattr(trainer, "train_loader", None)
        dataset = getattr(loader, "dataset", None)
        if dataset is None or not hasattr(trainer, "args"):
            expected = f"a trainer of ultralytics with its training set, as the event {EVENT} has it"
            raise wrong_type("trainer", expected, type(trainer).__name__)
        for event, calls in trainer.callbacks.items():
            if event not in EVENTS and any(each is self for each in calls):
                raise wrong("event", f"{EVENT} for the callback copy_paste", event)
        rebuild = vars(dataset).get("build_transforms")
        if not isinstance(rebuild, _Rebuild):
            rebuild = _Rebuild(dataset, self._step(trainer, dataset), repr(self))
            dataset.build_transforms = rebuild
            dataset.transforms.transforms = with_paste(list(dataset.transforms.transforms), rebuild.paste)
            self._again(loader)
        elif rebuild.given != repr(self):
            expected = f"one copy_paste in a training; model.clear_callback({EVENT!r}) takes out earlier ones"
            raise wrong("callbacks", expected, f"{rebuild.given} and {self!r}")
        if not any(
            each is self for each in trainer.callbacks[EVENT]
        ):  # the loader may be built anew after any other event
            trainer.add_callback(EVENT, self)
        on = getattr(trainer, "epoch", 0) < trainer.epochs - self._off_for_last
        if rebuild.paste.on != on:
            rebuild.paste.on = on
            self._again(loader)
            if not on:
                logging.getLogger("ultralytics").info("copypaste_rs: nothing is pasted from this epoch on")

    @staticmethod
    def _again(loader: Any) -> None:
        """Let go of workers that have the data set as it was."""
        if hasattr(loader, "reset"):
            loader.reset()

    def _step(self, trainer: Any, dataset: Any) -> PasteStep:
        """The step that pastes, when trainer and data set were found to fit."""
        args = trainer.args
        if args.task not in TASKS:
            raise wrong("task", f"one of {', '.join(map(repr, TASKS))}", repr(args.task))
        steps = getattr(getattr(dataset, "transforms", None), "transforms", None)
        needed = ("labels", "im_files", "build_transforms", "get_image_and_label")
        missing = [name for name in needed if not hasattr(dataset, name)]
        if missing or not isinstance(steps, list) or not steps or type(steps[-1]).__name__ != "Format":
            names = [type(step).__name__ for step in steps or ()]
            got = f"{type(dataset).__name__} with {', '.join(names) or 'none'}" + "".join(
                f", without {name}" for name in missing
            )
            expected = "transforms that end in Format, as those of YOLODataset of ultralytics 8.3 and 8.4 do"
            raise wrong("trainer.train_loader.dataset", expected, got)
        others = [name for step in steps if (name := type(step).__name__).startswith(("RandomLoadText", "LoadVisual"))]
        if others:
            raise wrong("trainer.train_loader.dataset", "a training with the classes of the data set", others[0])
        self._check_labels(dataset, len(dataset.data["names"]))
        if not self._off_for_last < trainer.epochs:
            raise wrong("off_for_last", f"fewer than all epochs ({trainer.epochs})", str(self._off_for_last))
        if own := getattr(args, "copy_paste", 0.0):
            message = f"copy_paste={own} of the training is left out: copypaste_rs takes its place"
            warnings.warn(message, UserWarning, stacklevel=3)
        options = DEFAULTS | {"source_scale": _range(args.scale), "flip": _mirror(steps)} | self._options
        if isinstance(weights := options.get("class_weights"), Mapping):
            options["class_weights"] = weights_by_class(weights, dataset.data["names"])
        upright = [step for step in steps if is_mirror(step, "vertical")]
        step = PasteStep(dataset, options, self._num_sources, upright)
        n = len(step.with_objects)
        if n < 2:
            message = f"{n} images of the training set have objects: nothing is pasted into these, or into any"
            warnings.warn(message, UserWarning, stacklevel=3)
        logging.getLogger("ultralytics").info("copypaste_rs: objects of %d photographs are pasted", n)
        return step

    def _check_labels(self, dataset: Any, classes: int) -> None:
        """Refuse labels that the model has no class for, and boxes without outlines that nobody asked to paste."""
        boxes = outlines = 0
        for i, label in enumerate(dataset.labels):
            numbers = label["cls"]
            if len(numbers) and not 0 <= numbers.min() <= numbers.max() < classes:
                got = f"{int(numbers.min())} to {int(numbers.max())} in {dataset.im_files[i]}"
                raise wrong("labels", f"classes from 0 to {classes - 1}, as data.yaml names them", got)
            boxes += len(label["bboxes"])
            outlines += len(label.get("segments", ()))
        if boxes > outlines and not self._options.get("paste_boxes", False):
            expected = "an outline of each object (paste_boxes=True pastes rectangles, with what is in them)"
            raise wrong("labels", expected, f"{boxes} boxes and {outlines} outlines")

    def __repr__(self) -> str:
        options = {"num_sources": self._num_sources, "off_for_last": self._off_for_last, **self._options}
        return f"copy_paste({', '.join(f'{name}={value!r}' for name, value in options.items())})"


class _Rebuild:
    """In the place of ``build_transforms`` of a data set, which ``close_mosaic`` calls; ``given`` says by whom."""

    def __init__(self, dataset: Any, paste: PasteStep, given: str) -> None:
        self.dataset = dataset
        self.paste = paste
        self.given = given

    def __call__(self, hyp: Any) -> Any:
        chain = type(self.dataset).build_transforms(self.dataset, hyp)
        chain.transforms = with_paste(list(chain.transforms), self.paste)
        return chain


def _range(scale: Any) -> tuple[float, float]:
    """Range of scales that ``scale`` of the training means: a share of 1, or a pair."""
    low, high = scale if isinstance(scale, tuple | list) else (1 - scale, 1 + scale)
    return max(float(low), LEAST_SCALE), max(float(high), LEAST_SCALE)


def _mirror(steps: list[Any]) -> float:
    """Probability of the chain's mirror images."""
    return next((float(step.p) for step in steps if is_mirror(step, "horizontal")), 0.0)
