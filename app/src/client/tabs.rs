//! The tabs of this browser that are alive, as far as one of them can see. Each tab writes heartbeats that
//! change; a tab without one is gone, and another tab takes over its unsent commands.
//!
//! Plain data. Wall clocks are set back and forth, so the observer's monotonic clock judges a heartbeat too.

use crate::wire::Millis;

/// Milliseconds after which a tab without a heartbeat is gone.
const TAB_TIMEOUT_MS: Millis = 20_000;

/// Milliseconds for which a heartbeat reserves the tab's id. Browsers let a hidden tab run once a minute only.
const ID_RESERVATION_MS: Millis = 90_000;

/// A heartbeat: when it was written by the wall clock, and by which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabHeartbeat {
    /// The wall clock of the page that wrote it.
    pub at: Millis,
    /// The random id of the page: a copy of a tab has the tab's id, but is another page.
    pub page: String,
}

impl TabHeartbeat {
    /// Parses what [`Display`](std::fmt::Display) has written.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, page) = text.split_once(' ').unwrap_or((text, ""));
        Some(Self { at: at.parse().ok()?, page: page.into() })
    }

    /// Returns `true` if another page than `page` uses the tab's id, by this heartbeat of the tab: browsers copy the id
    /// when a tab is duplicated.
    pub fn is_of_another_page(&self, page: &str, wall: Millis) -> bool {
        self.page != page && self.at.abs_diff(wall) <= ID_RESERVATION_MS
    }
}

impl std::fmt::Display for TabHeartbeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.at, self.page)
    }
}

/// The heartbeats that a page has seen of the other tabs.
#[derive(Debug, Clone, Default)]
pub struct Tabs {
    /// The last heartbeat of each tab, and when this page first saw it by its monotonic clock. There are few tabs.
    seen: Vec<(String, TabHeartbeat, Millis)>,
}

impl Tabs {
    /// Returns `true` if `tab`, whose last heartbeat is given, is gone. `wall` is the wall clock, `steady` the monotonic
    /// one.
    ///
    /// If the wall clock was put forward, live tabs count as gone until their next heartbeat. That is harmless: the
    /// server stores a command that two tabs send once.
    pub fn is_gone(
        &mut self,
        tab: &str,
        heartbeat: Option<TabHeartbeat>,
        wall: Millis,
        steady: Millis,
    ) -> bool {
        let seen = self.seen.iter().position(|(known, ..)| known == tab);
        let seen = seen.map(|at| self.seen.swap_remove(at));
        let Some(heartbeat) = heartbeat.filter(|heartbeat| wall <= heartbeat.at + TAB_TIMEOUT_MS) else {
            return true;
        };
        let since = seen.filter(|(_, last, _)| *last == heartbeat).map_or(steady, |(.., since)| since);
        self.seen.push((tab.into(), heartbeat, since));
        steady > since + TAB_TIMEOUT_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat(at: Millis) -> TabHeartbeat {
        TabHeartbeat { at, page: "p".into() }
    }

    #[test]
    fn a_tab_without_a_recent_heartbeat_is_gone_at_once() {
        let mut tabs = Tabs::default();
        assert!(tabs.is_gone("a", None, 100_000, 0));
        assert!(tabs.is_gone("a", Some(heartbeat(79_999)), 100_000, 0));
        assert!(!tabs.is_gone("a", Some(heartbeat(80_000)), 100_000, 0));
    }

    #[test]
    fn tab_with_a_stale_heartbeat_is_gone_even_if_clock_goes_back() {
        let mut tabs = Tabs::default();
        let (wall, future) = (100_000, Some(heartbeat(3_700_000)));
        assert!(!tabs.is_gone("a", future.clone(), wall, 5));
        assert!(!tabs.is_gone("a", future.clone(), wall + 20_000, 5 + TAB_TIMEOUT_MS));
        assert!(tabs.is_gone("a", future, wall + 20_001, 6 + TAB_TIMEOUT_MS));
        assert!(!tabs.is_gone("a", Some(heartbeat(100_050)), 120_001, 6 + TAB_TIMEOUT_MS), "a new heartbeat");
    }

    #[test]
    fn a_copied_tab_finds_its_id_in_use_and_a_reloaded_one_does_not() {
        let (old, wall) = (heartbeat(100_000), 101_000);
        assert!(old.is_of_another_page("q", wall));
        assert!(!old.is_of_another_page("p", wall));
        assert!(old.is_of_another_page("q", wall + 60_000), "hidden tabs are slow");
        assert!(!old.is_of_another_page("q", wall + ID_RESERVATION_MS));
    }

    #[test]
    fn a_heartbeat_reads_back_also_from_an_earlier_version() {
        assert_eq!(TabHeartbeat::parse(&heartbeat(7).to_string()), Some(heartbeat(7)));
        assert_eq!(TabHeartbeat::parse("7"), Some(TabHeartbeat { at: 7, page: String::new() }));
        assert_eq!(TabHeartbeat::parse("x"), None);
    }
}
