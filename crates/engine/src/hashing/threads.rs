//! The threads that hash, and nothing else: each keeps the memory of its last computation for the
//! next one, and gives it back when there is nothing to do for a while.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Work = Box<dyn FnOnce() + Send>;

/// How long a thread without work keeps its memory.
const REST: Duration = Duration::from_secs(5);

/// The threads. They end when the value is dropped, after what is queued.
pub(super) struct Threads(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    bell: Condvar,
}

#[derive(Default)]
struct Queue {
    works: VecDeque<Work>,
    is_closed: bool,
}

impl Threads {
    pub fn start(count: usize) -> std::io::Result<Self> {
        let threads = Self(Arc::default());
        for _ in 0..count {
            let shared = Arc::clone(&threads.0);
            let thread = std::thread::Builder::new().name("hashing".into());
            thread.spawn(move || shared.serve())?;
        }
        Ok(threads)
    }

    /// Queues some work.
    pub fn run(&self, work: impl FnOnce() + Send + 'static) {
        self.0.queue().works.push_back(Box::new(work));
        self.0.bell.notify_one();
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.0.queue().is_closed = true;
        self.0.bell.notify_all();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        while let Some(work) = self.next() {
            // Whoever waits for a work that panics sees its answer's channel close.
            let _ = catch_unwind(AssertUnwindSafe(work));
        }
    }

    /// The next work; `None` when there will be no more.
    fn next(&self) -> Option<Work> {
        let mut queue = self.queue();
        let mut holds_memory = true;
        loop {
            if let Some(work) = queue.works.pop_front() {
                return Some(work);
            }
            if queue.is_closed {
                return None;
            }
            if !holds_memory {
                queue = self
                    .bell
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let waited = self.bell.wait_timeout(queue, REST);
            let (guard, ended) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = guard;
            if ended.timed_out() && queue.works.is_empty() {
                password::release_memory();
                holds_memory = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works_are_done_by_few_threads_whatever_one_of_them_does() {
        let threads = Threads::start(2).unwrap();
        let (sender, answers) = std::sync::mpsc::channel();
        threads.run(|| std::panic::resume_unwind(Box::new("as told")));
        for number in 0..20 {
            let sender = sender.clone();
            threads.run(move || sender.send((number, std::thread::current().id())).unwrap());
        }
        drop((threads, sender));
        let done: Vec<_> = answers.iter().collect();
        let names: std::collections::HashSet<_> = done.iter().map(|(_, thread)| *thread).collect();
        assert_eq!(done.len(), 20);
        assert!(names.len() <= 2);
    }
}
