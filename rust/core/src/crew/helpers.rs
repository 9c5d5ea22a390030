//! Threads that help the calling one. They are kept from one call to the next: starting some takes longer than waking
//! them.
//!
//! A process made by `fork` has none of the threads that it believes to have, and would wait for them for ever. Helpers
//! belong to the process that started them, and are forgotten in any other.

use std::mem::forget;
use std::process;
use std::sync::Mutex;

use rayon_core::{ThreadPool, ThreadPoolBuilder};

/// Those that nobody uses at the moment. Whoever needs them takes them away, so that no call waits for another.
///
/// It is only tried to lock this: after a fork it may be locked for ever. Helpers are then started for each call.
static IDLE: Mutex<Option<Helpers>> = Mutex::new(None);

/// Some threads.
pub(super) struct Helpers {
    pub(super) pool: ThreadPool,
    /// The process that started them.
    process: u32,
    /// How many processors it could use then: threads stay on these.
    processors: usize,
}

impl Helpers {
    /// So many or more, where so many processors can be used; none where the system gives none.
    pub(super) fn take(n: usize, processors: usize) -> Option<Self> {
        if n == 0 {
            return None;
        }
        let mut idle = IDLE.try_lock().ok().and_then(|mut idle| idle.take());
        if let Some(unfit) = idle.take_if(|idle| !idle.fits(n, processors)) {
            unfit.dismiss();
        }
        idle.or_else(|| Self::start(n, processors))
    }

    fn start(n: usize, processors: usize) -> Option<Self> {
        let pool = ThreadPoolBuilder::new().num_threads(n).build().ok()?;
        Some(Self { pool, process: process::id(), processors })
    }

    /// For whoever needs some next.
    pub(super) fn give_back(self) {
        let Ok(mut idle) = IDLE.try_lock() else { return };
        if let Some(other) = idle.replace(self) {
            other.dismiss();
        }
    }

    fn fits(&self, n: usize, processors: usize) -> bool {
        self.process == process::id() && self.processors == processors && self.pool.current_num_threads() >= n
    }

    /// Ends them; those of another process are not there to be told.
    fn dismiss(self) {
        if self.process != process::id() {
            forget(self.pool);
        }
    }
}

/// To be called in a process made by `fork`. Its number tells it from its parent, but may be that of a process
/// before, which has ended.
pub fn after_fork() {
    if let Ok(mut idle) = IDLE.try_lock() {
        forget(idle.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_fit_where_they_were_started() {
        let helpers = Helpers::start(2, 4).unwrap();
        assert!(helpers.fits(1, 4));
        assert!(helpers.fits(2, 4));
        assert!(!helpers.fits(3, 4), "too few");
        assert!(!helpers.fits(2, 3), "they may be on processors that are no longer ours");
        let inherited = Helpers { process: helpers.process ^ 1, ..helpers };
        assert!(!inherited.fits(1, 4));
        inherited.dismiss();
    }

    #[test]
    fn nobody_is_started_where_nobody_is_needed() {
        assert!(Helpers::take(0, 4).is_none());
    }
}
