//! Rate limits by network: all clients behind one address share them, whatever their cookies say.
//!
//! Identities are free, so a limit on each user bounds nothing by itself. With the defaults, 2,000 users behind one
//! address can open their pages in the same minute; `--per-network` scales them.

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock};
use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
    str::FromStr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Networks with a limit of their own. Beyond them, new networks share a limit with their neighbors: one of
/// [`OVERFLOW_GROUPS`].
const MAX_NETWORKS: usize = 10_000;

/// Groups of networks beyond [`MAX_NETWORKS`], by IPv4 /16 or IPv6 /32.
const OVERFLOW_GROUPS: usize = 256;

/// Time without a use after which a network is evicted: every limit is replenished by then.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The longest time that a read may wait for its turn before it is rejected.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// The clients that share a limit: those of an IPv4 address, of an IPv6 /64 (the least that one customer gets), or the
/// programs of this machine behind a Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// One IPv4 address, also where it comes as IPv4-mapped IPv6.
    V4(Ipv4Addr),
    /// The first 64 bits of an IPv6 address.
    V6(u64),
    /// No address: a Unix socket without a proxy's header.
    Local,
}

/// An action that is limited by network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A client without a cookie becomes a new user.
    Identity,
    /// A post, an edit or a deletion of a user.
    Post,
    /// The same without a cookie: together they have three quarters of the rate of one user.
    AnonymousPost,
    /// A user begins to upload a file.
    Upload,
    /// A user changes their name.
    Rename,
    /// A room is created, or its title changes.
    Room,
    /// A read of the API, or a socket.
    Read,
    /// A socket joins a room.
    Join,
    /// A page is rendered.
    Page,
    /// Messages are searched.
    Search,
    /// A link to another device or a recovery code is made.
    DeviceLink,
    /// A password or the secret of a link is tried.
    Secret,
    /// A recovery code is tried.
    Recovery,
}

impl Use {
    const ALL: [Self; 13] = [
        Self::Identity,
        Self::Post,
        Self::AnonymousPost,
        Self::Upload,
        Self::Rename,
        Self::Room,
        Self::Read,
        Self::Join,
        Self::Page,
        Self::Search,
        Self::DeviceLink,
        Self::Secret,
        Self::Recovery,
    ];

    /// Returns the uses a second and the burst at 100 percent; `None` for no limit.
    fn rate(self, post_rate: u32) -> Option<(f64, u32)> {
        let is_write = matches!(self, Self::Post | Self::AnonymousPost | Self::Rename | Self::Room);
        if is_write && post_rate == 0 {
            return None;
        }
        Some(match self {
            Self::Identity => (300.0, 3_000),
            Self::Post => (5.0 * f64::from(post_rate), post_rate.saturating_mul(25)),
            Self::AnonymousPost => (0.75 * f64::from(post_rate), (post_rate / 2).max(1)),
            Self::Upload => (2.0, 600),
            Self::Rename => (10.0, 2_500),
            Self::Room => (0.2, 100),
            Self::Read => (400.0, 4_000),
            Self::Join => (1_000.0, 60_000),
            Self::Page => (100.0, 2_000),
            Self::Search => (20.0, 400),
            Self::DeviceLink => (1.0, 100),
            Self::Secret => (0.2, 100),
            Self::Recovery => (0.2, 20),
        })
    }
}

/// The limits of all networks with recent uses.
#[derive(Debug)]
pub struct NetworkLimits {
    /// `None` if networks are not limited.
    scale: Option<Scale>,
    /// Sections under this lock are short and never wait.
    networks: Mutex<HashMap<Network, Arc<NetworkUsage>>>,
    overflow: [OnceLock<Arc<NetworkUsage>>; OVERFLOW_GROUPS],
    hasher: RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Scale {
    percent: u32,
    post_rate: u32,
}

/// The limits of one network, and how far they are used.
#[derive(Debug)]
pub struct NetworkUsage {
    limits: [Option<Limit>; Use::ALL.len()],
    last_use: Mutex<Instant>,
}

#[derive(Debug)]
struct Limit {
    limiter: DefaultDirectRateLimiter,
    /// Uses that may wait for their turn.
    max_waiting: usize,
    waiting: AtomicUsize,
    /// Held by the use that waits for the limiter; others queue for it in order of arrival.
    turn: tokio::sync::Mutex<()>,
}

impl NetworkLimits {
    /// Creates limits of `percent` of the defaults, 0 for none. Writes are unlimited if `post_rate` is 0.
    pub fn new(percent: u32, post_rate: u32) -> Self {
        Self {
            scale: (percent > 0).then_some(Scale { percent, post_rate }),
            networks: Mutex::default(),
            overflow: [const { OnceLock::new() }; OVERFLOW_GROUPS],
            hasher: RandomState::new(),
        }
    }

    /// Returns the limits of `network`.
    pub fn usage(&self, network: Network) -> Arc<NetworkUsage> {
        let mut networks = self.networks();
        if let Some(usage) = networks.get(&network) {
            return usage.clone();
        }
        if networks.len() >= MAX_NETWORKS {
            drop(networks);
            let group = self.hasher.hash_one(network.neighborhood()) as usize % OVERFLOW_GROUPS;
            return self.overflow[group].get_or_init(|| Arc::new(NetworkUsage::new(self.scale))).clone();
        }
        let usage = Arc::new(NetworkUsage::new(self.scale));
        networks.insert(network, usage.clone());
        usage
    }

    /// Returns `true` if this use is limited.
    pub fn is_limited(&self, what: Use) -> bool {
        self.scale.is_some_and(|scale| what.rate(scale.post_rate).is_some())
    }

    /// Evicts networks without connections and recent uses.
    pub fn evict_idle(&self) {
        let mut networks = self.networks();
        networks.retain(|_, usage| Arc::strong_count(usage) > 1 || !usage.is_idle());
        networks.shrink_to_fit();
    }

    fn networks(&self) -> MutexGuard<'_, HashMap<Network, Arc<NetworkUsage>>> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NetworkUsage {
    fn new(scale: Option<Scale>) -> Self {
        let limit = |what: Use| scale.and_then(|scale| Limit::new(what, scale));
        Self { limits: Use::ALL.map(limit), last_use: Mutex::new(Instant::now()) }
    }

    /// Counts one use now.
    ///
    /// # Errors
    /// The time until the next use is allowed, if the limit is reached.
    pub fn take(&self, what: Use) -> Result<(), Duration> {
        let Some(limit) = &self.limits[what as usize] else { return Ok(()) };
        self.touch();
        limit.take()
    }

    /// Counts one use after those that wait already; waits at most [`MAX_WAIT`]. So a network that reads too much is slowed
    /// down, each of its clients alike, before it is rejected.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    ///
    /// # Errors
    /// The time until the next try, if too many uses wait already.
    pub async fn admit(&self, what: Use) -> Result<(), Duration> {
        let Some(limit) = &self.limits[what as usize] else { return Ok(()) };
        self.touch();
        limit.admit().await
    }

    fn touch(&self) {
        *self.last_use.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_idle(&self) -> bool {
        self.last_use.lock().unwrap_or_else(PoisonError::into_inner).elapsed() >= IDLE_TIMEOUT
    }
}

impl Limit {
    fn new(what: Use, Scale { percent, post_rate }: Scale) -> Option<Self> {
        let (rate, burst) = what.rate(post_rate)?;
        let rate = rate * f64::from(percent) / 100.0;
        let burst = (u64::from(burst) * u64::from(percent) / 100).clamp(1, u64::from(u32::MAX)) as u32;
        let quota = Quota::with_period(Duration::from_secs_f64(rate.recip()))?;
        Some(Self {
            limiter: RateLimiter::direct(quota.allow_burst(NonZeroU32::new(burst)?)),
            max_waiting: (rate * MAX_WAIT.as_secs_f64()) as usize,
            waiting: AtomicUsize::new(0),
            turn: tokio::sync::Mutex::const_new(()),
        })
    }

    fn take(&self) -> Result<(), Duration> {
        self.limiter.check().map_err(|not_until| not_until.wait_time_from(self.limiter.clock().now()))
    }

    async fn admit(&self) -> Result<(), Duration> {
        if self.waiting.load(Ordering::Relaxed) == 0 && self.take().is_ok() {
            return Ok(());
        }
        let waiting = Waiting::new(&self.waiting);
        if waiting.position >= self.max_waiting {
            return self.take().map_err(|wait| wait.max(MAX_WAIT));
        }
        let _turn = self.turn.lock().await;
        while let Err(wait) = self.take() {
            sleep(wait).await;
        }
        Ok(())
    }
}

/// A position among the waiting uses; given back when dropped.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    position: usize,
}

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        Self { count, position: count.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Network {
    /// Returns the larger network that contains this one.
    fn neighborhood(self) -> u64 {
        match self {
            Self::V4(address) => u64::from(address.to_bits() >> 16),
            Self::V6(prefix) => prefix >> 32 | 1 << 32,
            Self::Local => u64::MAX,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => write!(f, "{address}/32"),
            Self::V6(prefix) => write!(f, "{}/64", Ipv6Addr::from(u128::from(*prefix) << 64)),
            Self::Local => f.write_str("unix/0"),
        }
    }
}

/// The error for a text that is not a network as [`Network`] displays one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidNetwork;

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, bits) = text.split_once('/').ok_or(InvalidNetwork)?;
        match (address.parse().map_err(|_| InvalidNetwork)?, bits) {
            (IpAddr::V4(address), "32") => Ok(Self::V4(address)),
            (IpAddr::V6(address), "64") => Ok(Self::V6((address.to_bits() >> 64) as u64)),
            _ => Err(InvalidNetwork),
        }
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

impl From<Option<IpAddr>> for Network {
    fn from(address: Option<IpAddr>) -> Self {
        address.map_or(Self::Local, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        address.parse::<IpAddr>().unwrap().into()
    }

    fn taken(usage: &NetworkUsage, what: Use) -> usize {
        (0..100_000).take_while(|_| usage.take(what).is_ok()).count()
    }

    #[test]
    fn a_network_is_an_ipv4_address_or_an_ipv6_64() {
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(Network::from(None), Network::Local);
    }

    #[test]
    fn a_network_is_written_with_the_bits_that_count() {
        for (address, text) in [("192.0.2.1", "192.0.2.1/32"), ("2001:db8:0:1::ff", "2001:db8:0:1::/64")] {
            assert_eq!(network(address).to_string(), text);
            assert_eq!(text.parse(), Ok(network(address)));
        }
        for bad in ["192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "unix/0", ""] {
            assert_eq!(bad.parse::<Network>(), Err(InvalidNetwork), "{bad}");
        }
    }

    #[test]
    fn one_network_reaches_its_limit_and_another_does_not() {
        let limits = NetworkLimits::new(100, 20);
        let usage = limits.usage(network("127.0.0.1"));
        let posts = taken(&usage, Use::Post);
        assert!((500..520).contains(&posts), "{posts}");
        let wait = usage.take(Use::Post).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert!(limits.usage(network("127.0.0.1")).take(Use::Post).is_err());
        assert!(limits.usage(network("127.0.0.2")).take(Use::Post).is_ok());
    }

    #[test]
    fn the_limits_are_scaled_and_zero_turns_them_off() {
        let usage = |percent| NetworkLimits::new(percent, 20).usage(Network::Local);
        assert_eq!(taken(&usage(1), Use::DeviceLink), 1);
        assert_eq!(taken(&usage(1_000), Use::DeviceLink), 1_000);
        assert_eq!(taken(&usage(0), Use::DeviceLink), 100_000);
    }

    #[test]
    fn a_post_rate_of_zero_only_lifts_the_limits_of_writes() {
        let usage = NetworkLimits::new(100, 0).usage(Network::Local);
        for what in [Use::Post, Use::AnonymousPost, Use::Rename, Use::Room] {
            assert_eq!(taken(&usage, what), 100_000, "{what:?}");
        }
        assert_eq!(taken(&usage, Use::DeviceLink), 100);
    }

    #[tokio::test]
    async fn reads_past_the_limit_queue_and_are_rejected_beyond_the_queue() {
        // One percent: a page a second, 20 at once, two that wait.
        let usage = NetworkLimits::new(1, 20).usage(Network::Local);
        for _ in 0..20 {
            usage.admit(Use::Page).await.unwrap();
        }
        let pages = futures_util::future::join_all((0..5).map(|_| usage.admit(Use::Page))).await;
        assert_eq!(pages.iter().filter(|page| page.is_ok()).count(), 2);
        assert!(pages.iter().all(|page| page.err().is_none_or(|wait| wait >= MAX_WAIT)));
    }

    #[test]
    fn networks_beyond_the_table_share_a_limit_with_their_neighbors() {
        let limits = NetworkLimits::new(100, 20);
        for n in 0..MAX_NETWORKS as u32 {
            limits.usage(Network::V4(Ipv4Addr::from_bits(0x0a00_0000 + n)));
        }
        let (one, neighbor) = (network("2001:db8:0:1::"), network("2001:db8:0:2::"));
        assert!(Arc::ptr_eq(&limits.usage(one), &limits.usage(neighbor)));
        assert!(
            !Arc::ptr_eq(&limits.usage(network("10.0.0.1")), &limits.usage(one)),
            "a known network keeps its own"
        );
        let others = (0..64).map(|n| limits.usage(Network::V6(n << 32)));
        let apart = others.filter(|other| !Arc::ptr_eq(other, &limits.usage(one))).count();
        assert!(apart > 48, "{apart} of 64 other networks have another limit");
    }

    #[test]
    fn only_idle_networks_are_evicted() {
        let limits = NetworkLimits::new(100, 20);
        let kept = limits.usage(network("192.0.2.1"));
        for address in ["192.0.2.1", "192.0.2.2"] {
            let past = Instant::now().checked_sub(IDLE_TIMEOUT).unwrap();
            *limits.usage(network(address)).last_use.lock().unwrap() = past;
        }
        limits.usage(network("192.0.2.3"));
        limits.evict_idle();
        assert_eq!(limits.networks().len(), 2);
        assert!(Arc::ptr_eq(&kept, &limits.usage(network("192.0.2.1"))));
    }
}
