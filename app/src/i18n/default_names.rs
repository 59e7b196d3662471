//! The names of those who have not chosen one.

use super::Lang;
use crate::wire::{DisplayName, UserId};

/// What given names are made of in one language.
#[derive(Debug)]
pub(super) struct NameParts {
    /// What somebody is like.
    pub adjectives: [&'static str; 32],
    /// What stands between the two.
    pub separator: &'static str,
    /// Who somebody is.
    pub animals: [&'static str; 32],
}

impl DisplayName {
    /// The name that somebody has who has not chosen one: "Quiet Otter", always the same for `id`, in the
    /// language that [`UserId::with_language`] has put into it.
    pub fn generated(id: UserId) -> Self {
        let NameParts { adjectives, separator, animals } = lang_of(id).name_parts();
        let pick = |strings: &[&'static str; 32], by: u64| strings[(by % 32) as usize];
        let name = format!("{}{separator}{}", pick(adjectives, id.0), pick(animals, id.0 / 32));
        name.parse().unwrap_or_else(|_| unreachable!("the words of a language make names"))
    }
}

impl UserId {
    /// The id that `bits` make for somebody who reads `lang`: a few of the highest bits say so.
    pub fn with_language(lang: Lang, bits: u64) -> Self {
        let (all, own) = (Lang::ALL.len() as u64, lang as u64);
        let high = bits >> 56;
        let high = high - high % all + own;
        let high = if high > 0xff { high - all } else { high };
        Self(high << 56 | bits & 0x00ff_ffff_ffff_ffff)
    }
}

fn lang_of(id: UserId) -> Lang {
    Lang::ALL[(id.0 >> 56) as usize % Lang::ALL.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_without_a_name_is_always_given_the_same_one() {
        assert_eq!(DisplayName::generated(UserId(0)).as_str(), "Quiet Otter");
        assert_eq!(DisplayName::generated(UserId(77)), DisplayName::generated(UserId(77)));
    }

    #[test]
    fn a_name_is_given_in_the_language_of_whoever_comes() {
        for bits in [0, 1, 77, 0xfe00_0000_0000_0000, 0xff00_0000_0000_0000, u64::MAX] {
            for lang in Lang::ALL {
                assert_eq!(lang_of(UserId::with_language(*lang, bits)), *lang, "{bits:x}");
            }
        }
        assert_eq!(DisplayName::generated(UserId::with_language(Lang::Zh, 0)).as_str(), "安静的水獭");
    }

    #[test]
    fn every_given_name_obeys_the_rule_and_none_is_given_twice_in_a_language() {
        for lang in Lang::ALL {
            let names: std::collections::HashSet<_> =
                (0..1_024).map(|bits| DisplayName::generated(UserId::with_language(*lang, bits))).collect();
            assert_eq!(names.len(), 1_024);
        }
    }
}
