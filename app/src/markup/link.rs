//! The addresses in a text that are links, and the short form of a long one.

use std::borrow::Cow;

/// Bytes of an address, at most. A longer one is text.
const MAX_BYTES: usize = 2_000;

/// Parentheses that an address may nest.
const MAX_NESTING: usize = 8;

/// Characters of an address that are shown, at most.
const MAX_SHOWN: usize = 60;

/// Characters that a shortened address keeps at its end.
const KEPT_END: usize = 15;

/// An address in a text.
pub(super) struct Link<'a> {
    /// The bytes of the text that it takes.
    pub len: usize,
    /// The text that is shown.
    pub text: &'a str,
    pub href: Cow<'a, str>,
}

/// Returns the address at the beginning of `text`, without what belongs to the sentence around it.
///
/// # Errors
/// The number of bytes that are no link. So no byte is looked at again and again.
pub(super) fn bare(text: &str) -> Result<Link<'_>, usize> {
    if !["http://", "https://", "mailto:", "www."].iter().any(|start| starts_with(text, start)) {
        return Err(1);
    }
    let end = text.find(ends_address).unwrap_or(text.len());
    let address = without_sentence(&text[..end]);
    let href = href(address).ok_or(address.len())?;
    Ok(Link { len: address.len(), text: address, href })
}

/// Returns the address between angle brackets at the beginning of `text`.
pub(super) fn angled(text: &str) -> Option<Link<'_>> {
    let address = text.strip_prefix('<')?;
    let address = &address[..address.find(ends_address)?];
    let is_whole = text[1 + address.len()..].starts_with('>');
    let has_scheme = ["http://", "https://", "mailto:"].iter().any(|start| starts_with(address, start));
    if !is_whole || !has_scheme {
        return None;
    }
    Some(Link { len: address.len() + 2, text: address, href: href(address)? })
}

/// Returns the address in parentheses at the beginning of `text`.
pub(super) fn in_parentheses(text: &str) -> Option<Link<'_>> {
    let inner = text.strip_prefix('(')?;
    let mut nesting = 0;
    for (at, c) in inner.char_indices() {
        match c {
            '(' if nesting == MAX_NESTING => return None,
            '(' => nesting += 1,
            ')' if nesting == 0 => {
                let address = &inner[..at];
                return Some(Link { len: at + 2, text: address, href: href(address)? });
            }
            ')' => nesting -= 1,
            c if at > MAX_BYTES || ends_address(c) => return None,
            _ => {}
        }
    }
    None
}

/// Returns `true` if `text` may be taken for an address, so that it must not lead to another one.
pub(super) fn looks_like_address(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() && !ends_address(c);
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let dots = matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}' | '@');
        if dots && is_part(before) && chars.peek().is_some_and(|after| is_part(*after)) {
            return true;
        }
        before = c;
    }
    text.contains("://")
}

/// Returns the address for a link, if it leads where it seems to lead.
fn href(address: &str) -> Option<Cow<'_, str>> {
    if address.len() > MAX_BYTES || address.contains(['\\', '\u{ad}']) {
        return None;
    }
    if starts_with(address, "mailto:") {
        let (name, host) = address["mailto:".len()..].split_once('@')?;
        return (!name.is_empty() && has_letters(host)).then_some(Cow::Borrowed(address));
    }
    let rest = ["http://", "https://"]
        .iter()
        .find(|scheme| starts_with(address, scheme))
        .map(|scheme| &address[scheme.len()..]);
    let host = rest.unwrap_or(address).split(['/', '?', '#']).next()?;
    // A name before the host hides it: https://bank.example@other.example.
    if host.contains('@') || !has_letters(host) {
        return None;
    }
    match rest {
        Some(_) => Some(Cow::Borrowed(address)),
        None => host.get("www.".len()..)?.contains('.').then(|| Cow::Owned(format!("https://{address}"))),
    }
}

fn has_letters(host: &str) -> bool {
    host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[' || !c.is_ascii())
}

fn starts_with(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes()))
}

/// Returns `true` for characters that are in no address: white space, quotation marks, brackets and stops of East Asian
/// scripts, and characters that are invisible or reorder their neighbors.
fn ends_address(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '<' | '>' | '"' | '`' | '\u{ab}' | '\u{bb}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2018}'..='\u{201f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3000}'..='\u{3003}' | '\u{3008}'..='\u{3011}'
            | '\u{3014}'..='\u{301b}' | '\u{feff}' | '\u{ff01}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0c}' | '\u{ff1a}'
            | '\u{ff1b}' | '\u{ff1f}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}')
}

/// Returns an address without the marks at its end that belong to the sentence, and without a closing bracket whose opening
/// one is before it.
fn without_sentence(address: &str) -> &str {
    let count = |c: char| address.bytes().filter(|byte| char::from(*byte) == c).count();
    let mut unopened = [('(', ')'), ('[', ']'), ('{', '}')]
        .map(|(open, close)| (close, count(close).saturating_sub(count(open))));
    let mut end = address.len();
    while let Some(last) = address[..end].chars().next_back() {
        if let Some((_, left)) = unopened.iter_mut().find(|(close, _)| *close == last) {
            if *left == 0 {
                break;
            }
            *left -= 1;
        } else if !".,:;!?'*_~|".contains(last) {
            break;
        }
        end -= last.len_utf8();
    }
    &address[..end]
}

/// Returns an address for display: a long one has its middle left out, but never a part of its host.
pub fn shortened(address: &str) -> Cow<'_, str> {
    let chars = address.chars().count();
    if chars <= MAX_SHOWN {
        return Cow::Borrowed(address);
    }
    let begin = address.find("://").map_or(0, |at| at + 3);
    let host_end = address[begin..].find(['/', '?', '#']).map_or(address.len(), |at| begin + at + 1);
    let host_chars = address[..host_end].chars().count();
    let kept = host_chars.max(MAX_SHOWN - KEPT_END - 1);
    if kept + KEPT_END + 1 >= chars {
        return Cow::Borrowed(address);
    }
    let first: String = address.chars().take(kept).collect();
    let last: String = address.chars().skip(chars - KEPT_END).collect();
    Cow::Owned(format!("{first}…{last}"))
}
