//! Handshakes with a real client, in memory.

use std::sync::Mutex;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, ProtocolVersion,
    ServerConnection, SignatureScheme,
};

use super::*;

/// Takes every certificate and remembers it; understands the given signatures only.
#[derive(Debug)]
struct Witness {
    schemes: Vec<SignatureScheme>,
    seen: Mutex<Option<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().unwrap() = Some(end_entity.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_tls12_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

struct Client {
    witness: Arc<Witness>,
    config: ClientConfig,
}

const ECDSA: &[SignatureScheme] = &[SignatureScheme::ECDSA_NISTP256_SHA256];
const RSA: &[SignatureScheme] = &[SignatureScheme::RSA_PSS_SHA256];
const BOTH: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::RSA_PSS_SHA256,
];

impl Client {
    fn new(schemes: &[SignatureScheme], versions: &[&'static SupportedProtocolVersion]) -> Self {
        let witness = Arc::new(Witness {
            schemes: schemes.to_vec(),
            seen: Mutex::new(None),
        });
        let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_protocol_versions(versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&witness) as _)
            .with_no_client_auth();
        Self { witness, config }
    }

    /// Does a handshake; gives both ends, or what the server made of it.
    fn connect(
        &self,
        server: &ServerTls,
        name: &str,
    ) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut client = ClientConnection::new(self.config.clone().into(), name).unwrap();
        let mut server = ServerConnection::new(Arc::clone(&server.config)).unwrap();
        while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            let mut wire = wire.as_slice();
            while !wire.is_empty() {
                server.read_tls(&mut wire).unwrap();
                server.process_new_packets()?;
            }
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            let mut wire = wire.as_slice();
            while !wire.is_empty() {
                client.read_tls(&mut wire).unwrap();
                client.process_new_packets()?;
            }
        }
        Ok((client, server))
    }

    /// The names in the certificate that a client of `name` is shown.
    fn shown(&self, server: &ServerTls, name: &str) -> Vec<String> {
        self.connect(server, name).unwrap();
        let seen = self.witness.seen.lock().unwrap().take().unwrap();
        CertificateInfo::read(Path::new("seen"), &[seen])
            .unwrap()
            .names
    }
}

const ALL: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

#[test]
fn the_name_that_is_asked_for_decides_the_certificate() {
    let files = Files::new();
    files.ecdsa("first", &["first.example"]);
    files.ecdsa("www", &["www.example", "www2.example"]);
    files.ecdsa("wild", &["*.api.example"]);
    files.ecdsa("exact", &["v1.api.example"]);
    let server = files.load(&["first", "www", "wild", "exact"]);
    let client = Client::new(BOTH, ALL);
    for (name, first_name) in [
        ("first.example", "first.example"),
        ("www.example", "www.example"),
        ("WWW2.example", "www.example"),
        ("v2.api.example", "*.api.example"),
        ("v1.api.example", "v1.api.example"),
        ("a.v2.api.example", "first.example"),
        ("api.example", "first.example"),
        ("other.example", "first.example"),
        // Addresses are asked for without a name (RFC 6066 section 3).
        ("192.0.2.1", "first.example"),
    ] {
        assert_eq!(client.shown(&server, name)[0], first_name, "{name}");
    }
}

#[test]
fn of_two_certificates_for_a_name_one_that_the_client_understands_is_shown() {
    let files = Files::new();
    files.ecdsa("ec", &["a.example"]);
    files.certificate("rsa", &["a.example"], &rcgen::PKCS_RSA_SHA256);
    let server = files.load(&["ec", "rsa"]);
    for name in ["a.example", "other.example"] {
        for (schemes, expected) in [(ECDSA, "ec"), (RSA, "rsa"), (BOTH, "ec")] {
            let client = Client::new(schemes, ALL);
            client.connect(&server, name).unwrap();
            let seen = client.witness.seen.lock().unwrap().take().unwrap();
            let chain = pem::chain(&files.path(&format!("{expected}.pem"))).unwrap();
            assert_eq!(seen, chain[0], "{name} {expected}");
        }
    }
}

#[test]
fn protocols_and_versions() {
    let files = Files::new();
    files.ecdsa("a", &["a.example"]);
    let server = files.load(&["a"]);
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1", "h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let mut client = Client::new(BOTH, ALL);
        client.config.alpn_protocols = offered.iter().map(|p| p.as_bytes().to_vec()).collect();
        let (_, server) = client.connect(&server, "a.example").unwrap();
        assert_eq!(
            server.alpn_protocol(),
            chosen.map(str::as_bytes),
            "{offered:?}"
        );
        assert_eq!(server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    }
    let mut strange = Client::new(BOTH, ALL);
    strange.config.alpn_protocols = vec![b"smtp".to_vec()];
    assert!(strange.connect(&server, "a.example").is_err());

    let old = Client::new(BOTH, &[&version::TLS12]);
    let (_, ended) = old.connect(&server, "a.example").unwrap();
    assert_eq!(ended.protocol_version(), Some(ProtocolVersion::TLSv1_2));

    let mut settings = files.settings(&["a"]);
    settings.min_version = TlsVersion::Tls13;
    let strict = ServerTls::load(&settings).unwrap();
    assert!(old.connect(&strict, "a.example").is_err());
    Client::new(BOTH, ALL)
        .connect(&strict, "a.example")
        .unwrap();
}

#[test]
fn sessions_are_taken_up_again_by_tickets() {
    let files = Files::new();
    files.ecdsa("a", &["a.example"]);
    let server = files.load(&["a"]);
    for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
        let client = Client::new(BOTH, versions);
        let kind = |server: &ServerTls| {
            let (_, server) = client.connect(server, "a.example").unwrap();
            server.handshake_kind()
        };
        assert_eq!(kind(&server), Some(HandshakeKind::Full));
        assert_eq!(kind(&server), Some(HandshakeKind::Resumed));
        // Another configuration has other keys for its tickets.
        assert_eq!(kind(&files.load(&["a"])), Some(HandshakeKind::Full));
    }
}
