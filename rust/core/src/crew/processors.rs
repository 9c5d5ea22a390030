//! How many threads can run at a time.

use std::sync::Mutex;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// Processors that this process may use, with affinity and the quota of a container in mind.
///
/// The operating system is asked once a second: it reads files for that, which takes longer than a small image.
#[must_use]
pub fn processors() -> usize {
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
