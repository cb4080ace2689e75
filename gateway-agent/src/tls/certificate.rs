//! What a certificate says.

use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::TlsFault;

/// What a server's certificate says that is of interest here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// The host names that it is for, in lower case; one may begin with `*.` (RFC 6125).
    pub names: Vec<String>,
    /// From when on it is valid.
    pub not_before: SystemTime,
    /// The last moment at which it is valid.
    pub not_after: SystemTime,
}

/// How a certificate stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is valid for a while.
    Valid,
    /// It is valid for this long only: less than two weeks, or than a third of its life when
    /// that is shorter. By then an automatic renewal should have happened.
    Expiring(Duration),
    /// It has not been valid for this long: clients refuse it.
    Expired(Duration),
    /// It will be valid after this time: until then clients refuse it.
    NotYetValid(Duration),
}

/// With less than this left, a certificate is told to be about to expire.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

impl CertificateInfo {
    /// How it stands at `now`.
    #[must_use]
    pub fn standing(&self, now: SystemTime) -> Standing {
        if let Ok(early) = self.not_before.duration_since(now)
            && !early.is_zero()
        {
            return Standing::NotYetValid(early);
        }
        let life = self.not_after.duration_since(self.not_before);
        let soon = life.map_or(SOON, |life| SOON.min(life / 3));
        match self.not_after.duration_since(now) {
            Ok(left) if left < soon => Standing::Expiring(left),
            Ok(_) => Standing::Valid,
            Err(late) => Standing::Expired(late.duration()),
        }
    }

    /// Reads the first certificate of the chain, and sees that the others are certificates.
    pub(super) fn read(path: &Path, chain: &[CertificateDer<'static>]) -> Result<Self, TlsFault> {
        let mut first = None;
        for (i, der) in chain.iter().enumerate() {
            let bad = |detail: String| TlsFault::BadCertificate {
                path: path.into(),
                number: i + 1,
                detail,
            };
            let (_, parsed) =
                X509Certificate::from_der(der).map_err(|error| bad(error.to_string()))?;
            if i == 0 {
                // What rustls asks of it, too: else it would fail with the first client.
                ParsedCertificate::try_from(der).map_err(|error| bad(error.to_string()))?;
                first = Some(Self::of(&parsed));
            }
        }
        first.ok_or(TlsFault::NoCertificate { path: path.into() })
    }

    fn of(certificate: &X509Certificate<'_>) -> Self {
        let names = certificate
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|extension| extension.value.general_names.as_slice())
            .unwrap_or_default()
            .iter()
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
                GeneralName::OtherName(..)
                | GeneralName::RFC822Name(_)
                | GeneralName::X400Address(_)
                | GeneralName::DirectoryName(_)
                | GeneralName::EDIPartyName(_)
                | GeneralName::URI(_)
                | GeneralName::IPAddress(_)
                | GeneralName::RegisteredID(_)
                | GeneralName::Invalid(..) => None,
            })
            .collect();
        Self {
            names,
            not_before: moment(certificate.validity().not_before),
            not_after: moment(certificate.validity().not_after),
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid => f.write_str("valid"),
            Self::Expiring(left) => write!(f, "expires in {}", Rough(*left)),
            Self::Expired(late) => write!(f, "expired {} ago", Rough(*late)),
            Self::NotYetValid(early) => write!(f, "becomes valid in {}", Rough(*early)),
        }
    }
}

/// A duration in the unit that tells it best.
struct Rough(Duration);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.as_secs();
        let (n, unit) = match secs {
            172_800.. => (secs / 86_400, "days"),
            7200.. => (secs / 3600, "hours"),
            120.. => (secs / 60, "minutes"),
            _ => (secs, "seconds"),
        };
        write!(f, "{n} {unit}")
    }
}

fn moment(time: ASN1Time) -> SystemTime {
    let secs = time.timestamp();
    let span = Duration::from_secs(secs.unsigned_abs());
    let moment = if secs < 0 {
        UNIX_EPOCH.checked_sub(span)
    } else {
        UNIX_EPOCH.checked_add(span)
    };
    moment.unwrap_or(UNIX_EPOCH)
}

/// Sees that the key is that of the first certificate.
pub(super) fn belong_together(
    certified: &CertifiedKey,
    cert: &Path,
    key: &Path,
) -> Result<(), TlsFault> {
    let Some(public) = certified.key.public_key() else {
        return Ok(());
    };
    let belongs = |der: &CertificateDer<'_>| {
        ParsedCertificate::try_from(der)
            .is_ok_and(|parsed| parsed.subject_public_key_info() == public)
    };
    let (cert, key) = (cert.to_owned(), key.to_owned());
    match certified.cert.iter().position(belongs) {
        Some(0) => Ok(()),
        Some(i) => Err(TlsFault::WrongOrder {
            cert,
            key,
            number: i + 1,
        }),
        None => Err(TlsFault::Mismatch { cert, key }),
    }
}
