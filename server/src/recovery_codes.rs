//! Codes that bring an identity back on any device. Each works once; only its hash is stored.

use crate::store::{CodeHash, RecoveryCodeStore, StoreResult};
use app::wire::UserId;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// Digits and letters that no reader takes for each other (Crockford's Base32): without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a code, each of 5 random bits: 140 in all.
const CODE_CHARS: usize = 28;

/// Characters of a group.
const GROUP_CHARS: usize = 4;

/// Characters of an input that are looked at: a code in any spacing is shorter.
const MAX_INPUT_CHARS: usize = 200;

/// Creates a code for `user`, which replaces the one before. Returns it in groups, or `None` for a guest.
///
/// # Errors
/// Those of [`RecoveryCodeStore::set_recovery_code`].
pub async fn create(store: &(impl RecoveryCodeStore + ?Sized), user: UserId) -> StoreResult<Option<String>> {
    let code = generate();
    let is_set = store.set_recovery_code(user, hash(&code)).await?;
    Ok(is_set.then(|| in_groups(&code)))
}

/// Uses the code up that a person has typed. Returns its user, or `None` if it is no code of any user.
///
/// # Errors
/// Those of [`RecoveryCodeStore::redeem_recovery_code`].
pub async fn redeem(store: &(impl RecoveryCodeStore + ?Sized), typed: &str) -> StoreResult<Option<UserId>> {
    match parse(typed) {
        Some(code) => store.redeem_recovery_code(hash(&code)).await,
        None => Ok(None),
    }
}

/// Returns a random code. The fixed bits of a UUID are in bytes that are not used.
fn generate() -> String {
    let bytes = std::iter::repeat_with(Uuid::new_v4).flat_map(|id| id.into_bytes().into_iter().take(6));
    let chars = bytes.take(CODE_CHARS).map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
    chars.collect()
}

fn in_groups(code: &str) -> String {
    let groups = code.as_bytes().chunks(GROUP_CHARS).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join("-")
}

/// Returns the code in what a person has typed: in any case, spacing and width, and with letters for the digits that look like
/// them.
fn parse(typed: &str) -> Option<String> {
    let chars = typed.chars().take(MAX_INPUT_CHARS).nfkc().flat_map(char::to_uppercase);
    let chars = chars.filter(|c| c.is_alphanumeric()).map(|c| match c {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    });
    let code: String = chars.take(CODE_CHARS + 1).collect();
    let is_code = code.len() == CODE_CHARS && code.bytes().all(|byte| ALPHABET.contains(&byte));
    is_code.then_some(code)
}

fn hash(code: &str) -> CodeHash {
    Sha256::digest(code).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_was_typed() {
        let code = generate();
        let grouped = in_groups(&code);
        assert_eq!((grouped.len(), grouped.split('-').count()), (34, 7), "{grouped}");
        let wide: String = code
            .chars()
            .map(|c| char::from_u32(u32::from(c) + 0xfee0).expect("full-width forms follow ASCII"))
            .collect();
        for typed in [
            grouped.clone(),
            grouped.to_lowercase(),
            format!("  {} ", grouped.replace('-', " ")),
            grouped.replace('-', "\u{2013}\n"),
            code.replace('0', "o").replace('1', "l"),
            wide,
        ] {
            assert_eq!(parse(&typed).as_ref(), Some(&code), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_not_looked_up() {
        let code = generate();
        for bad in
            ["", "-", &code[1..], &format!("{code}0"), &code.replacen(char::is_alphanumeric, "U", 1), "字"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(parse(&"x ".repeat(1_000_000)), None);
    }

    #[test]
    fn codes_are_random_in_every_character() {
        let codes: Vec<String> = (0..2_000).map(|_| generate()).collect();
        for at in 0..CODE_CHARS {
            let chars: std::collections::HashSet<u8> = codes.iter().map(|code| code.as_bytes()[at]).collect();
            assert_eq!(chars.len(), ALPHABET.len(), "character {at}");
        }
    }
}
