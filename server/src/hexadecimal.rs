//! Hashes as text: 64 lower-case hexadecimal digits.

use std::fmt::Write;

/// Returns a hash in 64 lower-case digits.
pub fn encode(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Parses what [`encode`] returns; `None` if it is anything else.
pub fn decode(text: &str) -> Option<[u8; 32]> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 64 || !text.bytes().all(is_digit) {
        return None;
    }
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_in_digits_and_read_again() {
        let hash = std::array::from_fn(|at| at as u8 * 8);
        let text = encode(&hash);
        assert!(text.starts_with("000810"), "{text}");
        assert_eq!(decode(&text), Some(hash));
        for bad in ["", "00", &"g".repeat(64), &"é".repeat(32), &"A".repeat(64), &"+f".repeat(32)] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
