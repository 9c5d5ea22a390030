"""Detectron2 0.6, put into the environment that runs this from its archive on the package index.

Its C++ sources are not in the archive, so that pip cannot build it; what does not need them runs. Operators that are
missing come from an empty module, and names that Pillow has no longer are replaced. Users have a real detectron2.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

ARCHIVE = "pb1-detectron2==0.6"

NO_OPERATORS = '''"""Stand-in for the compiled operators, which are None."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
'''

if __name__ == "__main__":
    packages = Path(sysconfig.get_path("purelib"))
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--no-build-isolation", "--dest", folder, ARCHIVE], check=True)
        with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
        (found,) = Path(folder).glob("*/detectron2")
        shutil.copytree(found, packages / "detectron2", dirs_exist_ok=True)
        about = packages / f"{ARCHIVE.replace('-', '_').replace('==', '-')}.dist-info"
        about.mkdir(exist_ok=True)  # so that its version is known
        shutil.copy(found.parent / "PKG-INFO", about / "METADATA")
    (packages / "detectron2" / "_C.py").write_text(NO_OPERATORS)
    transform = packages / "detectron2" / "data" / "transforms" / "transform.py"
    transform.write_text(transform.read_text().replace("Image.LINEAR", "Image.BILINEAR"))
