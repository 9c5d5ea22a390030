"""Frameworks that there are integrations for, and what their environments have."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGES = ROOT / "docs" / "frameworks"


class Framework(NamedTuple):
    """One environment, and what is tried in it.

    `name` is that of the environment and of the folder with ``requirements.txt`` (and ``install.py``, run after pip,
    where more than pip is needed). `packages` are distributions whose versions are told. `home` is the folder of the
    tests, the page and the module, where it is not that of `name`. `guide` is the page, in docs/, of what has no module:
    an engine of the command line, which is neither timed nor written by anybody.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    home: str = ""
    ran: str = "whole"
    """What of the framework runs: all of it, or which part, where the rest cannot be installed."""
    guide: str = ""

    @property
    def folder(self) -> Path:
        """Folder of what is installed."""
        return HERE / self.name

    @property
    def tests(self) -> Path:
        """Folder of the tests and of ``timing.py``."""
        return HERE / (self.home or self.name)

    @property
    def module(self) -> str:
        """Module of the integration."""
        return f"copypaste_rs.integrations.{self.home or self.name}"

    @property
    def page(self) -> Path:
        """Page of the integration."""
        return PAGES.parent / self.guide if self.guide else PAGES / f"{self.home or self.name}.md"


FRAMEWORKS = (
    Framework("ultralytics", "Ultralytics", ("ultralytics",)),
    Framework("transformers", "Transformers and Datasets", ("transformers", "datasets", "accelerate")),
    Framework("lightning", "Lightning", ("lightning",)),
    Framework("detectron2", "Detectron2", ("pb1-detectron2",)),
    Framework("mmdet", "MMDetection", ("mmdet", "mmengine", "mmcv-lite"), ran="stand-ins for mmcv.ops"),
    Framework("albumentations", "Albumentations", ("albumentations",)),
    Framework("albumentationsx", "AlbumentationsX", ("albumentationsx",), home="albumentations"),
    Framework("rfdetr", "RF-DETR", ("rfdetr",)),
    Framework("grain", "Grain", ("grain",)),
    Framework("webdataset", "WebDataset", ("webdataset",)),
    Framework("supervision", "Supervision", ("supervision",)),
    Framework("fiftyone", "FiftyOne", ("fiftyone",), ran="labels"),
    Framework("ray", "Ray", ("ray",), guide="many-machines.md"),
)
