//! Which names look alike, and which names a user may choose.

use app::wire::{DisplayName, InvalidName};
use std::{collections::HashSet, sync::LazyLock};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::confusable_detection::skeleton;

/// Words that speak for the server. A name made of them alone is reserved.
const RESERVED: &[&str] = &[
    "admin",
    "admins",
    "administrator",
    "administrators",
    "bot",
    "channel",
    "everybody",
    "everyone",
    "here",
    "hubbub",
    "mod",
    "moderator",
    "moderators",
    "mods",
    "official",
    "operator",
    "operators",
    "owner",
    "root",
    "security",
    "server",
    "staff",
    "support",
    "sysadmin",
    "sysop",
    "system",
    "webmaster",
    "主持人",
    "伺服器",
    "全体成员",
    "全體成員",
    "官方",
    "客服",
    "所有人",
    "服务器",
    "机器人",
    "機器人",
    "版主",
    "站长",
    "站長",
    "管理员",
    "管理員",
    "系統",
    "系统",
    "超級",
    "超级",
];

/// Words that do not make a reserved name another one.
const FILLERS: &[&str] = &["the", "team", "chat", "消息", "訊息", "通知"];

/// Letters of decorated writing that the tables of Unicode do not count as confusable.
const LOOKALIKES: &str = "ᗩa ᗷb ᑕc ᗪd ᗴe ᖴf ᘜg ᕼh ᒍj ᛕk ᒪl ᗰm ᑎn ᑭp ᑫq ᖇr ᔕs ᑌu ᐯv ᗯw ᴀa ʙb ᴅd ᴇe ꜰf ɢg ʜh ɪi \
    ᴊj ᴋk ʟl ᴍm ɴn ᴘp ʀr ꜱs ᴛt ᴜu ᴡw ʏy ᴢz";

/// Characters that a tag may begin with, or that look like one.
const HASHES: [char; 5] = ['#', '♯', '⋕', '⌗', '⧣'];

/// Digits and the letters that look like some.
const LOOK_LIKE_DIGITS: &str = "0123456789oOlI";

/// Returns the name that a user has typed, if they may choose it.
///
/// # Errors
/// [`InvalidName`]: it breaks the rule for names, ends with something that looks like a tag, or is reserved.
pub fn choose_name(text: &str) -> Result<DisplayName, InvalidName> {
    let name: DisplayName = text.parse()?;
    if ends_with_tag(name.as_str()) {
        Err(InvalidName::Tag)
    } else if is_reserved(name.as_str()) {
        Err(InvalidName::Reserved)
    } else {
        Ok(name)
    }
}

/// The key of a user's name: the same for names that a reader could take for each other.
///
/// On top of [`title_key`], decorated letters count as plain ones, and accents, punctuation, symbols, thin spaces
/// and a last word that looks like a former tag (four hexadecimal digits) do not count. A name that has nothing
/// else keeps the key that a title would have. Never empty.
pub fn name_key(name: &str) -> String {
    let stem = without_former_tag(name);
    let key = plain(&title_key(&letters(stem)));
    if !key.is_empty() {
        return key;
    }
    let key = title_key(name);
    if key.is_empty() { name.into() } else { key }
}

/// The key of a room's title: the same for titles that a reader could take for each other.
///
/// Compatible forms are made one (NFKC, Unicode Standard Annex #15), case and the width of spaces do not
/// count, and what looks the same becomes the same (the skeleton of Unicode Technical Standard #39): once as it
/// is written, since capitals look like other capitals, and once in lower case. An `i` counts as an `l`, since a
/// capital I looks like one.
pub fn title_key(title: &str) -> String {
    let plain: String = title.nfkc().collect();
    let plain = skeleton(&plain).collect::<String>().to_lowercase();
    let spaced = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    skeleton(&spaced).map(|c| if matches!(c, 'i' | 'ı') { 'l' } else { c }).collect()
}

/// The name as letters, digits, marks and spaces; symbols that look like letters become those.
fn letters(name: &str) -> String {
    let mut letters = String::with_capacity(name.len());
    for c in name.chars() {
        if let Some(letter) = lookalike(c) {
            letters.push(letter);
        } else if is_combining_mark(c) || c.is_alphanumeric() {
            letters.push(c);
        } else if c.is_whitespace() {
            letters.extend((!is_thin(c)).then_some(' '));
        } else {
            letters.extend(skeleton(c.encode_utf8(&mut [0; 4])).filter(|c| c.is_alphabetic()));
        }
    }
    letters
}

/// The plain letter that a decorated one stands for, in lower case.
fn lookalike(c: char) -> Option<char> {
    let from = |first: u32| char::from_u32(u32::from(c) - first + u32::from('a'));
    match c {
        // Negative circled, negative squared and regional indicator letters.
        '\u{1f150}'..='\u{1f169}' => from(0x1f150),
        '\u{1f170}'..='\u{1f189}' => from(0x1f170),
        '\u{1f1e6}'..='\u{1f1ff}' => from(0x1f1e6),
        _ if c.is_ascii() => None,
        _ => LOOKALIKES.split(' ').find_map(|pair| pair.strip_prefix(c)?.chars().next()),
    }
}

/// Spaces so thin that the letters beside them seem to touch.
fn is_thin(c: char) -> bool {
    matches!(c, '\u{2004}'..='\u{200a}' | '\u{202f}' | '\u{205f}')
}

/// The key without what decorates it: accents, punctuation and symbols, and spaces at its ends.
fn plain(key: &str) -> String {
    let mut plain = String::with_capacity(key.len());
    for c in key.chars() {
        if c.is_whitespace() {
            if !plain.is_empty() && !plain.ends_with(' ') {
                plain.push(' ');
            }
        } else if is_combining_mark(c) {
            // In many scripts a mark is a vowel, which makes another name.
            if !is_accent(c) && plain.chars().next_back().is_some_and(|base| !base.is_ascii()) {
                plain.push(c);
            }
        } else if c.is_alphanumeric() {
            plain.push(c);
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// Marks that decorate a letter: combining diacritical marks of all blocks, and the points of Cyrillic, Hebrew and
/// Arabic.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}

/// The name without a last word of four hexadecimal digits, as tags once were.
fn without_former_tag(name: &str) -> &str {
    let is_tag =
        |word: &str| word.len() == 4 && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let end = name.trim_end_matches(|c: char| !c.is_alphanumeric());
    let start = end.rfind(|c: char| !c.is_alphanumeric()).map(|at| end.split_at(at));
    match start {
        Some((stem, last)) if is_tag(last.trim_start_matches(|c: char| !c.is_alphanumeric())) => {
            if stem.chars().any(char::is_alphanumeric) { without_former_tag(stem) } else { name }
        }
        _ => name,
    }
}

/// Whether the name ends with a number sign and a number, as [tags](app::wire::User::tag) do.
fn ends_with_tag(name: &str) -> bool {
    let name: String = name.nfkc().filter(|c| !is_combining_mark(*c)).collect();
    let name = name.trim_end_matches(|c: char| !c.is_alphanumeric());
    let stem = name.trim_end_matches(char::is_alphanumeric);
    let number = &name[stem.len()..];
    let looks_like_number = number.chars().all(|c| c.is_numeric() || LOOK_LIKE_DIGITS.contains(c));
    let is_guest = number
        .strip_prefix(['x', 'X'])
        .is_some_and(|rest| rest.len() == 4 && rest.chars().all(|c| c.is_ascii_hexdigit()));
    !number.is_empty() && (looks_like_number || is_guest) && stem.trim_end().ends_with(HASHES)
}

/// Whether the name speaks for the server, whatever the spelling: nothing but reserved words and fillers, with
/// digits around them or not.
fn is_reserved(name: &str) -> bool {
    static RESERVED_KEYS: LazyLock<HashSet<String>> = LazyLock::new(|| keys(RESERVED));
    static FILLER_KEYS: LazyLock<HashSet<String>> = LazyLock::new(|| keys(FILLERS));
    let without_digits: String = name.nfkc().filter(|c| !c.is_numeric()).collect();
    [name, &without_digits].into_iter().any(|name| {
        let key = name_key(name).replace(' ', "");
        let ends: Vec<usize> = key.char_indices().map(|(at, _)| at).chain([key.len()]).collect();
        // For each end of a character: whether words lead up to it, and whether a reserved one is among them.
        let mut reached = vec![Some(false)];
        for end in 1..ends.len() {
            let leads_here = reached.iter().zip(&ends).filter_map(|(reserved, start)| {
                let word = &key[*start..ends[end]];
                let by_filler = reserved.filter(|_| FILLER_KEYS.contains(word));
                reserved.and_then(|_| RESERVED_KEYS.contains(word).then_some(true)).or(by_filler)
            });
            let leads_here = leads_here.max();
            reached.push(leads_here);
        }
        reached.last() == Some(&Some(true))
    })
}

fn keys(words: &[&str]) -> HashSet<String> {
    words.iter().map(|word| name_key(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::wire::UserId;

    #[test]
    fn names_that_look_alike_have_one_key() {
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
    fn marks_punctuation_and_decoration_do_not_make_another_name() {
        for double in [
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
            assert_eq!(name_key(double), name_key("Ann"), "{double}");
        }
    }

    #[test]
    fn other_names_have_other_keys() {
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
    fn a_name_that_ends_like_a_tag_cannot_be_chosen() {
        for tagged in [
            "Ann #2",
            "Ann#2",
            "Ann ＃2",
            "Ann ♯ 12",
            "Ann (#2)",
            "Ann #2 ✓",
            "Ann #２",
            "Ann #l0",
            "Ann #٣",
            "Ann #②",
            "Ann #xf56a",
            "#2",
            "Ann #\u{20e3}2",
        ] {
            assert_eq!(choose_name(tagged), Err(InvalidName::Tag), "{tagged}");
        }
        for fine in ["Ann 2", "Room #2b", "C#", "דנה 24", "أحمد (7)", "#teatime", "№ 7", "Ann #2 of Tea"]
        {
            assert!(choose_name(fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn a_name_that_speaks_for_the_server_cannot_be_chosen() {
        for reserved in [
            "Hubbub",
            "hubbub",
            "HUBBUB",
            "System",
            "admin",
            "Admin.",
            "[Admin]",
            "\u{410}dmin",
            "𝐀𝐝𝐦𝐢𝐧",
            "Аdmіn",
            "Admin 1",
            "admin1",
            "server",
            "Moderator",
            "M0derator",
            "Hubbub Admin",
            "HubbubAdmin",
            "hubbub-team",
            "The System",
            "System ✓",
            "s y s t e m",
            "管理员",
            "系统",
            "系统管理员",
            "【系统】",
            "系统消息",
            "服务器",
            "版主",
            "官方客服",
        ] {
            assert_eq!(choose_name(reserved), Err(InvalidName::Reserved), "{reserved}");
        }
        for fine in ["Adminna", "Joe Root", "Ann of Hubbub", "Botan", "Modan", "Theo", "The Team", "老王"] {
            assert!(choose_name(fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn every_given_name_may_be_chosen() {
        for bits in 0..2_048_u64 {
            let given = DisplayName::generated(UserId(bits | (bits >> 10) << 56));
            assert!(choose_name(given.as_str()).is_ok(), "{given}");
        }
    }

    #[test]
    fn titles_that_look_alike_have_one_key_and_punctuation_counts() {
        assert_eq!(title_key("Tea House"), title_key("tea  HOUSE"));
        assert_ne!(title_key("Tea House"), title_key("Tea-House!"));
    }
}
