//! Whom to trust: the authorities of the host, or those of a file.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

use super::FetchError;
use crate::tls;

/// TLS towards servers whose certificates come from the authorities in `ca`, or, without it, from
/// those that the host trusts. Reads files.
pub(crate) fn trusting(ca: Option<&Path>) -> Result<Arc<ClientConfig>, FetchError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            let chain = tls::authorities(path).map_err(|e| FetchError::Roots(e.to_string()))?;
            for certificate in chain {
                roots
                    .add(certificate)
                    .map_err(|e| FetchError::Roots(format!("{}: {e}", path.display())))?;
            }
        }
        None => {
            let native = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(native.certs);
            if roots.is_empty() {
                return Err(FetchError::Roots(
                    "this host trusts no certificate authority: install ca-certificates, or name \
                     a file with `ca`"
                        .to_owned(),
                ));
            }
        }
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| FetchError::Roots(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
