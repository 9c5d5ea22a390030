//! Threads: the one place that has them work.
//!
//! A pool is kept between calls, since starting threads takes longer than waking them. A process made by `fork` has
//! none of the threads that it believes to have, and would wait for them for ever: a pool belongs to the process that
//! started it, and is forgotten in any other.

use std::env::var_os;
use std::mem::forget;
use std::process;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use copypaste_core::{Error, Result};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::IntoPyDict;
use rayon_core::{ThreadPool, ThreadPoolBuilder};

use crate::errors::to_python;

/// Reason why not all jobs were done.
pub(crate) enum Failure {
    /// First job that failed, by its number.
    Job(usize, Error),
    /// Exception of a signal handler, as after Ctrl-C.
    Raised(PyErr),
}

impl Failure {
    /// Error for Python; `item` gives the item of a job.
    pub(crate) fn into_python(self, py: Python<'_>, item: impl Fn(usize) -> usize) -> PyErr {
        match self {
            Self::Raised(raised) => raised,
            Self::Job(job, error) => of_item(py, to_python(error), item(job)),
        }
    }
}

/// Error with the number of its item, where it is one of ours.
pub(crate) fn of_item(py: Python<'_>, error: PyErr, item: usize) -> PyErr {
    match error.value(py).call_method1("of_item", (item,)) {
        Ok(named) => PyErr::from_value(named),
        Err(_) => error,
    }
}

/// Number of threads to use: as many as `asked`, or fewer where the environment or the system has fewer.
pub(crate) fn number_of_threads(py: Python<'_>, asked: usize) -> PyResult<usize> {
    const CAP: &str = "COPYPASTE_RS_THREADS";
    let most = match var_os(CAP).filter(|text| !text.is_empty()) {
        None => asked,
        Some(text) => {
            let number = text.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            match number.map(|digits| digits.parse().unwrap_or(usize::MAX)) {
                None | Some(0) => {
                    let text = text.into_pyobject(py)?.repr()?;
                    return Err(PyValueError::new_err(format!(
                        "{CAP}: expected a positive number, got {text}"
                    )));
                }
                Some(most) => asked.min(most),
            }
        }
    };
    Ok(if most > 1 { most.min(processors()) } else { most })
}

/// Processors that this process may use, with affinity and the quota of a container in mind.
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

/// Does the jobs 0 to `n - 1` on `threads` threads, without the GIL, begun in this order.
///
/// After a failure or a signal, what was begun is finished and no more is begun.
pub(crate) fn for_each(
    py: Python<'_>,
    threads: usize,
    n: usize,
    work: impl Fn(usize) -> Result<()> + Send + Sync,
) -> std::result::Result<(), Failure> {
    if threads > 1 && n > 1 {
        survive_forks(py).map_err(Failure::Raised)?;
        if let Some(pool) = Pool::take(threads.min(n)) {
            let outcome = py.detach(|| pool.run(n, &work));
            pool.give_back();
            return outcome;
        }
    }
    for job in 0..n {
        py.detach(|| work(job)).map_err(|error| Failure::Job(job, error))?;
        if n > 1 {
            py.check_signals().map_err(Failure::Raised)?;
        }
    }
    Ok(())
}

/// Pool that nobody uses at the moment. Whoever needs it takes it away, so that no call waits for another.
///
/// It is only tried to lock this: after a fork it may be locked for ever. Threads are then started for each call.
static IDLE: Mutex<Option<Pool>> = Mutex::new(None);

/// Threads that wait for work.
struct Pool {
    threads: ThreadPool,
    /// Process that started them.
    process: u32,
    /// Processors that it could use then: threads stay on these.
    processors: usize,
}

/// Jobs of one call, and the thread that waits for them.
struct Jobs {
    n: usize,
    progress: Mutex<Progress>,
    all_ended: Condvar,
}

/// Number of jobs that have ended, and what went wrong.
#[derive(Default)]
struct Progress {
    ended: usize,
    stopped: bool,
    failed: Option<(usize, Error)>,
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, job: usize, work: &impl Fn(usize) -> Result<()>) {
        // By a panic too: the calling thread waits for all.
        let _ended = Ended(self);
        if self.lock().stopped {
            return;
        }
        let Err(error) = work(job) else { return };
        let mut progress = self.lock();
        progress.stopped = true;
        // Jobs are begun in order, so all before this one will be heard of: the first one counts.
        if progress.failed.as_ref().is_none_or(|&(first, _)| job < first) {
            progress.failed = Some((job, error));
        }
    }

    /// Waits for all jobs, and looks for signals meanwhile.
    fn wait(&self) -> PyResult<()> {
        const LOOK: Duration = Duration::from_millis(50);
        let mut outcome = Ok(());
        let mut progress = self.lock();
        while progress.ended < self.n {
            let waited = self.all_ended.wait_timeout(progress, LOOK);
            let (next, wait) = waited.unwrap_or_else(PoisonError::into_inner);
            progress = next;
            if wait.timed_out() && outcome.is_ok() {
                drop(progress);
                outcome = Python::attach(|py| py.check_signals());
                progress = self.lock();
                progress.stopped |= outcome.is_err();
            }
        }
        outcome
    }
}

/// Guard that counts a job as ended when it goes.
struct Ended<'a>(&'a Jobs);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut progress = self.0.lock();
        progress.ended += 1;
        if progress.ended == self.0.n {
            self.0.all_ended.notify_one();
        }
    }
}

impl Pool {
    /// Pool of `n` threads or more; none where the system gives none.
    fn take(n: usize) -> Option<Self> {
        let mut idle = IDLE.try_lock().ok().and_then(|mut idle| idle.take());
        if let Some(unfit) = idle.take_if(|idle| !idle.fits(n)) {
            unfit.dismiss();
        }
        idle.or_else(|| {
            let threads = ThreadPoolBuilder::new().num_threads(n).build().ok()?;
            Some(Self { threads, process: process::id(), processors: processors() })
        })
    }

    fn fits(&self, n: usize) -> bool {
        self.process == process::id()
            && self.processors == processors()
            && self.threads.current_num_threads() == n
    }

    /// Leaves the pool for whoever needs it next.
    fn give_back(self) {
        let Ok(mut idle) = IDLE.try_lock() else { return };
        if let Some(other) = idle.replace(self) {
            other.dismiss();
        }
    }

    /// Ends the threads; those of another process are not there to be told.
    fn dismiss(self) {
        if self.process != process::id() {
            forget(self.threads);
        }
    }

    /// Does the jobs 0 to `n - 1`. The calling thread, which does not hold the GIL, waits.
    fn run(
        &self,
        n: usize,
        work: &(impl Fn(usize) -> Result<()> + Sync),
    ) -> std::result::Result<(), Failure> {
        let jobs = Jobs { n, progress: Mutex::default(), all_ended: Condvar::new() };
        let waited = self.threads.in_place_scope_fifo(|scope| {
            for job in 0..n {
                let jobs = &jobs;
                scope.spawn_fifo(move |_| jobs.run(job, work));
            }
            jobs.wait()
        });
        waited.map_err(Failure::Raised)?;
        match jobs.progress.into_inner().unwrap_or_else(PoisonError::into_inner).failed {
            Some((job, error)) => Err(Failure::Job(job, error)),
            None => Ok(()),
        }
    }
}

/// Has Python tell each child that it forks, from the first call on that needs threads.
fn survive_forks(py: Python<'_>) -> PyResult<()> {
    static TOLD: PyOnceLock<()> = PyOnceLock::new();
    let tell = || {
        let os = py.import("os")?;
        let child = [("after_in_child", wrap_pyfunction!(after_fork, py)?)].into_py_dict(py)?;
        match os.getattr_opt("register_at_fork")? {
            Some(register) => register.call((), Some(&child)).map(drop),
            None => Ok(()), // nor is there a fork
        }
    };
    TOLD.get_or_try_init(py, tell).copied()
}

/// Forgets the pool in a process made by `fork`. Its number tells such a process from its parent, but may be that of a
/// process before, which has ended.
#[pyfunction]
fn after_fork() {
    if let Ok(mut idle) = IDLE.try_lock() {
        forget(idle.take());
    }
}
