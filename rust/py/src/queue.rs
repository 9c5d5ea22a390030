//! Jobs on their way to threads, and what becomes of them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use copypaste_core::{Error, Result};

/// Jobs that wait, and what has become of others.
pub(crate) struct Queue<J, R> {
    state: Mutex<State<J, R>>,
    changed: Condvar,
}

struct State<J, R> {
    waiting: VecDeque<(usize, J)>,
    /// Whether more may come.
    open: bool,
    done: Vec<(usize, R)>,
    /// The first job that failed.
    failed: Option<(usize, Error)>,
}

impl<J, R> Queue<J, R> {
    /// Empty and open.
    pub(crate) fn new() -> Self {
        let state = State { waiting: VecDeque::new(), open: true, done: Vec::new(), failed: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Adds a job, numbered in the order in which they come.
    pub(crate) fn push(&self, number: usize, job: J) {
        let mut state = self.lock();
        if state.failed.is_none() {
            state.waiting.push_back((number, job));
            self.changed.notify_one();
        }
    }

    /// No more come.
    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.changed.notify_all();
    }

    /// No more are begun.
    pub(crate) fn stop(&self) {
        self.lock().waiting.clear();
        self.close();
    }

    /// The next job, waited for as long as one may come.
    pub(crate) fn next(&self) -> Option<(usize, J)> {
        let mut state = self.lock();
        loop {
            match state.waiting.pop_front() {
                None if state.open => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                next => return next,
            }
        }
    }

    /// Takes what has become of a job; after a failure no more are begun.
    pub(crate) fn ended(&self, number: usize, outcome: Result<R>) {
        let mut state = self.lock();
        match outcome {
            Ok(result) => state.done.push((number, result)),
            Err(error) => {
                state.waiting.clear();
                // They are begun in order, so all before this one will be heard of: the first one counts.
                if state.failed.as_ref().is_none_or(|&(first, _)| number < first) {
                    state.failed = Some((number, error));
                }
            }
        }
    }

    /// The results since the last call.
    pub(crate) fn take_done(&self) -> Vec<(usize, R)> {
        std::mem::take(&mut self.lock().done)
    }

    /// The first job that failed.
    pub(crate) fn take_failed(&self) -> Option<(usize, Error)> {
        self.lock().failed.take()
    }

    fn lock(&self) -> MutexGuard<'_, State<J, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
