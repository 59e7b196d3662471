//! Skeletons: the keys by which confusable names and titles are equal.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::confusable_detection::skeleton;

/// Letters of decorated writing that the tables of Unicode do not count as confusable.
const LOOKALIKES: &str = "ᗩa ᗷb ᑕc ᗪd ᗴe ᖴf ᘜg ᕼh ᒍj ᛕk ᒪl ᗰm ᑎn ᑭp ᑫq ᖇr ᔕs ᑌu ᐯv ᗯw ᴀa ʙb ᴅd ᴇe ꜰf ɢg ʜh ɪi \
    ᴊj ᴋk ʟl ᴍm ɴn ᴘp ʀr ꜱs ᴛt ᴜu ᴡw ʏy ᴢz";

/// Returns the key of a user's name. Names that a reader could confuse have the same key.
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

/// Returns the key of a room's title. Titles that a reader could confuse have the same key.
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

/// Reduces a name to letters, digits, marks and spaces; symbols that look like letters become those letters.
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

/// Returns the plain letter that a decorated one stands for, in lower case.
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

/// Returns true for spaces so thin that the letters beside them seem to touch.
fn is_thin(c: char) -> bool {
    matches!(c, '\u{2004}'..='\u{200a}' | '\u{202f}' | '\u{205f}')
}

/// Removes decoration from a key: accents, punctuation and symbols, and spaces at its ends.
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

/// Returns true for marks that decorate a letter: combining diacritical marks of all blocks, and the points of
/// Cyrillic, Hebrew and Arabic.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}

/// Removes a last word of four hexadecimal digits, the format of tags in earlier versions.
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

#[cfg(test)]
mod tests;
