//! The names that a user may choose.

use super::skeleton::name_key;
use app::wire::{DisplayName, InvalidName};
use std::{collections::HashSet, sync::LazyLock};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Words that pose as the server. A name that consists of them alone is reserved.
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

/// Words that leave a reserved name reserved.
const FILLERS: &[&str] = &["the", "team", "chat", "消息", "訊息", "通知"];

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

/// Returns true if the name ends with a number sign and a number, as [tags](app::wire::User::tag) do.
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

/// Returns true if the name poses as the server in any spelling: it consists of reserved words and fillers, with or
/// without digits.
fn is_reserved(name: &str) -> bool {
    static RESERVED_KEYS: LazyLock<HashSet<String>> = LazyLock::new(|| keys(RESERVED));
    static FILLER_KEYS: LazyLock<HashSet<String>> = LazyLock::new(|| keys(FILLERS));
    let without_digits: String = name.nfkc().filter(|c| !c.is_numeric()).collect();
    [name, &without_digits].into_iter().any(|name| {
        let key = name_key(name).replace(' ', "");
        let ends: Vec<usize> = key.char_indices().map(|(at, _)| at).chain([key.len()]).collect();
        // For each end of a character: `Some` if words lead up to it, with true if a reserved one is among them.
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
    fn a_name_that_poses_as_the_server_cannot_be_chosen() {
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
    fn every_generated_name_can_be_chosen() {
        for bits in 0..2_048_u64 {
            let generated = DisplayName::generated(UserId(bits | (bits >> 10) << 56));
            assert!(choose_name(generated.as_str()).is_ok(), "{generated}");
        }
    }
}
