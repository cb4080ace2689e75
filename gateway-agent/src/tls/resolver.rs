//! Which certificate a client gets.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::CertificateInfo;

/// Certificates by the names they are for. Where several are for one name, as an ECDSA and an RSA
/// one may be, a client gets the first whose signatures it understands.
#[derive(Debug)]
pub(super) struct ByName {
    names: HashMap<String, Vec<Arc<CertifiedKey>>>,
    /// For clients that ask for no name, or for one that is not here.
    default: Vec<Arc<CertifiedKey>>,
}

impl ByName {
    /// The first certificate, and those for the same names, are the default. `None` when there
    /// is none at all.
    pub(super) fn new(certificates: Vec<(Arc<CertifiedKey>, CertificateInfo)>) -> Option<Self> {
        let (first, first_info) = certificates.first()?;
        let mut default = vec![Arc::clone(first)];
        let mut names: HashMap<String, Vec<Arc<CertifiedKey>>> = HashMap::new();
        for (i, (key, info)) in certificates.iter().enumerate() {
            if i > 0 && info.names == first_info.names {
                default.push(Arc::clone(key));
            }
            for name in &info.names {
                names.entry(name.clone()).or_default().push(Arc::clone(key));
            }
        }
        Some(Self { names, default })
    }

    /// The certificates for a name in lower case: its own, else those for `*.` and the rest of it
    /// (RFC 6125 section 6.4.3), else the default.
    fn candidates(&self, name: Option<&str>) -> &[Arc<CertifiedKey>] {
        let known = |name: &str| self.names.get(name);
        name.and_then(|name| {
            known(name).or_else(|| {
                let (_, parent) = name.split_once('.')?;
                known(&format!("*.{parent}"))
            })
        })
        .unwrap_or(&self.default)
    }

    fn choose(
        &self,
        name: Option<&str>,
        understood: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let candidates = self.candidates(name);
        candidates
            .iter()
            .find(|candidate| candidate.key.choose_scheme(understood).is_some())
            // Whatever it is, the handshake will fail with a better word than "no certificate".
            .or(candidates.first())
            .cloned()
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), hello.signature_schemes())
    }
}
