//! Close frames (RFC 6455, section 5.5.1) and the codes that they carry (section 7.4.1 and the IANA registry).

/// The purpose of the connection is fulfilled.
pub const NORMAL: u16 = 1000;
/// The server shuts down, or the client leaves the page.
pub const GOING_AWAY: u16 = 1001;
/// The peer violated the protocol.
pub const PROTOCOL_ERROR: u16 = 1002;
/// The endpoint does not accept this type of message.
pub const UNSUPPORTED_DATA: u16 = 1003;
/// The payload does not match the message type, such as text that is not UTF-8.
pub const INVALID_PAYLOAD: u16 = 1007;
/// The peer violated a policy of the server.
pub const POLICY_VIOLATION: u16 = 1008;
/// The message is larger than the endpoint accepts.
pub const MESSAGE_TOO_BIG: u16 = 1009;
/// The server failed to carry out a request.
pub const INTERNAL_ERROR: u16 = 1011;
/// "Service restart": the client reconnects (IANA WebSocket Close Code Number Registry).
pub const SERVICE_RESTART: u16 = 1012;
/// "Try again later" (same registry).
pub const TRY_AGAIN_LATER: u16 = 1013;

/// The payload of a close frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    /// A code for which [`is_valid_code`] holds.
    pub code: u16,
    /// A reason of at most 123 bytes, for people.
    pub reason: String,
}

/// Returns `true` if a close frame may carry `code`: RFC 6455, section 7.4, and later registrations. 1004 is
/// reserved; 1005, 1006 and 1015 only describe a connection that ended without a frame.
pub fn is_valid_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::is_valid_code;

    #[test]
    fn only_codes_with_a_meaning_are_valid() {
        for code in [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
            assert!(is_valid_code(code), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
            assert!(!is_valid_code(code), "{code}");
        }
    }
}
