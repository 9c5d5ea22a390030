//! Pool of threads: the jobs of a batch are done on it, and nothing else.
//!
//! A pool is kept between calls, since starting threads takes longer than waking them. A process made by `fork` has
//! none of the threads that it believes to have, and would wait for them for ever: a pool belongs to the process that
//! started it, and is forgotten in any other.

use std::collections::VecDeque;
use std::mem::forget;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use copypaste_core::{Error, Result};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::IntoPyDict;
use rayon_core::{ThreadPool, ThreadPoolBuilder};

use crate::errors::{of_item, to_python};

/// Number of threads to use: as many as `requested`, or fewer where the environment or the system has fewer.
pub(crate) fn number_of_threads(py: Python<'_>, requested: usize) -> PyResult<usize> {
    const CAP: &str = "COPYPASTE_RS_THREADS";
    let threads = match std::env::var_os(CAP).filter(|text| !text.is_empty()) {
        None => requested,
        Some(text) => {
            let number = text.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            match number.map(|digits| digits.parse().unwrap_or(usize::MAX)) {
                None | Some(0) => {
                    let text = text.into_pyobject(py)?.repr()?;
                    let refused = format!("{CAP}: expected a positive number, got {text}");
                    return Err(PyValueError::new_err(refused));
                }
                Some(limit) => requested.min(limit),
            }
        }
    };
    Ok(if threads > 1 { threads.min(processors()) } else { threads })
}

/// Number of processors that this process may use, with affinity and the quota of a container in mind.
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

/// Does `work` with each job of an item on `threads` threads, begun in the order of the jobs.
///
/// Python makes a job while the threads, which need no GIL, work on those before. After a failure or a signal, what was
/// begun is finished and no more is begun.
pub(crate) fn for_each<J: Send>(
    py: Python<'_>,
    threads: usize,
    jobs: impl ExactSizeIterator<Item = PyResult<(usize, J)>>,
    work: impl Fn(usize, J) -> Result<()> + Sync,
) -> PyResult<()> {
    for_each_beside(py, threads, jobs, work, || Ok(()))
}

/// `for_each`, while Python does something else, once it has made the jobs.
pub(crate) fn for_each_beside<J: Send>(
    py: Python<'_>,
    threads: usize,
    jobs: impl ExactSizeIterator<Item = PyResult<(usize, J)>>,
    work: impl Fn(usize, J) -> Result<()> + Sync,
    meanwhile: impl FnOnce() -> PyResult<()>,
) -> PyResult<()> {
    let several = jobs.len() > 1;
    if threads > 1 && several {
        survive_forks(py)?;
        if let Some(pool) = Pool::take(threads) {
            let failed = pool.run(py, jobs, &work, meanwhile);
            pool.give_back();
            return failed?.map_or(Ok(()), |(item, error)| Err(of_item(py, to_python(error), item)));
        }
    }
    for job in jobs {
        let (item, job) = job?;
        py.detach(|| work(item, job)).map_err(|error| of_item(py, to_python(error), item))?;
        if several {
            py.check_signals()?;
        }
    }
    meanwhile()
}

/// Pool that nobody uses at the moment. Whoever needs it takes it away, so that no call waits for another.
///
/// It is only tried to lock this: after a fork it may be locked for ever. Threads are then started for each call.
static IDLE: Mutex<Option<Pool>> = Mutex::new(None);

/// Threads that work beside the calling one.
struct Pool {
    workers: ThreadPool,
    /// Process that started the threads.
    process: u32,
    /// Number of processors that the process could use then: threads stay on these.
    processors: usize,
}

impl Pool {
    /// Pool for work on `n` threads, the calling one among them; none where the system gives none.
    fn take(n: usize) -> Option<Self> {
        let (process, processors) = (std::process::id(), processors());
        match IDLE.try_lock().ok().and_then(|mut idle| idle.take()) {
            // Threads of another process are not there to be told to end.
            Some(idle) if idle.process != process => forget(idle),
            Some(idle) if idle.processors == processors && idle.workers.current_num_threads() == n - 1 => {
                return Some(idle);
            }
            _ => (),
        }
        let workers = ThreadPoolBuilder::new().num_threads(n - 1).build().ok()?;
        Some(Self { workers, process, processors })
    }

    /// Leaves the pool for whoever needs it next.
    fn give_back(self) {
        if let Ok(mut idle) = IDLE.try_lock() {
            *idle = Some(self);
        }
    }

    /// Does all jobs; the first one that failed, if any did. The calling thread makes the jobs and does what else is to be
    /// done `meanwhile`, then works too, without the GIL, and looks for signals now and then: a signal handler may raise,
    /// as after Ctrl-C.
    fn run<J: Send>(
        &self,
        py: Python<'_>,
        jobs: impl Iterator<Item = PyResult<(usize, J)>>,
        work: &(impl Fn(usize, J) -> Result<()> + Sync),
        meanwhile: impl FnOnce() -> PyResult<()>,
    ) -> PyResult<Option<(usize, Error)>> {
        const LOOK: Duration = Duration::from_millis(50);
        let (waiting, stopped) = (Mutex::new(VecDeque::new()), AtomicBool::new(false));
        let (sender, failures) = channel();
        // Does the next job, if there is one.
        let next = |sender: &Sender<(usize, usize, Error)>| {
            let job = if stopped.load(Ordering::SeqCst) { None } else { lock(&waiting).pop_front() };
            let Some((number, (item, job))) = job else { return false };
            if let Err(error) = work(item, job) {
                stopped.store(true, Ordering::SeqCst);
                drop(sender.send((number, item, error)));
            }
            true
        };
        let (next, stopped) = (&next, &stopped);
        self.workers.in_place_scope_fifo(|scope| {
            let mut numbered = jobs.enumerate().take_while(|_| !stopped.load(Ordering::SeqCst));
            let made = numbered.try_for_each(|(number, job)| {
                lock(&waiting).push_back((number, job?));
                let sender = sender.clone();
                scope.spawn_fifo(move |_| {
                    next(&sender);
                });
                Ok(())
            });
            // Of two failures the one of the first job counts: those before one that could not be made are all done.
            let unmade = made.is_err();
            let mut raised = made.and_then(|()| {
                let raised = meanwhile();
                stopped.fetch_or(raised.is_err(), Ordering::SeqCst);
                raised
            });
            py.detach(move || {
                let mut looked = Instant::now();
                let mut look = || {
                    if raised.is_ok() && looked.elapsed() >= LOOK {
                        Python::attach(|py| raised = py.check_signals());
                        stopped.fetch_or(raised.is_err(), Ordering::SeqCst);
                        looked = Instant::now();
                    }
                };
                while next(&sender) {
                    look();
                }
                drop(sender);
                let mut first = None;
                let first = loop {
                    match failures.recv_timeout(LOOK) {
                        // Jobs are begun in order, so all before this one will be heard of: the first one counts.
                        Ok(failed) => {
                            first = first.into_iter().chain([failed]).min_by_key(|failed| failed.0);
                        }
                        // All workers have ended, by a panic too, and dropped their senders.
                        Err(RecvTimeoutError::Disconnected) => break first,
                        Err(RecvTimeoutError::Timeout) => look(),
                    }
                };
                let first = first.map(|(_, item, error)| (item, error));
                if unmade && first.is_some() { Ok(first) } else { raised.map(|()| first) }
            })
        })
    }
}

/// Holds a mutex, whatever a panic has left of what is behind it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
