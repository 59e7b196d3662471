//! Which names look alike.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// The key of a name: the same for names that one could take for each other.
///
/// Compatible forms are made one (NFKC, Unicode Standard Annex #15), case and the width of spaces do not
/// count, and what looks the same becomes the same (the skeleton of Unicode Technical Standard #39): once as it
/// is written, since capitals look like other capitals, and once in lower case. An `i` counts as an `l`, since a
/// capital I looks like one.
pub fn key(name: &str) -> String {
    let plain: String = name.nfkc().collect();
    let plain = skeleton(&plain).collect::<String>().to_lowercase();
    let spaced = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    skeleton(&spaced).map(|c| if matches!(c, 'i' | 'ı') { 'l' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn names_that_one_could_take_for_each_other_have_one_key() {
        for (one, other) in [
            ("Ann", "ann"),
            ("Ann", "Ａｎｎ"),
            ("Ann", "\u{410}nn"),
            ("Paypal", "PaypaI"),
            ("Bob", "\u{412}ob"),
            ("TOM", "\u{422}\u{41e}\u{41c}"),
            ("tom", "\u{422}\u{41e}\u{41c}"),
            ("Zoe 0", "zoe O"),
            ("Zoe\u{308}", "Zo\u{eb}"),
            ("Quiet Otter", "quiet\u{3000}otter"),
            ("小明", "小明"),
            ("Ann", "A\u{200d}nn\u{fe0f}"),
        ] {
            assert_eq!(key(one), key(other), "{one} and {other}");
        }
    }

    #[test]
    fn other_names_have_other_keys() {
        for (one, other) in [("Ann", "Anna"), ("Bob", "Rob"), ("小明", "小红"), ("Ann", "An n")] {
            assert_ne!(key(one), key(other), "{one} and {other}");
        }
    }
}
