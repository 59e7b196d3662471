//! Which tabs of this browser live, as far as one of them can see. Each gives signs of life that change; who gives
//! none is gone, and another tab takes up what it has left.
//!
//! Plain data. Wall clocks are set back and forth, so a sign is judged by the steady clock of the observer too.

use crate::wire::Millis;

/// Milliseconds after which a tab that gave no sign of life is gone.
const GONE_MS: Millis = 20_000;

/// Milliseconds for which a sign keeps others from using the tab's id. Browsers let a hidden tab do something once in
/// a minute only.
const CLAIM_MS: Millis = 90_000;

/// A sign of life: when it was given by the wall clock, and by which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// The wall clock of the page that gave it.
    pub at: Millis,
    /// Chosen at random by each page: a copy of a tab has its id, but is another page.
    pub page: String,
}

impl Sign {
    /// Reads what [`Display`](std::fmt::Display) has written.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, page) = text.split_once(' ').unwrap_or((text, ""));
        Some(Self { at: at.parse().ok()?, page: page.into() })
    }

    /// Whether a page that calls itself `page` finds by this sign of its tab that another one is using the tab's id:
    /// browsers copy it when a tab is duplicated.
    pub fn is_of_another_page(&self, page: &str, wall: Millis) -> bool {
        self.page != page && self.at.abs_diff(wall) <= CLAIM_MS
    }
}

impl std::fmt::Display for Sign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.at, self.page)
    }
}

/// What a page has seen of the other tabs.
#[derive(Debug, Clone, Default)]
pub struct Tabs {
    /// The last sign of each tab, and when this page first saw it by its steady clock. There are few tabs.
    seen: Vec<(String, Sign, Millis)>,
}

impl Tabs {
    /// Returns whether `tab` is gone; `sign` is its last sign of life. `wall` is the wall clock, `steady` one that nobody sets.
    ///
    /// If the wall clock was put forward, tabs that live are taken for gone until their next sign. That is harmless:
    /// what two tabs send is stored once.
    pub fn is_gone(&mut self, tab: &str, sign: Option<Sign>, wall: Millis, steady: Millis) -> bool {
        let seen = self.seen.iter().position(|(known, ..)| known == tab);
        let seen = seen.map(|at| self.seen.swap_remove(at));
        let Some(sign) = sign.filter(|sign| wall <= sign.at + GONE_MS) else { return true };
        let since = seen.filter(|(_, last, _)| *last == sign).map_or(steady, |(.., since)| since);
        self.seen.push((tab.into(), sign, since));
        steady > since + GONE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(at: Millis) -> Sign {
        Sign { at, page: "p".into() }
    }

    #[test]
    fn a_tab_without_a_sign_or_with_an_old_one_is_gone_at_once() {
        let mut tabs = Tabs::default();
        assert!(tabs.is_gone("a", None, 100_000, 0));
        assert!(tabs.is_gone("a", Some(sign(79_999)), 100_000, 0));
        assert!(!tabs.is_gone("a", Some(sign(80_000)), 100_000, 0));
    }

    #[test]
    fn after_the_clock_was_put_back_a_tab_is_gone_when_its_sign_stays_the_same() {
        let mut tabs = Tabs::default();
        let (wall, future) = (100_000, Some(sign(3_700_000)));
        assert!(!tabs.is_gone("a", future.clone(), wall, 5));
        assert!(!tabs.is_gone("a", future.clone(), wall + 20_000, 5 + GONE_MS));
        assert!(tabs.is_gone("a", future, wall + 20_001, 6 + GONE_MS));
        assert!(!tabs.is_gone("a", Some(sign(100_050)), 120_001, 6 + GONE_MS), "a new sign is life");
    }

    #[test]
    fn a_copy_of_a_tab_finds_that_its_id_is_in_use_and_a_reload_does_not() {
        let (old, wall) = (sign(100_000), 101_000);
        assert!(old.is_of_another_page("q", wall));
        assert!(!old.is_of_another_page("p", wall));
        assert!(old.is_of_another_page("q", wall + 60_000), "hidden tabs are slow");
        assert!(!old.is_of_another_page("q", wall + CLAIM_MS));
    }

    #[test]
    fn a_sign_reads_back_as_it_was_also_that_of_an_earlier_version() {
        assert_eq!(Sign::parse(&sign(7).to_string()), Some(sign(7)));
        assert_eq!(Sign::parse("7"), Some(Sign { at: 7, page: String::new() }));
        assert_eq!(Sign::parse("x"), None);
    }
}
