//! A thread pool for the work of HTTP requests, so that sockets never wait for pages.
//!
//! A page is read from the store, rendered and compressed in one job. The pool has one thread fewer than there are cores.
//! A job never waits for one of Tokio's workers: those serve every socket, so a queue that needed them would be as slow
//! as they are.

use std::{
    any::Any,
    cell::Cell,
    collections::VecDeque,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread::available_parallelism,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::oneshot, task::spawn_blocking, time::timeout};
use tower_http::CompressionLevel;

/// The longest time that a job may wait for a thread. Past it the response is 503.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// A queue has a backlog if its oldest job has waited this long.
const BACKLOG: Duration = Duration::from_millis(250);

/// Compression level of dynamic responses (brotli has 0 to 11). The page of a room with 50 messages has 47 KB, compressed
/// 7.5 KB. Level 4 would save 0.5 KB more and take about twice the time.
pub const COMPRESSION_LEVEL: CompressionLevel = CompressionLevel::Precise(3);

/// No thread became free within [`MAX_WAIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// The threads and their job queue. A connection has one job at a time, so the limit of connections bounds the queue.
pub struct HttpWork {
    threads: usize,
    /// Sections under this lock are short and never wait.
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// The waiting jobs of each [`Priority`] with the time at which they came, oldest first.
    waiting: [VecDeque<(Instant, Job)>; 2],
    running: usize,
}

/// The order of waiting jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// The client has sent no request for a while.
    High,
    /// The client sends requests without a pause: it waits for others.
    Low,
}

type Job = Box<dyn FnOnce() + Send>;

/// The states of a job: queued, started (or finished), or abandoned by its request.
const QUEUED: u8 = 0;
const STARTED: u8 = 1;
const CANCELED: u8 = 2;

thread_local! {
    /// This thread is running a job.
    static IN_JOB: Cell<bool> = const { Cell::new(false) };
}

impl HttpWork {
    /// Creates a pool that leaves one core to the sockets if there are two.
    pub fn new() -> Self {
        Self::with_threads(available_parallelism().map_or(1, NonZero::get).saturating_sub(1).max(1))
    }

    /// Creates a pool of `threads` threads.
    pub fn with_threads(threads: usize) -> Self {
        Self { threads, queue: Mutex::default() }
    }

    /// Runs `work` on a thread of the pool, or at once if the caller is a job itself. `work` occupies its thread, so it must
    /// wait for nothing but the store. A job that has started runs to completion even if this future is dropped.
    ///
    /// # Errors
    /// [`Busy`] if no thread becomes free in time.
    ///
    /// # Panics
    /// If `work` panics.
    pub async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        priority: Priority,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Busy> {
        if IN_JOB.get() {
            return Ok(work.await);
        }
        let (sender, mut result) = oneshot::channel();
        let state = Arc::new(AtomicU8::new(QUEUED));
        let (runtime, own) = (Handle::current(), state.clone());
        let job = Box::new(move || {
            if !sender.is_closed() && transition(&own, STARTED) {
                let _ = sender.send(catch_unwind(AssertUnwindSafe(|| runtime.block_on(work))));
            }
        });
        self.submit(priority, job);
        let done = match timeout(MAX_WAIT, &mut result).await {
            Err(_) if transition(&state, CANCELED) => return Err(Busy),
            Err(_) => result.await,
            Ok(done) => done,
        };
        done.map_err(|_| Busy)?.map_err(|panic: Box<dyn Any + Send>| resume_unwind(panic))
    }

    fn submit(self: &Arc<Self>, priority: Priority, job: Job) {
        let mut queue = self.queue();
        queue.waiting[priority as usize].push_back((Instant::now(), job));
        if queue.running < self.threads {
            queue.running += 1;
            let work = self.clone();
            spawn_blocking(move || work.run_jobs());
        }
    }

    fn run_jobs(&self) {
        IN_JOB.set(true);
        while let Some(job) = self.take_job() {
            job();
        }
        IN_JOB.set(false);
    }

    /// Takes the next job; without one, the thread leaves the pool.
    fn take_job(&self) -> Option<Job> {
        let mut queue = self.queue();
        let job = queue.waiting.iter_mut().find_map(take_next);
        queue.running -= usize::from(job.is_none());
        job
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for HttpWork {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes the oldest job, or the newest one if the oldest has waited for [`BACKLOG`]. In a backlog every client would
/// wait nearly [`MAX_WAIT`], and many of the oldest requests are abandoned already (adaptive LIFO: B. Maurer, "Fail at
/// Scale", ACM Queue 13(8), 2015).
fn take_next(waiting: &mut VecDeque<(Instant, Job)>) -> Option<Job> {
    let has_backlog = waiting.front().is_some_and(|(since, _)| since.elapsed() >= BACKLOG);
    let next = if has_backlog { waiting.pop_back() } else { waiting.pop_front() };
    next.map(|(_, job)| job)
}

/// Moves a queued job into another state. Returns `false` if the job was not queued.
fn transition(state: &AtomicU8, next: u8) -> bool {
    state.compare_exchange(QUEUED, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;

    #[tokio::test]
    async fn a_job_without_a_free_thread_is_rejected_after_two_seconds() {
        let work = Arc::new(HttpWork::with_threads(1));
        let (end, ended) = oneshot::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let first = work.clone();
        let stuck = tokio::spawn(async move {
            let job = async move {
                let _ = begun.send(());
                let _ = ended.await;
            };
            first.run(Priority::Low, job).await
        });
        begins.await.unwrap();
        tokio::time::pause();
        let mut second = Box::pin(work.run(Priority::Low, ready(1)));
        assert!(futures_util::poll!(&mut second).is_pending());
        tokio::time::advance(MAX_WAIT + Duration::from_millis(1)).await;
        assert_eq!(second.await, Err(Busy));
        end.send(()).unwrap();
        assert_eq!(stuck.await.unwrap(), Ok(()));
        assert_eq!(work.run(Priority::Low, ready(2)).await, Ok(2), "the abandoned job is skipped");
    }

    #[tokio::test]
    async fn a_nested_job_runs_at_once() {
        let work = Arc::new(HttpWork::with_threads(1));
        let inner = work.clone();
        let nested = async move { inner.run(Priority::Low, ready(7)).await };
        assert_eq!(work.run(Priority::Low, nested).await, Ok(Ok(7)));
    }

    #[tokio::test]
    async fn high_priority_job_runs_before_earlier_low_priority_jobs() {
        let work = Arc::new(HttpWork::with_threads(1));
        let (end, ended) = oneshot::channel::<()>();
        let order = Arc::new(Mutex::new(Vec::new()));
        let record = |name| {
            let order = order.clone();
            async move { order.lock().unwrap().push(name) }
        };
        let first = work.run(Priority::Low, async move { ended.await.unwrap() });
        let (low, high) = (work.run(Priority::Low, record("low")), work.run(Priority::High, record("high")));
        let release = async { end.send(()).unwrap() };
        let (first, low, high, ()) = tokio::join!(first, low, high, release);
        assert_eq!((first, low, high), (Ok(()), Ok(()), Ok(())));
        assert_eq!(*order.lock().unwrap(), ["high", "low"]);
    }

    #[test]
    fn in_a_backlog_the_last_job_goes_first() {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let job = |name: &'static str| -> Job {
            let taken = taken.clone();
            Box::new(move || taken.lock().unwrap().push(name))
        };
        let now = Instant::now();
        let mut waiting = VecDeque::from([(now - 2 * BACKLOG, job("first")), (now, job("second"))]);
        waiting.push_back((now, job("last")));
        while let Some(job) = take_next(&mut waiting) {
            job();
        }
        assert_eq!(*taken.lock().unwrap(), ["last", "second", "first"]);
        let mut waiting = VecDeque::from([(now, job("earlier")), (now, job("later"))]);
        take_next(&mut waiting).unwrap()();
        assert_eq!(taken.lock().unwrap().last(), Some(&"earlier"));
    }

    #[tokio::test]
    async fn a_panicking_job_frees_its_thread() {
        let work = Arc::new(HttpWork::with_threads(1));
        let panics = work.clone();
        let panicked =
            tokio::spawn(async move { panics.run(Priority::Low, async { panic!("as a test") }).await });
        assert!(panicked.await.unwrap_err().is_panic());
        assert_eq!(work.run(Priority::Low, ready(1)).await, Ok(1));
    }
}
