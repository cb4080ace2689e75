//! Why a certificate or key cannot be used.

use std::fmt;
use std::path::{Path, PathBuf};

/// One file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// The file is not there, or may not be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is larger than any certificate or key.
    #[error("{path} is larger than a certificate or key can be")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file has broken PEM (RFC 7468) in it.
    #[error("{path} is no valid PEM: {source}")]
    BadPem {
        /// The file.
        path: PathBuf,
        /// Where the reader gave up.
        source: rustls::pki_types::pem::Error,
    },
    /// No certificate in the file.
    #[error("{path} has no certificate, expected `-----BEGIN CERTIFICATE-----`")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// Something that should be a certificate is none.
    #[error("certificate {number} in {path} is not valid X.509: {detail}")]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// Which of the file's certificates, from 1.
        number: usize,
        /// What is wrong.
        detail: String,
    },
    /// No private key in the file.
    #[error("{path} has no private key, expected `-----BEGIN PRIVATE KEY-----`")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A key that needs a password.
    #[error("the private key in {path} is encrypted; store it without a password")]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// Several keys in the file.
    #[error("{path} has several private keys, expected one")]
    SeveralKeys {
        /// The file.
        path: PathBuf,
    },
    /// A key of a kind that is not supported, or a broken one.
    #[error("the private key in {path} cannot be used: {source}")]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// The key is not that of the certificate.
    #[error("the private key in {key} does not belong to the certificate in {cert}")]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The key belongs to a certificate of the file that is not the first.
    #[error(
        "the private key in {key} belongs to certificate {number} in {cert}, expected that one \
         to be the first"
    )]
    WrongOrder {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Which of the file's certificates, from 1.
        number: usize,
    },
    /// No certificate at all.
    #[error("there is no certificate")]
    NoCertificates,
    /// The cryptography refused to work.
    #[error("TLS cannot be set up: {source}")]
    Provider {
        /// Why.
        source: rustls::Error,
    },
}

impl TlsFault {
    /// The file to look at.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unreadable { path, .. }
            | Self::TooLarge { path }
            | Self::BadPem { path, .. }
            | Self::NoCertificate { path }
            | Self::BadCertificate { path, .. }
            | Self::NoKey { path }
            | Self::EncryptedKey { path }
            | Self::SeveralKeys { path }
            | Self::BadKey { path, .. }
            | Self::Mismatch { key: path, .. } => Some(path),
            Self::WrongOrder { cert, .. } => Some(cert),
            Self::NoCertificates | Self::Provider { .. } => None,
        }
    }
}

/// Everything that keeps a listener's TLS from working; never empty. Prints one fault per line.
#[derive(Debug)]
pub struct TlsFaults(pub Vec<TlsFault>);

impl fmt::Display for TlsFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for TlsFaults {}
