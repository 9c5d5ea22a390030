//! The one place that has threads work.
//!
//! They are kept between calls, and a process that is forked in between is told that it has none of them.

use std::env::var_os;

use copypaste_core::Error;
use copypaste_core::crew::{self, Crew, Work, processors};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::IntoPyDict;

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
            Self::Job(item, error) => of_item(py, to_python(error), item, items),
        }
    }
}

/// The error, with the number of the item where there are several.
pub(crate) fn of_item(py: Python<'_>, error: PyErr, item: usize, items: usize) -> PyErr {
    if items == 1 {
        return error;
    }
    PyErr::from_type(error.get_type(py), format!("item {item}: {}", error.value(py)))
}

/// How many threads to ask for: as `asked`, or fewer where the environment says so.
pub(crate) fn no_more_threads(py: Python<'_>, asked: usize) -> PyResult<usize> {
    const CAP: &str = "COPYPASTE_RS_THREADS";
    let Some(text) = var_os(CAP).filter(|text| !text.is_empty()) else { return Ok(asked) };
    let number = text.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match number.map(|digits| digits.parse().unwrap_or(usize::MAX)) {
        None | Some(0) => {
            let text = text.into_pyobject(py)?.repr()?;
            Err(PyValueError::new_err(format!("{CAP}: expected a positive number, got {text}")))
        }
        Some(most) => Ok(asked.min(most)),
    }
}

/// Does all jobs on up to `threads` threads, the calling one included, without the GIL.
///
/// What needs the GIL, the calling thread does while the others work: it gets the jobs from their iterator, and `finish`
/// takes there what was found out, with the number of the job, in order. Nothing is written before all jobs have come and
/// were begun well. After a failure or a signal, what was begun is finished and no more is begun.
pub(crate) fn for_each<W: Work>(
    py: Python<'_>,
    jobs: impl ExactSizeIterator<Item = PyResult<W::Job>>,
    threads: usize,
    work: &W,
    mut finish: impl FnMut(usize, W::Found) -> PyResult<()>,
) -> Result<(), Failure> {
    let n = jobs.len();
    let threads = match threads.min(n * work.parts()) {
        few @ (0 | 1) => few,
        many => many.min(processors()),
    };
    let interrupted = || if n > 1 { py.check_signals() } else { Ok(()) };
    if threads <= 1 {
        return alone(py, jobs, work, finish, interrupted);
    }
    survive_forks(py).map_err(Failure::Raised)?;
    let crew = Crew::new(work, threads);
    let lead = || {
        for (number, job) in jobs.enumerate() {
            crew.push(number, job?);
        }
        crew.close();
        while py.detach(|| crew.begin()) {
            interrupted()?;
        }
        let Some(found) = py.detach(|| crew.share()) else { return Ok(()) };
        for (number, finding) in found.into_iter().enumerate() {
            finish(number, finding)?;
        }
        while py.detach(|| crew.complete()) {
            interrupted()?;
        }
        Ok(())
    };
    crew.run(|| {
        let outcome = lead();
        py.detach(|| crew.leave());
        outcome
    })
    .map_err(Failure::Raised)?;
    match crew.failed() {
        Some((number, error)) => Err(Failure::Job(number, error)),
        None => Ok(()),
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

#[pyfunction]
fn after_fork() {
    crew::after_fork();
}

/// The same on the calling thread.
fn alone<W: Work>(
    py: Python<'_>,
    jobs: impl Iterator<Item = PyResult<W::Job>>,
    work: &W,
    mut finish: impl FnMut(usize, W::Found) -> PyResult<()>,
    interrupted: impl Fn() -> PyResult<()>,
) -> Result<(), Failure> {
    let jobs = jobs.collect::<PyResult<Vec<_>>>().map_err(Failure::Raised)?;
    let mut begun = Vec::with_capacity(jobs.len());
    for (number, job) in jobs.into_iter().enumerate() {
        begun.push(py.detach(|| work.begin(job)).map_err(|error| Failure::Job(number, error))?);
        interrupted().map_err(Failure::Raised)?;
    }
    for (number, (found, rest)) in begun.into_iter().enumerate() {
        py.detach(|| work.complete(rest)).map_err(|error| Failure::Job(number, error))?;
        finish(number, found).and_then(|()| interrupted()).map_err(Failure::Raised)?;
    }
    Ok(())
}
