//! Jobs on their way to threads, and what becomes of them.

use std::collections::VecDeque;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// Jobs that wait, and what has become of others.
pub(super) struct Queue<J, R> {
    state: Mutex<State<J, R>>,
    /// Counts the changes that somebody may wait for.
    changes: AtomicUsize,
    changed: Condvar,
}

struct State<J, R> {
    waiting: VecDeque<(usize, J)>,
    /// Whether more may come.
    open: bool,
    /// How many have come.
    pushed: usize,
    /// How many are being done.
    running: usize,
    /// How many threads have fallen asleep over waiting.
    sleeping: usize,
    done: Vec<(usize, R)>,
    /// The first job that failed.
    failed: Option<(usize, Error)>,
}

impl<J, R> Queue<J, R> {
    /// Empty and open.
    pub(super) fn new() -> Self {
        let state = State {
            waiting: VecDeque::new(),
            open: true,
            pushed: 0,
            running: 0,
            sleeping: 0,
            done: Vec::new(),
            failed: None,
        };
        Self { state: Mutex::new(state), changes: AtomicUsize::new(0), changed: Condvar::new() }
    }

    /// Adds a job that belongs to the item of this number. Numbers never descend.
    pub(super) fn push(&self, number: usize, job: J) {
        let mut state = self.lock();
        state.pushed += 1;
        if state.failed.is_none() && state.open {
            state.waiting.push_back((number, job));
            self.has_changed(&state);
        }
    }

    /// Adds some with their numbers, the last ones; nothing if the queue was stopped.
    pub(super) fn push_last(&self, jobs: Vec<(usize, J)>) {
        let mut state = self.lock();
        state.pushed += jobs.len();
        if state.failed.is_none() && state.open {
            state.waiting.extend(jobs);
        }
        state.open = false;
        self.has_changed(&state);
    }

    /// No more come.
    pub(super) fn close(&self) {
        self.push_last(Vec::new());
    }

    /// No more are begun.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.waiting.clear();
        state.open = false;
        self.has_changed(&state);
    }

    /// Does the next job, waited for as long as one may come; false when there is none left to do.
    pub(super) fn step(&self, work: impl FnOnce(J) -> Result<R>) -> bool {
        let Some((number, job)) = self.next() else { return false };
        let _running = Running(self);
        let outcome = work(job);
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
        true
    }

    fn next(&self) -> Option<(usize, J)> {
        let mut state = self.lock();
        loop {
            match state.waiting.pop_front() {
                None if state.open => state = self.wait(state),
                None => return None,
                next => {
                    state.running += 1;
                    return next;
                }
            }
        }
    }

    /// Of a closed queue, waits for the last jobs to end and gives the results in order; none unless all have one.
    pub(super) fn results(&self) -> Option<Vec<R>> {
        let mut state = self.lock();
        while state.running > 0 || !state.waiting.is_empty() {
            state = self.wait(state);
        }
        let mut done = std::mem::take(&mut state.done);
        done.sort_unstable_by_key(|&(number, _)| number);
        (done.len() == state.pushed).then(|| done.into_iter().map(|(_, result)| result).collect())
    }

    /// The first job that failed.
    pub(super) fn take_failed(&self) -> Option<(usize, Error)> {
        self.lock().failed.take()
    }

    fn lock(&self) -> MutexGuard<'_, State<J, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of the state until it may have changed.
    fn wait<'a>(&'a self, state: MutexGuard<'a, State<J, R>>) -> MutexGuard<'a, State<J, R>> {
        let seen = self.changes.load(Ordering::Relaxed);
        let changed = || self.changes.load(Ordering::Relaxed) != seen;
        drop(state);
        awake_until(changed);
        let mut state = self.lock();
        if !changed() {
            state.sleeping += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.sleeping -= 1;
        }
        state
    }

    /// To be called with the state in hand, and changed.
    fn has_changed(&self, state: &State<J, R>) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        // The system would be called even where nobody sleeps, and others, who find the state in use meanwhile, fall
        // asleep over that.
        if state.sleeping > 0 {
            self.changed.notify_all();
        }
    }
}

/// Says when it goes, by a panic too, that a job has ended.
struct Running<'a, J, R>(&'a Queue<J, R>);

impl<J, R> Drop for Running<'_, J, R> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running -= 1;
        self.0.has_changed(&state);
    }
}

/// Waits a moment for something without falling asleep: to be woken takes longer than most waits here last.
pub(super) fn awake_until(ready: impl Fn() -> bool) {
    const MOMENT: Duration = Duration::from_micros(100);
    const LOOKS: usize = 64;
    let begun = Instant::now();
    while begun.elapsed() < MOMENT {
        for _ in 0..LOOKS {
            if ready() {
                return;
            }
            spin_loop();
        }
    }
}
