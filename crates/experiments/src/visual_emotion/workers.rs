//! Tasks side by side that are themselves parallel inside.
//!
//! A thread of a pool that waits for its own parts takes up other tasks in the meantime, and all that it has begun stays in memory: with
//! thousands of small tasks, that is all of it. Here each thread has a pool of its own, of one thread, and ends what it began.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What each of `n` tasks gives, in their order, worked on by as many threads as the pool of the caller has.
///
/// # Errors
///
/// The error of the first task (in their order) that failed; no further ones are begun.
pub fn side_by_side<T: Send, E: Send>(
    n: usize,
    task: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let n_threads = rayon::current_num_threads().min(n);
    if n_threads < 2 {
        return (0..n).map(task).collect();
    }
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(usize, Result<T, E>)>> = Mutex::new(Vec::with_capacity(n));
    let work = || {
        loop {
            let idx = next.fetch_add(1, Ordering::Relaxed);
            if idx >= n {
                return;
            }
            let one = task(idx);
            if one.is_err() {
                next.store(n, Ordering::Relaxed);
            }
            let mut found = found
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            found.push((idx, one));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(
                || match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(work),
                    // Without a pool of its own it works in that of the program.
                    Err(_) => work(),
                },
            );
        }
    });
    let mut found = found
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    found.sort_by_key(|(idx, _)| *idx);
    found.into_iter().map(|(_, one)| one).collect()
}
