//! Certificates for the gateway under test.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::host::Host;
use crate::net::{GATEWAY_LAN4, GATEWAY_LAN6};
use crate::openssl::openssl;

/// A self-signed certificate for the gateway, by name and by every address of it, with its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate in PEM, which is also what clients have to trust.
    pub cert: PathBuf,
    /// The key in PEM (PKCS #8).
    pub key: PathBuf,
}

/// The name that [`Certificate::make`] puts into certificates, beside the gateway's addresses.
pub const NAME: &str = "gateway.lab";

impl Certificate {
    /// Makes an ECDSA key and a certificate that is valid for two days, as `NAME.pem` and
    /// `NAME.key` in `directory`.
    ///
    /// # Errors
    ///
    /// When openssl fails.
    pub fn make(directory: &Path, name: &str) -> Result<Self> {
        let made = Self {
            cert: directory.join(format!("{name}.pem")),
            key: directory.join(format!("{name}.key")),
        };
        let alternatives = format!(
            "subjectAltName=DNS:{NAME},IP:{},IP:{},IP:{GATEWAY_LAN4},IP:{GATEWAY_LAN6}",
            Host::Gateway.ip4(),
            Host::Gateway.ip6(),
        );
        let mut args: Vec<&std::ffi::OsStr> = Vec::new();
        let fixed = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=gateway.lab",
            "-addext",
        ];
        args.extend(fixed.iter().map(std::ffi::OsStr::new));
        args.push(alternatives.as_ref());
        for (option, file) in [("-keyout", &made.key), ("-out", &made.cert)] {
            args.extend([option.as_ref(), file.as_os_str()]);
        }
        openssl(args, &[]).with_context(|| format!("the certificate {name}"))?;
        Ok(made)
    }
}
