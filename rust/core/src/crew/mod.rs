//! Items done in two steps by several threads: the first step finds out, the second writes.
//!
//! Nothing is written before the first step of all items has gone well. The calling thread leads: it hands out the
//! items, works on them like the others, and can do what only it may do in between.

mod helpers;
mod processors;
mod queue;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use self::helpers::Helpers;
pub use self::helpers::after_fork;
pub use self::processors::processors;
use self::queue::{Queue, awake_until};
use crate::{Error, Result};

/// What is done with an item.
pub trait Work: Sync {
    /// The item.
    type Job: Send;
    /// What the first step finds out.
    type Found: Send;
    /// What is left for the second step.
    type Rest: Send;

    /// The first step.
    ///
    /// # Errors
    /// When something is wrong with the item.
    fn begin(&self, job: Self::Job) -> Result<(Self::Found, Self::Rest)>;

    /// Into how many parts the second step of an item can be divided.
    fn parts(&self) -> usize {
        1
    }

    /// Divides it into so many parts or fewer.
    fn divide(&self, rest: Self::Rest, _parts: usize) -> Vec<Self::Rest> {
        vec![rest]
    }

    /// The second step, or a part of it.
    ///
    /// # Errors
    /// When it cannot be done.
    fn complete(&self, rest: Self::Rest) -> Result<()>;
}

/// Items on their way through both steps, and the threads that do them.
pub struct Crew<'w, W: Work> {
    work: &'w W,
    threads: usize,
    first: Queue<W::Job, (W::Found, W::Rest)>,
    second: Queue<W::Rest, ()>,
    /// Threads, beside the leader, that still work.
    others: AtomicUsize,
    /// What one of them stumbled over.
    panicked: Mutex<Option<Box<dyn Any + Send>>>,
}

impl<'w, W: Work> Crew<'w, W> {
    /// A crew of so many threads, the leader included.
    #[must_use]
    pub fn new(work: &'w W, threads: usize) -> Self {
        Self {
            work,
            threads,
            first: Queue::new(),
            second: Queue::new(),
            others: AtomicUsize::new(0),
            panicked: Mutex::new(None),
        }
    }

    /// Calls `lead` while the other threads work on what it hands out. It must [`leave`](Self::leave) at the end.
    ///
    /// # Panics
    /// With what `lead` or the work panicked with.
    pub fn run<T>(&self, lead: impl FnOnce() -> T) -> T {
        let led = match Helpers::take(self.threads.saturating_sub(1), processors()) {
            None => lead(),
            Some(helpers) => {
                let led = helpers.pool.in_place_scope(|scope| {
                    // By a panic too: nobody would wait for threads that wait for items.
                    let _stopped = Stopped(self);
                    for _ in 1..self.threads {
                        self.others.fetch_add(1, Ordering::Relaxed);
                        scope.spawn(|_| self.follow());
                    }
                    lead()
                });
                helpers.give_back();
                led
            }
        };
        // Not to be taken for a result that is missing.
        if let Some(panic) = self.panicked.lock().unwrap_or_else(PoisonError::into_inner).take() {
            resume_unwind(panic);
        }
        led
    }

    /// Adds an item, the one of this number: they are counted from 0.
    pub fn push(&self, number: usize, job: W::Job) {
        self.first.push(number, job);
    }

    /// No more items come.
    pub fn close(&self) {
        self.first.close();
    }

    /// Does the first step of one item; false when none is left.
    pub fn begin(&self) -> bool {
        self.first.step(|job| self.work.begin(job))
    }

    /// Waits for the first steps to end, and hands out the second ones. Gives what was found out, in the order of the
    /// items; none when one has failed.
    pub fn share(&self) -> Option<Vec<W::Found>> {
        let begun = self.first.results()?;
        let n = begun.len();
        let (mut found, mut parts) = (Vec::with_capacity(n), Vec::with_capacity(n + self.threads));
        for (number, (finding, rest)) in begun.into_iter().enumerate() {
            found.push(finding);
            // Divided, so that no thread is without work while another has a whole item before it.
            if self.threads > 1 && number + self.threads >= n {
                // All of them come to the last item. Fewer are free for those before it, and each has to get ready.
                let shares = (2 * self.threads).div_ceil(n - number + 1).min(self.work.parts());
                parts.extend(self.work.divide(rest, shares).into_iter().map(|part| (number, part)));
            } else {
                parts.push((number, rest));
            }
        }
        // All at once: others wait for them, and would fall asleep over a queue that is in use again and again.
        self.second.push_last(parts);
        Some(found)
    }

    /// Does one second step, or a part of it; false when none is left.
    pub fn complete(&self) -> bool {
        self.second.step(|rest| self.work.complete(rest))
    }

    /// Nothing more is begun; waits for what is.
    pub fn leave(&self) {
        self.stop();
        self.first.results();
        self.second.results();
        // The scope waits for the threads as well, but would fall asleep over it.
        awake_until(|| self.others.load(Ordering::Relaxed) == 0);
    }

    /// The first item that failed, and why.
    pub fn failed(&self) -> Option<(usize, Error)> {
        self.first.take_failed().or_else(|| self.second.take_failed())
    }

    fn stop(&self) {
        self.first.stop();
        self.second.stop();
    }

    /// What every thread but the leader does.
    fn follow(&self) {
        let work = AssertUnwindSafe(|| {
            while self.begin() {}
            while self.complete() {}
        });
        if let Err(panic) = catch_unwind(work) {
            *self.panicked.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
        }
        self.others.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Stopped<'a, 'w, W: Work>(&'a Crew<'w, W>);

impl<W: Work> Drop for Stopped<'_, '_, W> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
