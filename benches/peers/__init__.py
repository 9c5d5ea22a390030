"""Libraries of other people, measured next to ours in an environment of their own: `make bench-peers`."""

import os

# Before any of them is imported: one thread, for everyone.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[_name] = "1"
