//! `md5`, `sha1`: raw digests, as rules compare them after `hexEncode`.

use md5::Digest as _;

pub(super) fn md5(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(&md5::Md5::digest(input));
    true
}

pub(super) fn sha1(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(&sha1::Sha1::digest(input));
    true
}
