//! The names of users who have not chosen one.

use super::Lang;
use crate::wire::{DisplayName, UserId};

/// The parts of generated names in one language.
#[derive(Debug)]
pub(super) struct NameParts {
    pub adjectives: [&'static str; 32],
    /// The text between adjective and animal.
    pub separator: &'static str,
    pub animals: [&'static str; 32],
}

impl DisplayName {
    /// Returns the name of a user who has not chosen one, such as "Quiet Otter". It depends on `id` alone; its language
    /// is that of [`UserId::with_language`].
    pub fn generated(id: UserId) -> Self {
        let NameParts { adjectives, separator, animals } = lang_of(id).name_parts();
        let pick = |strings: &[&'static str; 32], by: u64| strings[(by % 32) as usize];
        let name = format!("{}{separator}{}", pick(adjectives, id.0), pick(animals, id.0 / 32));
        name.parse().unwrap_or_else(|_| unreachable!("the parts of a language make valid names"))
    }
}

impl UserId {
    /// Returns a user id made of random `bits`, with `lang` encoded in the highest byte.
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
    fn generated_name_depends_on_the_id_alone() {
        assert_eq!(DisplayName::generated(UserId(0)).as_str(), "Quiet Otter");
        assert_eq!(DisplayName::generated(UserId(77)), DisplayName::generated(UserId(77)));
    }

    #[test]
    fn generated_name_has_the_language_of_the_user() {
        for bits in [0, 1, 77, 0xfe00_0000_0000_0000, 0xff00_0000_0000_0000, u64::MAX] {
            for lang in Lang::ALL {
                assert_eq!(lang_of(UserId::with_language(*lang, bits)), *lang, "{bits:x}");
            }
        }
        assert_eq!(DisplayName::generated(UserId::with_language(Lang::Zh, 0)).as_str(), "安静的水獭");
    }

    #[test]
    fn generated_names_are_valid_and_unique_in_a_language() {
        for lang in Lang::ALL {
            let names: std::collections::HashSet<_> =
                (0..1_024).map(|bits| DisplayName::generated(UserId::with_language(*lang, bits))).collect();
            assert_eq!(names.len(), 1_024);
        }
    }
}
