//! The one place where threads are started.
//!
//! They live as long as one call: a process that forks afterwards has none that the child could wait for in vain,
//! and starting one costs less than a hundredth of an image.

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
    /// The user interrupted, or a signal handler raised.
    Signal(PyErr),
}

impl Failure {
    /// The error for Python; it names the item where there are several.
    pub(crate) fn into_python(self, py: Python<'_>, items: usize) -> PyErr {
        match self {
            Self::Signal(raised) => raised,
            Self::Job(_, error) if items == 1 => to_python(error),
            Self::Job(item, error) => {
                let message = format!("item {item}: {error}");
                PyErr::from_type(to_python(error).get_type(py), message)
            }
        }
    }
}

/// Does all jobs on up to `threads` threads, the calling one included, without the GIL. Results come in the order of
/// the jobs. After a failure or a signal, jobs that were begun are finished and no more are.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method alone is not general enough")]
pub(crate) fn for_each<J: Send, R: Send>(
    py: Python<'_>,
    jobs: Vec<J>,
    threads: usize,
    work: impl Fn(J) -> Result<R> + Sync,
) -> std::result::Result<Vec<R>, Failure> {
    let n = jobs.len();
    let threads = match threads.min(n) {
        // Asking the operating system reads files: more than a small image costs.
        few @ (0 | 1) => few,
        // Its count minds affinity and the quota of a container.
        many => many.min(available_parallelism().map_or(1, usize::from)),
    };
    let queue = Mutex::new(jobs.into_iter().enumerate());
    let done: Mutex<Vec<Option<R>>> = Mutex::new((0..n).map(|_| None).collect());
    let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    let stop = AtomicBool::new(false);

    // Does one job; false when there is none left to do.
    let step = || {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        let Some((i, job)) = lock(&queue).next() else { return false };
        match work(job) {
            Ok(result) => lock(&done)[i] = Some(result),
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
    let signal = py.detach(|| {
        scope(|scope| {
            for _ in 1..threads {
                // Without another thread the rest of them do the work.
                let _ = Builder::new().spawn_scoped(scope, || while step() {});
            }
            while step() {
                if n > 1
                    && let Err(raised) = Python::attach(|py| py.check_signals())
                {
                    stop.store(true, Ordering::Relaxed);
                    return Some(raised);
                }
            }
            None
        })
    });
    if let Some(raised) = signal {
        return Err(Failure::Signal(raised));
    }
    if let Some((i, error)) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(Failure::Job(i, error));
    }
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten().collect())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
