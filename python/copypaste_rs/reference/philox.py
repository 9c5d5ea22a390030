"""Random words as a function of a key and a counter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs import _checks

if TYPE_CHECKING:
    from numpy.typing import NDArray


def philox_words(key: tuple[int, int], counter: tuple[int, int, int, int], n: int) -> NDArray[np.uint64]:
    """Words of the Philox4x64-10 cipher.

    Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), as NumPy has it: the counter is stepped
    before each block of four words.

    Parameters
    ----------
    key : (int, int)
        Each from 0 to 2^64 - 1.
    counter : (int, int, int, int)
        Each from 0 to 2^64 - 1, the least significant first.
    n : int
        How many words.

    Returns
    -------
    array, shape (n,), dtype uint64
        The words.

    Examples
    --------
    >>> philox_words((1, 2), (0, 0, 3, 0), 2).tolist()
    [13262081666550218681, 7586518172537843941]
    """
    checked_key, checked_counter, n = _checks.philox_arguments(key, counter, n)
    generator = np.random.Philox(key=np.array(checked_key, np.uint64), counter=np.array(checked_counter, np.uint64))
    return np.asarray(generator.random_raw(n), np.uint64)
