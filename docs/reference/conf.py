"""Settings of `make reference`: the API of the package as HTML, where what does not resolve is an error.

Names in single backticks are references. They are looked up in the module at hand, then anywhere in the package;
parameters and columns are names too, but have no page of their own. What is neither is a warning, and warnings fail.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from numpydoc.docscrape import NumpyDocString
from sphinx.ext.autodoc.mock import mock

import copypaste_rs
from copypaste_rs.column_kinds import COLUMN_KINDS

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "copypaste_rs"
version = release = copypaste_rs.__version__
copyright = "the authors; MIT licence"  # noqa: A001 (as Sphinx names it)

extensions = ["sphinx.ext.autodoc", "numpydoc"]
nitpicky = True
default_role = "py:obj"
autodoc_typehints = "none"  # the docstrings say types, shapes and units
autodoc_default_options = {
    "members": True,
    "special-members": "__call__, __getitem__, __len__",
    "inherited-members": "object, Sequence, tuple, ValueError, TypeError",  # but for those of these
}
numpydoc_show_class_members = False  # autodoc has them
numpydoc_validation_checks = {"GL06", "PR02", "PR10"}  # unknown sections, unknown parameters, "name: type"

html_theme = "alabaster"
html_theme_options = {"fixed_sidebar": True, "page_width": "72em", "sidebar_width": "15em"}
html_sidebars = {"**": ["about.html", "searchfield.html", "localtoc.html", "globaltoc.html"]}
html_copy_source = False

autodoc_mock_imports = [  # gigabytes, of which the pages need nothing
    "albumentations",
    "datasets",
    "detectron2",
    "fiftyone",
    "grain",
    "lightning",
    "mmcv",
    "mmdet",
    "mmengine",
    "pytorch_lightning",
    "rfdetr",
    "supervision",
    "torch",
    "torchvision",
    "transformers",
    "ultralytics",
    "webdataset",
]

_NAMES = (
    "datasets",
    "functional",
    "integrations.albumentations",
    "integrations.detectron2",
    "integrations.fiftyone",
    "integrations.grain",
    "integrations.lightning",
    "integrations.mmdet",
    "integrations.rfdetr",
    "integrations.supervision",
    "integrations.torch",
    "integrations.torchvision",
    "integrations.transformers",
    "integrations.ultralytics",
    "integrations.webdataset",
    "reference",
    "schedules",
    "visualize",
)
MODULES = ("copypaste_rs", *(f"copypaste_rs.{name}" for name in _NAMES))
FIELDS = {"image_id"}
"""Names of COCO files that are no column and made from none."""


def setup(app: Sphinx) -> None:
    """Look up names as the docstrings have them; miss none of the public ones."""
    app.connect("missing-reference", resolve)
    app.connect("env-check-consistency", check_complete)
    app.connect("autodoc-skip-member", skip)


def skip(_app: Sphinx, _what: str, _name: str, value: object, _skip: bool, _options: object) -> bool | None:
    """Fields of named tuples, which the class describes as parameters; None leaves the choice to others."""
    return True if (inspect.getdoc(value) or "").startswith("Alias for field number") else None


def public(module: str) -> dict[str, Any]:
    """Public names of a module: those of ``__all__``, or what is defined in it."""
    with mock(autodoc_mock_imports):
        found = importlib.import_module(module)
    names = getattr(found, "__all__", None) or [
        name for name, value in vars(found).items() if name[0] != "_" and getattr(value, "__module__", "") == module
    ]
    return {name: getattr(found, name) for name in names}


def parameters(value: Any) -> set[str]:
    """Names of the parameters of a function, or of a class and its methods, inherited ones included."""
    ours = [each for each in getattr(value, "__mro__", ()) if each.__module__.startswith("copypaste_rs")]
    functions = [value, *(member for each in ours for member in vars(each).values())]
    functions = [getattr(function, "__func__", function) for function in functions]
    return {name for each in functions if callable(each) for name in inspect.signature(each).parameters}


def known_names() -> set[str]:
    """Names that are references without a target: parameters, columns, and what a class lists under Attributes."""
    columns = {*COLUMN_KINDS, *(field for kind in COLUMN_KINDS.values() for field in kind.fields or ())}
    values = [value for module in MODULES for value in public(module).values()]
    attributes = {
        f"{value.__name__}.{name}"
        for value in values
        if inspect.isclass(value)
        for entry in NumpyDocString(inspect.getdoc(value) or "")["Attributes"]
        for name in entry.name.split(", ")
    }
    return columns | FIELDS | attributes | {name for value in values if callable(value) for name in parameters(value)}


KNOWN = known_names()


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, contents: nodes.Element) -> nodes.Element | None:
    """The target of a name that was not found as it stands; None is a warning."""
    target = node["reftarget"]
    if node.get("reftype") != "obj":
        return None
    if target in KNOWN:
        return contents
    domain = env.get_domain("py")
    found = sorted(name for name in domain.objects if name.endswith(f".{target}"))  # type: ignore[attr-defined]
    if not found:
        return None
    node["reftarget"] = min(found, key=len)  # that of the package's root before a deeper one
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", node["reftarget"], node, contents)


def check_complete(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of a public name that no page has."""
    from sphinx.util import logging

    objects = env.get_domain("py").objects  # type: ignore[attr-defined]
    for module in MODULES:
        for name in public(module):
            if f"{module}.{name}" not in objects and name != "__version__":
                logging.getLogger(__name__).warning("%s.%s is on no page of the reference", module, name)
