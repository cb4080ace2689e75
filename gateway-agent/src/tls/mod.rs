//! TLS of the listeners: certificates from files to a [`rustls::ServerConfig`]; and the reading
//! of authorities for those who connect elsewhere.
//!
//! A [`ServerTls`] is made once and shared by all connections; when the files change a new one is
//! made, and connections that are open keep the old one. Nothing here accepts a connection.

mod certificate;
mod fault;
mod pem;
mod resolver;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedProtocolVersion, version};

pub use certificate::{CertificateInfo, Standing};
pub use fault::{TlsFault, TlsFaults};

use crate::config::{CertificateFiles, TlsSettings, TlsVersion};
use resolver::ByName;

/// The protocols that are offered (RFC 7301), the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The certificates of the authorities in a PEM file, at least one.
///
/// # Errors
/// When the file cannot be read, or is no such file.
pub fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    pem::chain(path)
}

/// TLS for one listener, ready for connections.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// For `tokio_rustls::TlsAcceptor`.
    pub config: Arc<ServerConfig>,
    /// What the certificates say, in the order of the configuration.
    pub certificates: Vec<CertificateInfo>,
}

impl ServerTls {
    /// Reads the files and makes the server's side of TLS of them: TLS 1.3 and, unless the
    /// settings say otherwise, 1.2; HTTP/2 and HTTP/1.1; session tickets with keys of its own.
    ///
    /// A certificate that is expired, or is not valid yet, is no fault: [`CertificateInfo`] tells.
    ///
    /// # Errors
    /// Every file that cannot be used, and why.
    pub fn load(settings: &TlsSettings) -> Result<Self, TlsFaults> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut faults = Vec::new();
        let mut keys = Vec::new();
        for files in &settings.certificates {
            match certified(files, &provider) {
                Ok(loaded) => keys.push(loaded),
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(TlsFaults(faults));
        }
        let certificates = keys.iter().map(|(_, info)| info.clone()).collect();
        let resolver = ByName::new(keys).ok_or(TlsFaults(vec![TlsFault::NoCertificates]))?;
        let config = server_config(settings.min_version, provider, resolver)
            .map_err(|source| TlsFaults(vec![TlsFault::Provider { source }]))?;
        Ok(Self {
            config: Arc::new(config),
            certificates,
        })
    }
}

fn certified(
    files: &CertificateFiles,
    provider: &CryptoProvider,
) -> Result<(Arc<CertifiedKey>, CertificateInfo), TlsFault> {
    let chain = pem::chain(files.cert.path())?;
    let info = CertificateInfo::read(files.cert.path(), &chain)?;
    let key = pem::private_key(files.key.path())?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|source| TlsFault::BadKey {
            path: files.key.path().to_owned(),
            source,
        })?;
    let certified = CertifiedKey::new(chain, key);
    certificate::belong_together(&certified, files.cert.path(), files.key.path())?;
    Ok((Arc::new(certified), info))
}

fn server_config(
    min_version: TlsVersion,
    provider: Arc<CryptoProvider>,
    resolver: ByName,
) -> Result<ServerConfig, rustls::Error> {
    let versions: &[&SupportedProtocolVersion] = match min_version {
        TlsVersion::Tls12 => &[&version::TLS13, &version::TLS12],
        TlsVersion::Tls13 => &[&version::TLS13],
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(config)
}
