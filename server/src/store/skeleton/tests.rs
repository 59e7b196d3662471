use super::*;

#[test]
fn confusable_names_have_the_same_key() {
    for (one, other) in [
        ("Ann", "ann"),
        ("Ann", "Ａｎｎ"),
        ("Ann", "\u{410}nn"),
        ("Paypal", "PaypaI"),
        ("Paypal", "Paypa|"),
        ("Bob", "\u{412}ob"),
        ("TOM", "\u{422}\u{41e}\u{41c}"),
        ("tom", "\u{422}\u{41e}\u{41c}"),
        ("Zoe 0", "zoe O"),
        ("Zoe\u{308}", "Zo\u{eb}"),
        ("Quiet Otter", "quiet\u{3000}otter"),
        ("小明", "小明"),
        ("小明", "【小明】"),
        ("Ann", "A\u{200d}nn\u{fe0f}"),
    ] {
        assert_eq!(name_key(one), name_key(other), "{one} and {other}");
    }
}

#[test]
fn marks_punctuation_and_decoration_do_not_change_the_key() {
    for variant in [
        "Ann.",
        "Ann\u{b7}",
        "-Ann-",
        "Ann\u{307}",
        "A\u{335}nn",
        "Ann \u{2713}",
        "Ann✓",
        "𝐀𝐧𝐧",
        "ᗩnn",
        "ᗩᑎᑎ",
        "Αnn",
        "Ann\u{fe0e}",
        "Ann\u{301}",
        "Àn̲n",
        "An\u{1e45}",
        "ᴀɴɴ",
        "🅰nn",
        "🄰🄽🄽",
        "Ⓐⓝⓝ",
        "Ann™",
        "Ann®",
        "Ann 🙂",
        "(Ann)",
        "*Ann*",
        "A.n.n",
        "A\u{200a}nn",
        "Ann f56a",
        "Ann (f56a)",
        "Ann f56a.",
        "Ann\u{e31}",
        "\"Ann\"",
    ] {
        assert_eq!(name_key(variant), name_key("Ann"), "{variant}");
    }
}

#[test]
fn distinct_names_have_distinct_keys() {
    for (one, other) in [
        ("Ann", "Anna"),
        ("Bob", "Rob"),
        ("小明", "小红"),
        ("Ann", "An n"),
        ("Ann", "Ann 2"),
        ("राम", "रीम"),
        ("かき", "かぎ"),
        ("❤", "★"),
        ("...", "!!!"),
        ("beef", "cafe"),
    ] {
        assert_ne!(name_key(one), name_key(other), "{one} and {other}");
    }
}

#[test]
fn a_name_without_letters_has_a_key_too() {
    for name in ["...", "✓", "❤\u{fe0f}", "👩\u{200d}🚀", "\u{e31}", "\u{a8}", "#", "()", "\u{3099}"]
    {
        assert!(!name_key(name).is_empty(), "{name}");
    }
    assert_eq!(name_key("❤\u{fe0f}"), name_key("❤"));
}

#[test]
fn confusable_titles_have_the_same_key_and_punctuation_counts() {
    assert_eq!(title_key("Tea House"), title_key("tea  HOUSE"));
    assert_ne!(title_key("Tea House"), title_key("Tea-House!"));
}
