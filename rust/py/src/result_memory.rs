//! Memory of results: arrays of bytes that are lent, and lent again when nobody refers to them any more.
//!
//! The system clears each page that is new to a process, which may take longer than to compute what is written there.
//! NumPy says who uses a piece: each view refers to the array that owns its memory, however it was made, and so does
//! whatever else sees that memory (tensors, buffers), so that one reference, the one kept here, means nobody.

use std::cmp::Reverse;
use std::mem::{replace, take};
use std::process;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;

/// Bytes to which what is lent is aligned: a line of the cache, the widest vector.
const ALIGNED: usize = 64;

/// Number of pieces at most. All are looked through in a call.
const MOST_PIECES: usize = 256;

/// Most times that a piece may be as large as what it is lent for: a large one is not spent on something small.
const MOST_TIMES: usize = 2;

/// Pieces of memory, lent ones and others, whose sizes together stay within a bound.
///
/// A piece that nobody uses any more has one reference left, and no code but this can make another of that: where a GIL
/// is held from the look at the count until the piece is referred to again, nothing comes between. Without a GIL, a
/// count is two numbers that change apart, and no look at them is certain: nothing is to be lent there.
#[pyclass(frozen, module = "copypaste_rs._core")]
pub(crate) struct ResultMemory {
    bound: usize,
    idle: Duration,
    /// Pieces between calls. Their lock is held no longer than it takes to move them, and is only tried: after a fork it
    /// may be locked for ever.
    pieces: Mutex<LentPieces>,
}

#[derive(Default)]
struct LentPieces {
    /// Process that they belong to: a child would only copy the pages of its parent's, at its first write.
    process: u32,
    all: Vec<Piece>,
}

struct Piece {
    /// Array that owns the memory, which is `ALIGNED` - 1 bytes longer than what it has room for.
    owner: Py<PyArray1<u8>>,
    room: usize,
    /// Time when it was lent last.
    lent: Instant,
}

impl Piece {
    #[expect(deprecated, reason = "its successor is for code that may dereference pointers")]
    fn is_free(&self, py: Python<'_>) -> bool {
        self.owner.get_refcnt(py) == 1
    }

    fn size(&self) -> usize {
        self.room + (ALIGNED - 1)
    }
}

#[pymethods]
impl ResultMemory {
    /// Memory of at most `bound` bytes in all, lent ones included; pieces that were not lent for `idle` seconds are
    /// let go at the next call.
    #[new]
    fn new(bound: usize, idle: f64) -> PyResult<Self> {
        let idle =
            Duration::try_from_secs_f64(idle).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self { bound, idle, pieces: Mutex::default() })
    }

    /// Array of bytes, and where in it `size` of them begin that nobody uses, aligned; they are in use as long as
    /// anything refers to the array. None where there is no room within the bound.
    fn lend<'py>(&self, py: Python<'py>, size: usize) -> PyResult<Option<(Bound<'py, PyArray1<u8>>, usize)>> {
        if size.saturating_add(ALIGNED - 1) > self.bound {
            return Ok(None);
        }
        let mut pieces = self.take();
        let lent = self.lend_of(py, &mut pieces, size);
        self.put_back(pieces);
        let Some(owner) = lent? else { return Ok(None) };
        let start = owner.data().addr().wrapping_neg() % ALIGNED;
        Ok(Some((owner, start)))
    }

    /// Number of pieces, and how many bytes they are.
    #[getter]
    fn kept(&self) -> (usize, usize) {
        self.pieces.try_lock().map_or((0, 0), |pieces| (pieces.all.len(), bytes(&pieces.all)))
    }
}

impl ResultMemory {
    /// Pieces of this process, but for those that were idle. Whoever needs them takes them away: letting a piece go may
    /// run code of others, which may come here again and finds none.
    fn take(&self) -> Vec<Piece> {
        let process = process::id();
        let taken = self.pieces.try_lock().ok().map(|mut pieces| take(&mut *pieces));
        let mut all = match taken {
            Some(LentPieces { process: of, all }) if of == process => all,
            _ => Vec::new(),
        };
        let now = Instant::now();
        all.retain(|piece| now.duration_since(piece.lent) <= self.idle);
        all
    }

    /// Leaves pieces for whoever needs them next.
    fn put_back(&self, all: Vec<Piece>) {
        let pieces = LentPieces { process: process::id(), all };
        // What another call has left meanwhile is let go, when the lock is free again.
        drop(self.pieces.try_lock().ok().map(|mut left| replace(&mut *left, pieces)));
    }

    /// Owner of a piece that has room for `size` bytes, one of the pieces or a new one among them.
    fn lend_of<'py>(
        &self,
        py: Python<'py>,
        pieces: &mut Vec<Piece>,
        size: usize,
    ) -> PyResult<Option<Bound<'py, PyArray1<u8>>>> {
        let lent = Instant::now();
        let fits = |piece: &&mut Piece| (size..=size.saturating_mul(MOST_TIMES)).contains(&piece.room);
        let free = pieces.iter_mut().filter(fits).filter(|piece| piece.is_free(py));
        // Of equal ones the last that was lent: it may still be in a cache, and the others become idle.
        if let Some(piece) = free.min_by_key(|piece| (piece.room, Reverse(piece.lent))) {
            piece.lent = lent;
            return Ok(Some(piece.owner.bind(py).clone()));
        }
        let length = size + (ALIGNED - 1);
        while pieces.len() >= MOST_PIECES || bytes(pieces) + length > self.bound {
            if !let_go(py, pieces) {
                return Ok(None);
            }
        }
        let made = py
            .import(intern!(py, "numpy"))?
            .call_method1(intern!(py, "empty"), (length, intern!(py, "uint8")));
        match made {
            Ok(owner) => {
                let owner = owner.cast_into::<PyArray1<u8>>()?;
                pieces.push(Piece { owner: owner.clone().unbind(), room: size, lent });
                Ok(Some(owner))
            }
            Err(error) if error.is_instance_of::<PyMemoryError>(py) => {
                pieces.clear();
                Ok(None) // whoever asked tries it by other means, and finds what was let go
            }
            Err(error) => Err(error),
        }
    }
}

/// Lets the piece go that was not used for the longest time, if there is one that nobody uses.
fn let_go(py: Python<'_>, pieces: &mut Vec<Piece>) -> bool {
    let free = pieces.iter().enumerate().filter(|(_, piece)| piece.is_free(py));
    let Some((oldest, _)) = free.min_by_key(|(_, piece)| piece.lent) else { return false };
    drop(pieces.swap_remove(oldest));
    true
}

fn bytes(pieces: &[Piece]) -> usize {
    pieces.iter().map(Piece::size).sum()
}
