//! A goodbye: a code, and a reason for people.

/// The purpose is fulfilled.
pub const NORMAL: u16 = 1000;
/// The server goes down, or the page is left.
pub const AWAY: u16 = 1001;
/// The other end breaks the protocol.
pub const PROTOCOL: u16 = 1002;
/// This kind of message is not taken.
pub const UNSUPPORTED: u16 = 1003;
/// What is in the message does not fit its kind: text that is not UTF-8.
pub const INVALID: u16 = 1007;
/// Somebody does what they should not.
pub const POLICY: u16 = 1008;
/// The message is too big.
pub const SIZE: u16 = 1009;
/// The server could not go on.
pub const ERROR: u16 = 1011;
/// "Service restart": come back (IANA WebSocket Close Code Number Registry).
pub const RESTART: u16 = 1012;
/// "Try again later" (same registry).
pub const LATER: u16 = 1013;

/// What a close frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goodbye {
    /// One of the codes that may be sent.
    pub code: u16,
    /// At most 123 bytes.
    pub reason: String,
}

/// Whether a close frame may carry this code: RFC 6455, section 7.4, and what was registered since. 1004 is
/// reserved; 1005, 1006 and 1015 say what happened without a frame.
pub fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::may_be_sent;

    #[test]
    fn only_codes_with_a_meaning_may_be_sent() {
        for code in [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
            assert!(may_be_sent(code), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
            assert!(!may_be_sent(code), "{code}");
        }
    }
}
