//! As much of DER (X.690) as it takes to get numbers out of keys and signatures.

/// Modulus and exponent of an RSA `SubjectPublicKeyInfo` (RFC 8017, appendix A.1.1).
pub(super) fn rsa_public(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, info, _) = element(der)?;
    let (_, _, rest) = element(info)?;
    let (_, bits, _) = element(rest)?;
    // The first byte of a bit string counts the bits that are not used.
    let (_, key, _) = element(bits.get(1..)?)?;
    let (_, n, rest) = element(key)?;
    let (_, e, _) = element(rest)?;
    Some((unsigned(n), unsigned(e)))
}

/// An ECDSA signature as the two numbers of 32 bytes that a token has (RFC 7518, section 3.4).
pub(super) fn ecdsa_to_fixed(der: &[u8]) -> Option<Vec<u8>> {
    let (_, pair, _) = element(der)?;
    let (_, r, rest) = element(pair)?;
    let (_, s, _) = element(rest)?;
    let mut fixed = Vec::with_capacity(64);
    for number in [unsigned(r), unsigned(s)] {
        fixed.extend(std::iter::repeat_n(0, 32_usize.checked_sub(number.len())?));
        fixed.extend(number);
    }
    Some(fixed)
}

/// The first element: its tag, its content, and what comes behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(first), rest),
        _ => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest)
        }
    };
    let (content, behind) = rest.split_at_checked(length)?;
    Some((tag, content, behind))
}

/// An integer without the zero that keeps it from being negative.
fn unsigned(integer: &[u8]) -> &[u8] {
    integer.strip_prefix(&[0]).unwrap_or(integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_padded_and_stripped_to_32_bytes_each() {
        let mut der = vec![0x30, 0x26, 0x02, 0x01, 0x07, 0x02, 0x21, 0x00];
        der.extend([0xff; 32]);
        let fixed = ecdsa_to_fixed(&der).unwrap();
        assert_eq!(fixed[..31], [0; 31]);
        assert_eq!(fixed[31], 7);
        assert_eq!(fixed[32..], [0xff; 32]);
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        assert_eq!(ecdsa_to_fixed(&[0x30, 0x06, 0x02, 0x01]), None);
        assert_eq!(rsa_public(&[]), None);
    }

    #[test]
    fn long_lengths_are_read() {
        let mut der = vec![0x04, 0x82, 0x01, 0x00];
        der.extend([5; 256]);
        assert_eq!(element(&der).unwrap().1.len(), 256);
    }
}
