//! Texts of emoji alone, which are shown large.

/// Emoji that are shown large, at most.
const MAX_LARGE: usize = 6;

/// Joins two emoji to one.
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Asks for the colored form of the character before it.
const EMOJI_STYLE: char = '\u{fe0f}';

/// Surrounds the character before it.
const KEYCAP: char = '\u{20e3}';

/// Returns `true` if `text` has one to six emoji and nothing else but white space. It recognizes sequences as Unicode
/// Technical Standard 51 forms them; it knows the blocks in which emoji are, and not each one.
pub fn is_emoji_only(text: &str) -> bool {
    let mut chars = text.chars().filter(|c| !c.is_whitespace()).peekable();
    let (mut count, mut is_joined) = (0, false);
    while let Some(c) = chars.next() {
        let is_flag = is_regional(c) && chars.next_if(|next| is_regional(*next)).is_some();
        let is_styled = chars.next_if_eq(&EMOJI_STYLE).is_some();
        let is_keycap = (c.is_ascii_digit() || matches!(c, '#' | '*')) && chars.next_if_eq(&KEYCAP).is_some();
        if !(is_flag || is_keycap || is_emoji(c) || is_styled && is_symbol(c)) {
            return false;
        }
        // Skin tones and the tags of flags.
        while chars
            .next_if(|next| matches!(next, '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}'))
            .is_some()
        {}
        count += usize::from(!is_joined);
        is_joined = chars.next_if_eq(&ZERO_WIDTH_JOINER).is_some();
    }
    (1..=MAX_LARGE).contains(&count) && !is_joined
}

/// Two of these make a flag.
fn is_regional(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Returns `true` for characters that are emoji without a request for that.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{231a}' | '\u{231b}' | '\u{23e9}'..='\u{23f3}' | '\u{2600}'..='\u{27bf}' | '\u{2b1b}' | '\u{2b1c}'
        | '\u{2b50}' | '\u{2b55}' | '\u{1f000}'..='\u{1f1e5}' | '\u{1f200}'..='\u{1faff}')
}

/// Returns `true` for characters that may be emoji.
fn is_symbol(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{23ff}'
        | '\u{25a0}'..='\u{25ff}' | '\u{2900}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}')
}
