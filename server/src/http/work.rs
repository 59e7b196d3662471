//! Threads of their own for what HTTP requests cost, so that sockets never wait for pages.
//!
//! A page is read from the log, rendered and compressed in one job. Jobs run one after the other on one core fewer
//! than there are. A job never waits for one of Tokio's workers: those serve every socket, and a queue that moved
//! on through them would move as slowly as they do.

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
    time::Duration,
};
use tokio::{runtime::Handle, sync::oneshot, task::spawn_blocking, time::timeout};
use tower_http::CompressionLevel;

/// How long a job may wait for its turn. Past it the answer is 503.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// How well what is made for each client is compressed (brotli has 0 to 11). The page of a room with 50
/// messages has 47 KB, compressed 7.5. Level 4 would save 0.5 KB more and take about twice the time.
pub const COMPRESSION_LEVEL: CompressionLevel = CompressionLevel::Precise(3);

/// The server has more to do than it can in [`MAX_WAIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// The threads and the jobs that wait for them. A connection has one job at a time, so the queue is bounded by the
/// limit of connections.
pub struct HttpWork {
    threads: usize,
    /// Sections under this lock are short and never wait.
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// The jobs of each [`Priority`], the first one first.
    waiting: [VecDeque<Job>; 2],
    running: usize,
}

/// Which jobs go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// The client has not asked for a while.
    High,
    /// The client asks without a pause: it waits for those who do not.
    Low,
}

type Job = Box<dyn FnOnce() + Send>;

/// The states of a job: it waits, runs (or has run), or its request has given up.
const WAITS: u8 = 0;
const RUNS: u8 = 1;
const CANCELED: u8 = 2;

thread_local! {
    /// Whether this thread runs a job now.
    static IN_JOB: Cell<bool> = const { Cell::new(false) };
}

impl HttpWork {
    /// Threads that leave one core to the sockets, if there are two.
    pub fn new() -> Self {
        Self::with_threads(available_parallelism().map_or(1, NonZero::get).saturating_sub(1).max(1))
    }

    /// As many threads as `threads` says.
    pub fn with_threads(threads: usize) -> Self {
        Self { threads, queue: Mutex::default() }
    }

    /// Drives `work` on one of the threads when it is its turn; at once if the caller is such a job itself. It must
    /// wait for nothing but the log: it holds its thread meanwhile. A job that has begun is driven to its end
    /// although the request is dropped.
    ///
    /// # Errors
    /// [`Busy`] if the turn does not come in time.
    ///
    /// # Panics
    /// If `work` does.
    pub async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        priority: Priority,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Busy> {
        if IN_JOB.get() {
            return Ok(work.await);
        }
        let (answer, mut answered) = oneshot::channel();
        let state = Arc::new(AtomicU8::new(WAITS));
        let (runtime, own) = (Handle::current(), state.clone());
        let job = Box::new(move || {
            if !answer.is_closed() && begin(&own, RUNS) {
                let _ = answer.send(catch_unwind(AssertUnwindSafe(|| runtime.block_on(work))));
            }
        });
        self.submit(priority, job);
        let done = match timeout(MAX_WAIT, &mut answered).await {
            Err(_) if begin(&state, CANCELED) => return Err(Busy),
            Err(_) => answered.await,
            Ok(done) => done,
        };
        done.map_err(|_| Busy)?.map_err(|panic: Box<dyn Any + Send>| resume_unwind(panic))
    }

    fn submit(self: &Arc<Self>, priority: Priority, job: Job) {
        let mut queue = self.queue();
        queue.waiting[priority as usize].push_back(job);
        if queue.running < self.threads {
            queue.running += 1;
            let work = self.clone();
            spawn_blocking(move || work.run_jobs());
        }
    }

    fn run_jobs(&self) {
        IN_JOB.set(true);
        while let Some(job) = self.next() {
            job();
        }
        IN_JOB.set(false);
    }

    /// The next job, or none and one thread fewer.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        let job = queue.waiting.iter_mut().find_map(VecDeque::pop_front);
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

/// Moves a job that waits into another state. Returns whether it waited.
fn begin(state: &AtomicU8, next: u8) -> bool {
    state.compare_exchange(WAITS, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;

    #[tokio::test]
    async fn a_job_waits_for_its_turn_and_is_refused_after_two_seconds() {
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
        assert_eq!(
            work.run(Priority::Low, ready(2)).await,
            Ok(2),
            "the turn of the job that was given up is passed over"
        );
    }

    #[tokio::test]
    async fn a_job_inside_a_job_runs_at_once() {
        let work = Arc::new(HttpWork::with_threads(1));
        let inner = work.clone();
        let nested = async move { inner.run(Priority::Low, ready(7)).await };
        assert_eq!(work.run(Priority::Low, nested).await, Ok(Ok(7)));
    }

    #[tokio::test]
    async fn a_job_of_high_priority_goes_before_those_that_came_earlier() {
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

    #[tokio::test]
    async fn a_job_that_panics_gives_its_turn_back() {
        let work = Arc::new(HttpWork::with_threads(1));
        let panics = work.clone();
        let panicked =
            tokio::spawn(async move { panics.run(Priority::Low, async { panic!("as a test") }).await });
        assert!(panicked.await.unwrap_err().is_panic());
        assert_eq!(work.run(Priority::Low, ready(1)).await, Ok(1));
    }
}
