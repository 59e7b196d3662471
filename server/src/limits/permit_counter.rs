//! Counts permits, in all and by network. Plain data: the owner holds it under a lock.

use super::network::Network;
use std::collections::HashMap;

/// The number of permits that are held, and the limits of it.
#[derive(Debug)]
pub struct PermitCounter {
    max: usize,
    max_per_network: usize,
    total: usize,
    by_network: HashMap<Network, usize>,
}

impl PermitCounter {
    /// Creates a counter of at most `max` permits. One network has at most `percent` of `per_network` and three
    /// quarters of `max`; with 0 percent it may have all of them.
    pub fn new(max: usize, per_network: usize, percent: u32) -> Self {
        let scaled = per_network.saturating_mul(percent as usize) / 100;
        let max_per_network = if percent == 0 { max } else { scaled.max(1).min(max - max / 4) };
        Self { max, max_per_network, total: 0, by_network: HashMap::new() }
    }

    /// Returns `true` if all permits are held.
    pub fn is_full(&self) -> bool {
        self.total >= self.max
    }

    /// Returns `true` if `network` holds as many permits as one network may.
    pub fn is_network_full(&self, network: Network) -> bool {
        self.by_network.get(&network).copied().unwrap_or(0) >= self.max_per_network
    }

    /// Adds a permit of `network`.
    pub fn add(&mut self, network: Network) {
        self.total += 1;
        *self.by_network.entry(network).or_default() += 1;
    }

    /// Removes a permit of `network`.
    pub fn remove(&mut self, network: Network) {
        self.total -= 1;
        if let Some(count) = self.by_network.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.by_network.remove(&network);
            }
        }
    }

    /// Returns the number of all permits.
    #[cfg(test)]
    pub fn total(&self) -> usize {
        self.total
    }
}
