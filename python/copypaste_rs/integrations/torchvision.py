"""Copy-paste and scale jitter in the habits of torchvision: a collate function, and a transform (v2).

``pip install torch torchvision`` brings what is needed. Where every item has to be reproducible whatever the loader
does, `copypaste_rs.datasets.CopyPasteDataset` with `copypaste_rs.integrations.torch.collate` is the way.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, SupportsIndex, final

from copypaste_rs import _checks
from copypaste_rs._checks import wrong_type
from copypaste_rs.datasets._extras import needed
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.transforms import ForTraining, SimpleCopyPaste
from copypaste_rs.transforms import ScaleJitter as JitterTransform

with needed("pip install torch torchvision brings what copypaste_rs.integrations needs"):
    import torch
    from torch.utils.data import get_worker_info
    from torchvision.transforms import v2

    from copypaste_rs.integrations.target_dicts import TargetForm, image_like

if TYPE_CHECKING:
    from collections.abc import Sequence

    from copypaste_rs.sample import Sample

__all__ = ["CopyPasteCollate", "ScaleJitter"]


@final
class CopyPasteCollate:
    """Copy-paste on a batch, called as ``copypaste_collate_fn`` of torchvision's training scripts: a ``collate_fn``.

    Each item of the batch gets objects of the item before it, the first those of the last. Transforms of single images
    come before it, in the data set, or are called on each item after it.

    A target is a dict. ``masks``, (N, H, W), have to be there; ``boxes`` and ``area`` are measured on the masks that
    are left. ``labels``, ``iscrowd`` and each further entry with one row for each object (`columns`) go with the
    objects, ``keypoints`` as torchvision has them too; a ``tv_tensors.Mask`` (H, W) is a map, pasted as images are.
    All other entries stay those of the image that is pasted on, but for ``segmentation`` and ``bbox``, which would say
    where objects were. Crowds are never pasted. Tensors keep their dtype and their class (``tv_tensors``). A target
    that has nothing but ``image_id``, ``size`` and ``orig_size`` is one without objects.

    Parameters
    ----------
    seed : int, optional
        None draws from torch's generator, which a data loader seeds in each of its workers, in each epoch, from its
        own: ``torch.manual_seed`` before the loop, or the loader's ``generator=``, and the number of workers say what
        is drawn. An int draws apart from what others draw of that generator: in this process from `seed` and the number
        of the batch, in a worker from the seed that the loader gave it, too.
    columns : sequence of str, optional
        Names of the further entries that have one row for each object. None takes tensors, arrays and lists that have
        as many rows as there are objects in all targets of the batch; ``image_id``, ``size`` and ``orig_size`` never.
    **options
        Options of `SimpleCopyPaste`; `size` is the canvas, height and width.

    Raises
    ------
    ValueError, TypeError
        When an option is wrong; when called with an item without masks, or whose parts do not fit: it is named.

    Warns
    -----
    UserWarning
        Once, when a batch has one item: nothing is pasted then.

    Examples
    --------
    >>> import torch
    >>> masks = torch.zeros((1, 24, 32), dtype=torch.uint8)
    >>> masks[0, 4:20, 8:24] = 1
    >>> batch = [
    ...     (torch.full((3, 24, 32), v, dtype=torch.uint8), {"masks": masks, "labels": torch.tensor([v])})
    ...     for v in (50, 90)
    ... ]
    >>> make = CopyPasteCollate(size=32, target_scale=(1, 1), source_scale=(0.5, 0.5), flip=0, seed=1)
    >>> images, targets = make(batch)
    >>> images[0].shape, [target["labels"].tolist() for target in targets]
    (torch.Size([3, 32, 32]), [[50, 90], [90, 50]])
    """

    def __init__(
        self, *, seed: SupportsIndex | None = None, columns: Sequence[str] | None = None, **options: Any
    ) -> None:
        self._seed = None if seed is None else _checks.integer("seed", seed, 0, 2**64 - 1)
        self._columns = None if columns is None else [str(name) for name in _checks.items("columns", columns)]
        self._transform = SimpleCopyPaste(**options)
        self._ready = _ready(self._transform)
        self._drawn = (0, 0)  # seed of the worker, and batches that were made there
        self._warned = False

    def __call__(self, batch: Sequence[tuple[Any, dict[str, Any]]]) -> tuple[list[Any], list[dict[str, Any]]]:
        """Images and targets of the batch, with objects pasted."""
        items = _checks.items("batch", batch)
        for i, each in enumerate(items):
            if not isinstance(each, tuple | list) or len(each) != 2:
                raise wrong_type(("batch", i), "a pair of image and target", type(each).__name__)
        if len(items) == 1 and not self._warned:
            self._warned = True
            warnings.warn("batch: of one item, so that nothing is pasted into it", UserWarning, stacklevel=2)
        form = TargetForm([target for _, target in items], self._columns)
        samples = [form.sample(("batch", i), image, target) for i, (image, target) in enumerate(items)]
        images, targets = [], []
        for i, key in enumerate(self._keys(len(items))):
            image, target = items[i]
            partners = [samples[i - 1]] if len(items) > 1 and _has_objects(samples[i - 1]) else []
            try:
                made = self._ready[str(samples[i].image.dtype)](samples[i], partners, key)
            except (ArgumentError, ArgumentTypeError) as error:
                raise error.of_item(i) from None
            images.append(image_like(image, made.image))
            targets.append(form.target(made, target))
        return images, targets

    def _keys(self, n: int) -> list[Any]:
        if self._seed is None:
            drawn: list[int] = torch.randint(2**63 - 1, (n,)).tolist()
            return drawn
        worker = get_worker_info()
        of_worker = 0 if worker is None else worker.seed % 2**64
        number = self._drawn[1] if self._drawn[0] == of_worker else 0
        self._drawn = (of_worker, number + 1)
        return [(self._seed, of_worker, number << 32 | i) for i in range(n)]

    def __repr__(self) -> str:
        return f"CopyPasteCollate({self._transform!r}, seed={self._seed}, columns={self._columns})"


@final
class ScaleJitter(v2.Transform):  # type: ignore[misc]  # torch is not there where types are checked
    """Scale jitter as a transform of torchvision (v2): resize by a random factor, mirror, crop or pad to the canvas.

    What `copypaste_rs.ScaleJitter` does, drawn from torch's generator. torchvision's own ``v2.ScaleJitter`` takes the
    first number of its ``target_size`` for the width in one place and for the height in another, so that canvases that
    are not square come out wrong, and it neither crops nor pads; `size` here is height and width throughout.

    It is called with an image, or with an image and a target, as in ``v2.Compose``. The image is a tensor (C, H, W),
    uint8 or float32. A target is a dict with ``masks``, or with ``boxes`` alone, which become whole pixels; rows that
    land beyond the canvas, or have fewer pixels than `min_area`, are dropped from every entry with one row for each
    object. Entries are told apart as `CopyPasteCollate` does.

    Parameters
    ----------
    columns : sequence of str, optional
        As `CopyPasteCollate` takes them.
    **options
        Options of `copypaste_rs.ScaleJitter`: `size`, `scale` and so on.

    Examples
    --------
    >>> import torch
    >>> image = torch.zeros((3, 512, 1024), dtype=torch.uint8)
    >>> ScaleJitter(size=(512, 1024), scale=(1, 1))(image).shape
    torch.Size([3, 512, 1024])
    """

    def __init__(self, *, columns: Sequence[str] | None = None, **options: Any) -> None:
        super().__init__()
        self._columns = None if columns is None else [str(name) for name in _checks.items("columns", columns)]
        self._jitter = JitterTransform(**options)
        self._ready = _ready(self._jitter)

    def forward(self, *inputs: Any) -> Any:
        """The image, or the image and its target, on the canvas; in the structure in which they were given."""
        parts = inputs[0] if len(inputs) == 1 else inputs
        alone = not isinstance(parts, tuple | list)
        if not alone and len(parts) != 2:
            raise wrong_type("inputs", "an image, or an image and a target", f"{len(parts)} things")
        image, target = (parts, {}) if alone else parts
        form = TargetForm([target], self._columns, boxes_do=True, argument="inputs")
        sample = form.sample("inputs", image, target)
        # Rows cannot be dropped leaf by leaf, which is why `forward` is overridden, as by torchvision's `MixUp`.
        key = int(torch.randint(2**63 - 1, (1,)))
        made = self._ready[str(sample.image.dtype)](sample, rng=key)
        result = image_like(image, made.image)
        if alone:
            return result
        rows = {"masks", "boxes"} & set(target)
        return type(parts)((result, form.target(made, target) if rows else {**target, **form.maps(made, target)}))

    def extra_repr(self) -> str:
        """Options, which ``repr`` shows between the brackets."""
        return repr(self._jitter)


def _ready(transform: SimpleCopyPaste | JitterTransform) -> dict[str, ForTraining]:
    """The transform with results as tensors have them, channels first and unscaled, by the dtype of the image."""
    return {name: ForTraining(transform, layout="chw", dtype=name, scale=False) for name in ("uint8", "float32")}


def _has_objects(sample: Sample) -> bool:
    return len(sample.instances.without_crowds()) > 0
