"""The backend of a transform: one of the two equal implementations, chosen once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from copypaste_rs import _checks

if TYPE_CHECKING:
    from collections.abc import Callable

    from copypaste_rs._engine.call import Call, Compose
    from copypaste_rs._engine.fates import RowFates
    from copypaste_rs._engine.options import KernelOptions
    from copypaste_rs.draws import PhiloxWords
    from copypaste_rs.plan import Plan


class Backend(Protocol):
    """The names of `copypaste_rs.functional` and of `copypaste_rs.reference`, and the kernels of the engine."""

    __name__: str
    encode: Callable[..., Any]
    decode: Callable[..., Any]
    from_label_map: Callable[..., Any]
    parse_counts: Callable[..., Any]
    format_counts: Callable[..., Any]
    rasterize: Callable[..., Any]
    polygons: Callable[..., Any]
    area: Callable[..., Any]
    boxes: Callable[..., Any]
    union: Callable[..., Any]
    intersection: Callable[..., Any]
    difference: Callable[..., Any]
    iou: Callable[..., Any]
    without_small_parts: Callable[..., Any]
    place_masks: Callable[..., Any]
    place_image: Callable[..., Any]
    alpha: Callable[..., Any]
    blend: Callable[..., Any]
    convert_image: Callable[..., Any]
    label_map: Callable[..., Any]
    draw_plan: Callable[..., Plan]
    copy_paste: Callable[..., Any]
    philox_words: PhiloxWords

    _compose: Compose
    _compose_batch: Callable[..., Any]
    _check_unused: Callable[..., None]
    _draw_masks: Callable[..., None]
    _row_fates: Callable[[Call, KernelOptions], RowFates]


def backend_of(name: str) -> Backend:
    """The backend of a name; "reference" is the name of the module that the NumPy backend lives in."""
    chosen = _checks.choice("backend", name, ("rust", "numpy", "reference"))
    if chosen == "rust":
        from copypaste_rs import functional

        return cast("Backend", functional)
    from copypaste_rs import reference

    return cast("Backend", reference)


def backend_name(backend: Backend) -> str:
    """The name of a backend, as transforms take it."""
    return "rust" if backend.__name__.endswith(".functional") else "numpy"
