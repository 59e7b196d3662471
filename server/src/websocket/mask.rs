//! Masking (RFC 6455, section 5.3): payload byte `i` is XORed with byte `i mod 4` of the key.

/// Bytes that are masked in one step.
const STRIDE: usize = 8;

/// Masks or unmasks `bytes`, which follow the first `before` bytes of the payload.
pub(super) fn apply(bytes: &mut [u8], key: [u8; 4], before: usize) {
    let mut turned = key;
    turned.rotate_left(before % key.len());
    let [a, b, c, d] = turned;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut strides = bytes.chunks_exact_mut(STRIDE);
    for stride in &mut strides {
        let mut eight = [0; STRIDE];
        eight.copy_from_slice(stride);
        stride.copy_from_slice(&(u64::from_ne_bytes(eight) ^ wide).to_ne_bytes());
    }
    for (byte, key) in strides.into_remainder().iter_mut().zip(turned.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::apply;
    use proptest::prelude::*;

    #[test]
    fn unmasks_the_example_of_the_rfc() {
        // Section 5.7: "Hello", masked.
        let mut hello = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        apply(&mut hello, [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(&hello, b"Hello");
    }

    proptest! {
        #[test]
        fn masking_matches_the_rfc_wherever_the_payload_is_cut(
            bytes in prop::collection::vec(any::<u8>(), 0..100),
            key in any::<[u8; 4]>(),
            cut in 0..100_usize,
        ) {
            let expected: Vec<u8> = bytes.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
            let cut = cut.min(bytes.len());
            let mut masked = bytes;
            let (first, second) = masked.split_at_mut(cut);
            apply(first, key, 0);
            apply(second, key, cut);
            prop_assert_eq!(masked, expected);
        }
    }
}
