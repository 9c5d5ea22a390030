use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{current, sleep};
use std::time::Duration;

use super::{Crew, Work};
use crate::{Error, Result};

/// Squares numbers, and writes down which hundredths of which item were completed.
#[derive(Default)]
struct Squares {
    completed: Mutex<Vec<(usize, usize, usize)>>,
    /// Numbers that cannot be squared.
    bad: Vec<usize>,
    /// Numbers of which the last part cannot be completed.
    stuck: Vec<usize>,
    /// When the other threads panic.
    panics: Option<Step>,
    panicked: AtomicBool,
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Begin,
    Complete,
}

impl Squares {
    /// Panics on any thread but that of the test, which has a name.
    fn maybe_panic(&self, step: Step) {
        if self.panics == Some(step) {
            if current().name().is_none() {
                self.panicked.store(true, Ordering::Relaxed);
                resume_unwind(Box::new("stumbled"));
            }
            while !self.panicked.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(1)); // leave some for the others
            }
        }
    }

    fn completed(&self) -> Vec<(usize, usize, usize)> {
        let mut completed = self.completed.lock().unwrap().clone();
        completed.sort_unstable();
        completed
    }
}

impl Work for Squares {
    type Job = usize;
    type Found = usize;
    type Rest = (usize, usize, usize);

    fn begin(&self, job: usize) -> Result<(usize, Self::Rest)> {
        self.maybe_panic(Step::Begin);
        if self.bad.contains(&job) {
            return Err(Error::NotInAlphabet { string: job, position: 0, byte: 0 });
        }
        Ok((job * job, (job, 0, 100)))
    }

    fn parts(&self) -> usize {
        10
    }

    fn divide(&self, (job, ..): Self::Rest, parts: usize) -> Vec<Self::Rest> {
        (0..parts).map(|i| (job, 100 * i / parts, 100 * (i + 1) / parts)).collect()
    }

    fn complete(&self, rest: Self::Rest) -> Result<()> {
        self.maybe_panic(Step::Complete);
        if rest.2 == 100 && self.stuck.contains(&rest.0) {
            return Err(Error::OutOfMemory { bytes: rest.0 });
        }
        self.completed.lock().unwrap().push(rest);
        Ok(())
    }
}

/// All of it, as a leader does it who has nothing else to do.
fn lead(crew: &Crew<'_, Squares>, items: usize) -> Option<Vec<usize>> {
    crew.run(|| {
        (0..items).for_each(|item| crew.push(item, item));
        crew.close();
        while crew.begin() {}
        let found = crew.share();
        while found.is_some() && crew.complete() {}
        crew.leave();
        found
    })
}

#[test]
fn every_part_of_every_item_is_done_once() {
    for threads in 1..6 {
        for items in [0, 1, 2, 5, 40] {
            let work = Squares::default();
            let crew = Crew::new(&work, threads);
            let found = lead(&crew, items);
            assert_eq!(found, Some((0..items).map(|item| item * item).collect()));
            assert_eq!(crew.failed(), None);
            let mut ends = vec![0; items];
            for (item, start, end) in work.completed() {
                assert_eq!(ends[item], start, "{threads} threads, {items} items");
                ends[item] = end;
            }
            assert_eq!(ends, vec![100; items]);
        }
    }
}

#[test]
fn the_last_items_are_divided_among_threads() {
    let parts = |threads| {
        let work = Squares::default();
        lead(&Crew::new(&work, threads), 4);
        let completed = work.completed();
        [0, 1, 2, 3].map(|item| completed.iter().filter(|part| part.0 == item).count())
    };
    assert_eq!(parts(1), [1, 1, 1, 1]);
    assert_eq!(parts(2), [1, 1, 2, 2]);
    assert_eq!(parts(3), [1, 2, 2, 3]);
    assert_eq!(parts(16), [7, 8, 10, 10]); // no more than there are
}

#[test]
fn nothing_is_completed_when_an_item_is_bad() {
    for threads in 1..5 {
        let work = Squares { bad: vec![17, 5], ..Squares::default() };
        let crew = Crew::new(&work, threads);
        assert_eq!(lead(&crew, 20), None);
        assert!(matches!(crew.failed(), Some((5, Error::NotInAlphabet { string: 5, .. }))));
        assert_eq!(work.completed(), []);
    }
}

#[test]
fn an_item_that_cannot_be_completed_is_named() {
    for threads in 1..5 {
        let work = Squares { stuck: vec![3, 18], ..Squares::default() };
        let crew = Crew::new(&work, threads);
        assert!(lead(&crew, 19).is_some());
        assert_eq!(crew.failed(), Some((3, Error::OutOfMemory { bytes: 3 })));
        let work = Squares { stuck: vec![18], ..Squares::default() };
        let crew = Crew::new(&work, threads);
        lead(&crew, 19);
        assert_eq!(crew.failed(), Some((18, Error::OutOfMemory { bytes: 18 })));
    }
}

#[test]
fn a_leader_that_gives_up_is_not_waited_for() {
    let work = Squares::default();
    let crew = Crew::new(&work, 3);
    crew.run(|| {
        crew.push(0, 1);
        crew.leave();
    });
    assert_eq!(work.completed(), []);
}

#[test]
fn a_panic_of_another_thread_is_that_of_the_leader() {
    for step in [Step::Begin, Step::Complete] {
        let work = Squares { panics: Some(step), ..Squares::default() };
        let crew = Crew::new(&work, 3);
        let panic = catch_unwind(AssertUnwindSafe(|| lead(&crew, 20))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"stumbled"));
    }
}

#[test]
fn a_panic_of_the_leader_leaves_nobody_waiting() {
    let work = Squares::default();
    let crew = Crew::new(&work, 3);
    let led = catch_unwind(AssertUnwindSafe(|| {
        crew.run(|| {
            crew.push(0, 1);
            resume_unwind(Box::new("fell over"))
        })
    }));
    assert_eq!(led.unwrap_err().downcast_ref(), Some(&"fell over"));
}
