//! The one place where threads are started.
//!
//! They live as long as one call: a process that forks afterwards has none that the child could wait for in vain,
//! and starting one costs less than a hundredth of an image.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, available_parallelism, scope};

use copypaste_core::{Error, Result};
use pyo3::prelude::*;

use crate::arguments::to_python;

/// Why not all jobs were done.
pub(crate) enum Failure {
    /// The first job that failed.
    Job(usize, Error),
    /// The user interrupted, a signal handler raised, or what takes the results.
    Raised(PyErr),
}

impl Failure {
    /// The error for Python; it names the item where there are several.
    pub(crate) fn into_python(self, py: Python<'_>, items: usize) -> PyErr {
        match self {
            Self::Raised(raised) => raised,
            Self::Job(_, error) if items == 1 => to_python(error),
            Self::Job(item, error) => {
                let message = format!("item {item}: {error}");
                PyErr::from_type(to_python(error).get_type(py), message)
            }
        }
    }
}

/// Does all jobs on up to `threads` threads, the calling one included, without the GIL.
///
/// `finish` takes each result, with the number of its job, on the calling thread with the GIL, while the others work on:
/// what Python has to do for a batch costs little time then. After a failure or a signal, jobs that were begun are
/// finished and no more are.
pub(crate) fn for_each<J: Send, R: Send>(
    py: Python<'_>,
    jobs: Vec<J>,
    threads: usize,
    work: impl Fn(J) -> Result<R> + Sync,
    mut finish: impl FnMut(usize, R) -> PyResult<()>,
) -> std::result::Result<(), Failure> {
    let n = jobs.len();
    let threads = match threads.min(n) {
        // Asking the operating system reads files: more than a small image costs.
        few @ (0 | 1) => few,
        // Its count minds affinity and the quota of a container.
        many => many.min(available_parallelism().map_or(1, usize::from)),
    };
    let queue = Mutex::new(jobs.into_iter().enumerate());
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(n));
    let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    let stop = AtomicBool::new(false);

    // Does one job; false when there is none left to do.
    let step = || {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        let Some((i, job)) = lock(&queue).next() else { return false };
        match work(job) {
            Ok(result) => lock(&done).push((i, result)),
            Err(error) => {
                stop.store(true, Ordering::Relaxed);
                let mut failed = lock(&failed);
                // Jobs are begun in order, so all before this one will have been heard: the first one counts.
                if failed.as_ref().is_none_or(|(first, _)| i < *first) {
                    *failed = Some((i, error));
                }
            }
        }
        true
    };
    let mut finish_done = || {
        let results = std::mem::take(&mut *lock(&done));
        results.into_iter().try_for_each(|(i, result)| finish(i, result))
    };
    let raised = scope(|scope| {
        // Without another thread the rest of them do the work.
        let others: Vec<_> = (1..threads)
            .filter_map(|_| Builder::new().spawn_scoped(scope, || while step() {}).ok())
            .collect();
        let mut outcome = Ok(());
        while outcome.is_ok() && py.detach(step) {
            outcome = if n > 1 { py.check_signals() } else { Ok(()) };
            outcome = outcome.and_then(|()| finish_done());
        }
        if outcome.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        py.detach(|| {
            for other in others {
                // Not to be taken for a result that is missing.
                other.join().unwrap_or_else(|panic| resume_unwind(panic));
            }
        });
        outcome
    });
    raised.map_err(Failure::Raised)?;
    if let Some((i, error)) = lock(&failed).take() {
        return Err(Failure::Job(i, error));
    }
    finish_done().map_err(Failure::Raised)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
