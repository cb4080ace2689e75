//! Request bodies that come compressed, decoded for the rules; the upstream gets what was sent.
//!
//! Whatever cannot be decoded whole is a fault, so that nothing passes unseen: an unknown coding,
//! bytes behind the end, and more than is inspected. A body that unpacks to far more than any
//! honest one does is refused before it has cost that much.

use std::io::{self, Read};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header;

/// The most codings on top of each other.
const MAX_CODINGS: usize = 3;
/// The most bytes that one byte may unpack to, beyond the first [`FREE`].
const MAX_RATIO: usize = 200;
/// Bytes that may come out of any body: short ones shrink to next to nothing.
const FREE: usize = 64 << 10;
/// The largest window of zstd, as a power of two (RFC 9659).
const ZSTD_WINDOW: u32 = 23;

/// A coding of a body (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// The zlib format, as the name is defined; some senders mean raw deflate, which is refused.
    Deflate,
    Brotli,
    Zstd,
}

/// Why a body cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecoded {
    /// A coding that is not known here, or too many.
    Unknown,
    /// The bytes are not what the coding says, or more stand behind their end.
    Broken,
    /// More comes out than may, or than is honest.
    TooLarge,
}

impl Coding {
    /// The codings of a body in the order they were applied.
    ///
    /// # Errors
    /// When one of them is unknown.
    pub(super) fn of(headers: &HeaderMap) -> Result<Vec<Self>, Undecoded> {
        let mut codings = Vec::new();
        for value in headers.get_all(header::CONTENT_ENCODING) {
            for name in value.as_bytes().split(|byte| *byte == b',') {
                match name.trim_ascii().to_ascii_lowercase().as_slice() {
                    b"" | b"identity" => {}
                    b"gzip" | b"x-gzip" => codings.push(Self::Gzip),
                    b"deflate" => codings.push(Self::Deflate),
                    b"br" => codings.push(Self::Brotli),
                    b"zstd" => codings.push(Self::Zstd),
                    _ => return Err(Undecoded::Unknown),
                }
            }
        }
        if codings.len() > MAX_CODINGS {
            return Err(Undecoded::Unknown);
        }
        Ok(codings)
    }

    fn decode(self, coded: &[u8], most: usize) -> Result<Vec<u8>, Undecoded> {
        match self {
            Self::Gzip => read(MultiGzDecoder::new(coded), most),
            Self::Deflate => {
                let mut decoder = ZlibDecoder::new(coded);
                let decoded = read(&mut decoder, most)?;
                let is_whole = decoder.into_inner().is_empty();
                is_whole.then_some(decoded).ok_or(Undecoded::Broken)
            }
            Self::Brotli => brotli(coded, most),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(coded)
                    .map_err(|_| Undecoded::Broken)?;
                decoder
                    .window_log_max(ZSTD_WINDOW)
                    .map_err(|_| Undecoded::Broken)?;
                read(decoder, most)
            }
        }
    }
}

/// Takes the codings off a body, the last first; at no step more than `most` bytes come out.
///
/// # Errors
/// Why that cannot be done.
pub(super) fn decode(codings: &[Coding], coded: &[u8], most: usize) -> Result<Vec<u8>, Undecoded> {
    let mut body = coded.to_vec();
    for coding in codings.iter().rev() {
        let honest = body.len().saturating_mul(MAX_RATIO).max(FREE);
        body = coding.decode(&body, most.min(honest))?;
    }
    Ok(body)
}

fn read(decoder: impl Read, most: usize) -> Result<Vec<u8>, Undecoded> {
    let mut decoded = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let result: io::Result<usize> = decoder.take(limit).read_to_end(&mut decoded);
    if decoded.len() > most {
        return Err(Undecoded::TooLarge);
    }
    result.map(|_| decoded).map_err(|_| Undecoded::Broken)
}

fn brotli(coded: &[u8], most: usize) -> Result<Vec<u8>, Undecoded> {
    let mut state = BrotliState::new(
        StandardAlloc::default(),
        StandardAlloc::default(),
        StandardAlloc::default(),
    );
    let mut decoded = Vec::new();
    let mut room = vec![0; 16 << 10];
    let (mut left, mut at, mut total) = (coded.len(), 0, 0);
    loop {
        let (mut free, mut filled) = (room.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut at,
            coded,
            &mut free,
            &mut filled,
            &mut room,
            &mut total,
            &mut state,
        );
        decoded.extend_from_slice(room.get(..filled).unwrap_or_default());
        if decoded.len() > most {
            return Err(Undecoded::TooLarge);
        }
        match result {
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultSuccess if left == 0 => return Ok(decoded),
            BrotliResult::ResultSuccess
            | BrotliResult::NeedsMoreInput
            | BrotliResult::ResultFailure => return Err(Undecoded::Broken),
        }
    }
}

#[cfg(test)]
mod tests;
