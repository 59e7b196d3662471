//! One budget in bytes for all unsent data of this process: HTTP answers, the queues of sockets and streams, and their
//! write buffers.

use futures_util::task::AtomicWaker;
use std::{
    cmp::Reverse,
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// Time between two searches for the largest accounts while the budget is exceeded. Evicted connections need a moment to
/// give their bytes back.
const SCAN_INTERVAL: Duration = Duration::from_millis(50);

/// The budget, shared by all connections.
#[derive(Debug, Clone)]
pub struct UnsentBudget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    total: AtomicUsize,
    /// Sections under this lock are short and never wait.
    accounts: Mutex<Accounts>,
}

#[derive(Debug, Default)]
struct Accounts {
    by_id: HashMap<u64, Weak<Account>>,
    next_id: u64,
    last_scan: Option<Instant>,
}

/// The unsent bytes of one connection. It changes only for bytes that had to wait: a delivery that the kernel takes at
/// once does not touch it.
pub struct Account {
    id: u64,
    bytes: AtomicUsize,
    is_evicted: AtomicBool,
    task: AtomicWaker,
    shared: Arc<Shared>,
}

impl UnsentBudget {
    /// Creates a budget of `limit` bytes. Above it the largest accounts are evicted until a quarter is free.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, total: AtomicUsize::new(0), accounts: Mutex::default() }))
    }

    /// Opens the account of a connection.
    pub fn open(&self) -> Arc<Account> {
        let mut accounts = self.0.accounts();
        let id = accounts.next_id;
        accounts.next_id += 1;
        let account = Arc::new(Account {
            id,
            bytes: AtomicUsize::new(0),
            is_evicted: AtomicBool::new(false),
            task: AtomicWaker::new(),
            shared: self.0.clone(),
        });
        accounts.by_id.insert(id, Arc::downgrade(&account));
        account
    }

    /// Returns the bytes that clients have yet to take.
    pub fn total(&self) -> usize {
        self.0.total.load(Ordering::Relaxed)
    }
}

impl Account {
    /// Adds `bytes` that wait now.
    pub fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.shared.total.fetch_add(bytes, Ordering::Relaxed) + bytes > self.shared.limit {
            self.shared.evict_largest();
        }
    }

    /// Removes `bytes` that were sent or dropped.
    pub fn sub(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.shared.total.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Replaces the part `charged` of the account by `bytes`.
    pub fn recharge(&self, charged: &mut usize, bytes: usize) {
        let before = std::mem::replace(charged, bytes);
        if bytes > before {
            self.add(bytes - before);
        } else if bytes < before {
            self.sub(before - bytes);
        }
    }

    /// Resolves when this account was among the largest while the budget was exceeded. Only the last task that polled is
    /// woken.
    pub fn poll_evicted(&self, cx: &Context<'_>) -> Poll<()> {
        self.task.register(cx.waker());
        if self.is_evicted.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Cancels the eviction: the connection has given back enough bytes.
    pub fn forgive(&self) {
        self.is_evicted.store(false, Ordering::Release);
    }

    fn evict(&self) {
        self.is_evicted.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl Shared {
    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Evicts the largest accounts, so that a quarter of the budget is free once they are closed.
    fn evict_largest(&self) {
        let mut accounts = self.accounts();
        if accounts.last_scan.is_some_and(|last| last.elapsed() < SCAN_INTERVAL) {
            return;
        }
        accounts.last_scan = Some(Instant::now());
        let mut open: Vec<_> = accounts.by_id.values().filter_map(Weak::upgrade).collect();
        drop(accounts);
        open.sort_by_cached_key(|account| Reverse(account.bytes.load(Ordering::Relaxed)));
        let mut left = self.total.load(Ordering::Relaxed);
        for account in open {
            if left <= self.limit - self.limit / 4 {
                return;
            }
            left = left.saturating_sub(account.bytes.load(Ordering::Relaxed));
            account.evict();
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.shared.total.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
        self.shared.accounts().by_id.remove(&self.id);
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("bytes", &self.bytes).field("is_evicted", &self.is_evicted).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::task::noop_waker_ref;

    fn is_evicted(account: &Account) -> bool {
        account.poll_evicted(&Context::from_waker(noop_waker_ref())).is_ready()
    }

    #[test]
    fn the_largest_accounts_are_evicted_above_the_budget() {
        let budget = UnsentBudget::new(1_000);
        let accounts: Vec<_> = (0..4).map(|_| budget.open()).collect();
        for (account, bytes) in accounts.iter().zip([100, 400, 300, 150]) {
            account.add(bytes);
        }
        assert!(!accounts.iter().any(|account| is_evicted(account)), "950 of 1,000");
        accounts[0].add(100);
        let evicted: Vec<_> = accounts.iter().map(|account| is_evicted(account)).collect();
        assert_eq!(evicted, [false, true, false, false]);
    }

    #[test]
    fn sent_and_dropped_bytes_leave_the_budget() {
        let budget = UnsentBudget::new(1_000);
        let (one, other) = (budget.open(), budget.open());
        let mut charged = 0;
        one.recharge(&mut charged, 300);
        one.recharge(&mut charged, 100);
        other.add(50);
        assert_eq!((budget.total(), charged), (150, 100));
        drop(one);
        other.sub(50);
        assert_eq!(budget.total(), 0);
        drop(other);
        assert!(budget.0.accounts().by_id.is_empty());
    }
}
