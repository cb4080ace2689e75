//! Certificates and keys from PEM files (RFC 7468).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsFault;

/// The largest file that is read, in bytes. A bundle of all public roots has a fifth of it.
const MAX: u64 = 1 << 20;

/// The certificates in the file, at least one.
pub(super) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let text = read(path)?;
    let chain = items::<CertificateDer<'static>>(&text, path)?;
    if chain.is_empty() {
        return Err(TlsFault::NoCertificate { path: path.into() });
    }
    Ok(chain)
}

/// The one private key in the file: PKCS#8 (RFC 5208), SEC1 (RFC 5915) or PKCS#1 (RFC 8017).
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsFault> {
    let text = read(path)?;
    // Both forms: a section of its own kind, or a header inside an old one (RFC 1421).
    if text.windows(b"ENCRYPTED".len()).any(|w| w == b"ENCRYPTED") {
        return Err(TlsFault::EncryptedKey { path: path.into() });
    }
    let mut keys = items::<PrivateKeyDer<'static>>(&text, path)?.into_iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        (Some(_), Some(_)) => Err(TlsFault::SeveralKeys { path: path.into() }),
        (None, _) => Err(TlsFault::NoKey { path: path.into() }),
    }
}

fn items<T: PemObject>(text: &[u8], path: &Path) -> Result<Vec<T>, TlsFault> {
    T::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|source| TlsFault::BadPem {
            path: path.into(),
            source,
        })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsFault> {
    let unreadable = |source| TlsFault::Unreadable {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut text = Vec::new();
    file.take(MAX + 1)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > MAX {
        return Err(TlsFault::TooLarge { path: path.into() });
    }
    Ok(text)
}
