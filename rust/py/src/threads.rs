//! The one place where threads are started.
//!
//! They live as long as one call: a process that forks afterwards has none that the child could wait for in vain.
//! Starting one takes a fraction of the time of an image, and meanwhile the calling thread makes jobs ready.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::thread::{Builder, available_parallelism, scope};
use std::time::{Duration, Instant};

use copypaste_core::{Error, Result};
use pyo3::prelude::*;

use crate::arguments::to_python;
use crate::queue::Queue;

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
/// What needs the GIL, the calling thread does while the others work: it gets the jobs from their iterator, and `finish`
/// takes each result there, with the number of its job. After a failure or a signal, jobs that were begun are finished
/// and no more are.
pub(crate) fn for_each<J: Send, R: Send>(
    py: Python<'_>,
    jobs: impl ExactSizeIterator<Item = PyResult<J>>,
    threads: usize,
    work: impl Fn(J) -> Result<R> + Sync,
    mut finish: impl FnMut(usize, R) -> PyResult<()>,
) -> std::result::Result<(), Failure> {
    let n = jobs.len();
    let threads = match threads.min(n) {
        few @ (0 | 1) => few,
        many => many.min(processors()),
    };
    let queue = Queue::new();
    // Does one job; false when there is none left to do.
    let step = || {
        let Some((number, job)) = queue.next() else { return false };
        queue.ended(number, work(job));
        true
    };
    let mut finish_done =
        || queue.take_done().into_iter().try_for_each(|(number, result)| finish(number, result));
    let raised = scope(|scope| {
        let _stopped = Stopped(&queue);
        // Without another thread the rest of them do the work.
        let others: Vec<_> = (1..threads)
            .filter_map(|_| Builder::new().spawn_scoped(scope, || while step() {}).ok())
            .collect();
        let mut outcome = jobs.enumerate().try_for_each(|(number, job)| {
            queue.push(number, job?);
            Ok(())
        });
        queue.close();
        while outcome.is_ok() && py.detach(step) {
            outcome = if n > 1 { py.check_signals() } else { Ok(()) };
            outcome = outcome.and_then(|()| finish_done());
        }
        if outcome.is_err() {
            queue.stop();
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
    if let Some((number, error)) = queue.take_failed() {
        return Err(Failure::Job(number, error));
    }
    finish_done().map_err(Failure::Raised)
}

/// How many threads can run at a time, with affinity and the quota of a container in mind.
///
/// The operating system is asked once a second: it reads files for that, which takes longer than a small image.
fn processors() -> usize {
    const TRUSTED: Duration = Duration::from_secs(1);
    static KNOWN: Mutex<Option<(Instant, usize)>> = Mutex::new(None);
    // Whoever finds it in use, as after a fork it may be for ever, asks for itself.
    let known = KNOWN.try_lock().ok();
    if let Some(Some((asked, processors))) = known.as_deref()
        && asked.elapsed() < TRUSTED
    {
        return *processors;
    }
    let processors = available_parallelism().map_or(1, usize::from);
    if let Some(mut known) = known {
        *known = Some((Instant::now(), processors));
    }
    processors
}

/// Stops a queue when it goes, by a panic too: nobody would wait for threads that wait for jobs.
struct Stopped<'a, J, R>(&'a Queue<J, R>);

impl<J, R> Drop for Stopped<'_, J, R> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
