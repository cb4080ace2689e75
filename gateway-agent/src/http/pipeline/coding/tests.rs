use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::header::HeaderValue;

use super::*;

const TEXT: &[u8] = b"q=1' union select password from users--";
/// `TEXT` as the reference implementation of Brotli wrote it.
const BROTLI: &[u8] = include_bytes!("text.br");

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(text, 3).unwrap()
}

fn codings(values: &[&'static str]) -> Result<Vec<Coding>, Undecoded> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
    }
    Coding::of(&headers)
}

#[test]
fn codings_are_read_from_all_fields_in_order() {
    use Coding::{Brotli, Deflate, Gzip, Zstd};

    assert_eq!(codings(&[]), Ok(vec![]));
    assert_eq!(codings(&["identity"]), Ok(vec![]));
    assert_eq!(codings(&["GZIP , identity", "br"]), Ok(vec![Gzip, Brotli]));
    assert_eq!(
        codings(&["x-gzip,deflate,,zstd"]),
        Ok(vec![Gzip, Deflate, Zstd])
    );
    for unknown in ["compress", "gzip; q=1", "gzip gzip", "br,br,br,br"] {
        assert_eq!(codings(&[unknown]), Err(Undecoded::Unknown), "{unknown}");
    }
}

#[test]
fn every_coding_gives_the_text_back() {
    for (coding, coded) in [
        (Coding::Gzip, gzip(TEXT)),
        (Coding::Gzip, [gzip(&TEXT[..9]), gzip(&TEXT[9..])].concat()),
        (Coding::Deflate, zlib(TEXT)),
        (Coding::Brotli, BROTLI.to_vec()),
        (Coding::Zstd, zstd(TEXT)),
        (Coding::Zstd, [zstd(&TEXT[..9]), zstd(&TEXT[9..])].concat()),
    ] {
        assert_eq!(
            decode(&[coding], &coded, 1000).as_deref(),
            Ok(TEXT),
            "{coding:?}"
        );
    }
    let twice = gzip(&zstd(TEXT));
    let codings = [Coding::Zstd, Coding::Gzip];
    assert_eq!(decode(&codings, &twice, 1000).as_deref(), Ok(TEXT));
}

#[test]
fn what_is_not_whole_is_broken() {
    let raw = {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(TEXT).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(
        decode(&[Coding::Deflate], &raw, 1000),
        Err(Undecoded::Broken),
        "raw deflate"
    );
    for (coding, coded) in [
        (Coding::Gzip, gzip(TEXT)),
        (Coding::Deflate, zlib(TEXT)),
        (Coding::Brotli, BROTLI.to_vec()),
        (Coding::Zstd, zstd(TEXT)),
    ] {
        let cut = &coded[..coded.len() - 3];
        for bad in [cut, b"", TEXT, &[&coded[..], b"\0behind"].concat()] {
            let decoded = decode(&[coding], bad, 1000);
            // An empty body has nothing to hide.
            if !(bad.is_empty() && decoded == Ok(Vec::new())) {
                assert_eq!(decoded, Err(Undecoded::Broken), "{coding:?} {bad:?}");
            }
        }
    }
}

#[test]
fn bombs_are_stopped_early() {
    let zeros = vec![0; 8 << 20];
    for (coding, coded) in [
        (Coding::Gzip, gzip(&zeros)),
        (Coding::Deflate, zlib(&zeros)),
        (Coding::Zstd, zstd(&zeros)),
    ] {
        let decoded = decode(&[coding], &coded, 16 << 20);
        assert_eq!(decoded, Err(Undecoded::TooLarge), "{coding:?} by its ratio");
    }
    let honest = vec![b'x'; 50_000];
    assert_eq!(
        decode(&[Coding::Gzip], &gzip(&honest), 1 << 20),
        Ok(honest.clone())
    );
    assert_eq!(
        decode(&[Coding::Gzip], &gzip(&honest), 49_999),
        Err(Undecoded::TooLarge)
    );
    assert_eq!(
        decode(&[Coding::Brotli], BROTLI, 10),
        Err(Undecoded::TooLarge)
    );
    // A window of 2 GiB, which a decoder would have to keep.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
    assert_eq!(
        decode(&[Coding::Zstd], &window, 1000),
        Err(Undecoded::Broken)
    );
}
