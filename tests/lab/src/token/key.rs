//! Signing keys, made and used by openssl.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{base64url, der, unsigned_part};
use crate::openssl::openssl;

/// The signature algorithms of RFC 7518 and RFC 8037 that issuers use most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// RSA PKCS #1 v1.5 with SHA-256, a key of 2048 bits.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Hs256, Self::Rs256, Self::Es256, Self::EdDsa];

    /// The name in the `alg` of a token.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A key that signs tokens.
#[derive(Clone, Debug)]
pub struct Key {
    algorithm: Algorithm,
    kid: String,
    file: PathBuf,
}

impl Key {
    /// Makes a key, in the file `KID.secret` or `KID.key` of `directory`.
    ///
    /// # Errors
    ///
    /// When openssl fails or the file cannot be written.
    pub fn make(directory: &Path, algorithm: Algorithm, kid: &str) -> Result<Self> {
        let key = |file| Self {
            algorithm,
            kid: kid.to_owned(),
            file,
        };
        if algorithm == Algorithm::Hs256 {
            let made = key(directory.join(format!("{kid}.secret")));
            fs::write(&made.file, openssl(["rand", "-hex", "32"], &[])?)?;
            return Ok(made);
        }
        let made = key(directory.join(format!("{kid}.key")));
        let how: &[&str] = match algorithm {
            Algorithm::Hs256 | Algorithm::Rs256 => &[
                "genpkey",
                "-algorithm",
                "RSA",
                "-pkeyopt",
                "rsa_keygen_bits:2048",
            ],
            Algorithm::Es256 => &[
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ],
            Algorithm::EdDsa => &["genpkey", "-algorithm", "ED25519"],
        };
        let pem = openssl(how, &[]).with_context(|| format!("the key {kid}"))?;
        fs::write(&made.file, pem)?;
        Ok(made)
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The file: a secret and a line end for HS256, else a private key in PEM.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A token with these claims and the header of an honest issuer.
    ///
    /// # Errors
    ///
    /// When openssl fails.
    pub fn sign(&self, claims: &Value) -> Result<String> {
        let header = json!({"alg": self.algorithm.name(), "typ": "JWT", "kid": self.kid});
        self.sign_as(&header, claims)
    }

    /// A token with this header, whatever that says, signed by this key.
    ///
    /// # Errors
    ///
    /// When openssl fails.
    pub fn sign_as(&self, header: &Value, claims: &Value) -> Result<String> {
        let signed = unsigned_part(header, claims);
        let signature = self.signature(signed.as_bytes())?;
        Ok(format!("{signed}.{}", base64url(signature)))
    }

    /// The public half in PEM, as an issuer may publish it.
    ///
    /// # Errors
    ///
    /// When openssl fails, or the key is a secret.
    pub fn public_pem(&self) -> Result<Vec<u8>> {
        openssl(path(&["pkey", "-pubout", "-in"], &self.file), &[])
    }

    /// The public half as a JSON web key (RFC 7517).
    ///
    /// # Errors
    ///
    /// When openssl fails, or the key is a secret.
    pub fn jwk(&self) -> Result<Value> {
        let public = path(&["pkey", "-pubout", "-outform", "DER", "-in"], &self.file);
        let mut jwk = match self.algorithm {
            Algorithm::Hs256 => bail!("a secret has no public half"),
            Algorithm::Rs256 => {
                let bytes = openssl(public, &[])?;
                let (n, e) = der::rsa_public(&bytes).context("an RSA key")?;
                json!({"kty": "RSA", "n": base64url(n), "e": base64url(e)})
            }
            Algorithm::Es256 => {
                // The uncompressed point, 4 ‖ x ‖ y, ends the structure (RFC 5480, section 2.2).
                let bytes = openssl(public, &[])?;
                let point = bytes.last_chunk::<64>().context("a point on P-256")?;
                let (x, y) = point.split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)})
            }
            Algorithm::EdDsa => {
                // The key itself ends the structure (RFC 8410, section 4).
                let bytes = openssl(public, &[])?;
                let x = bytes.last_chunk::<32>().context("an Ed25519 key")?;
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(x)})
            }
        };
        if let Some(fields) = jwk.as_object_mut() {
            fields.insert("kid".into(), self.kid.as_str().into());
            fields.insert("alg".into(), self.algorithm.name().into());
            fields.insert("use".into(), "sig".into());
        }
        Ok(jwk)
    }

    fn signature(&self, signed: &[u8]) -> Result<Vec<u8>> {
        match self.algorithm {
            Algorithm::Hs256 => {
                let secret = fs::read(&self.file)?;
                hmac(secret.strip_suffix(b"\n").unwrap_or(&secret), signed)
            }
            Algorithm::Rs256 => openssl(path(&["dgst", "-sha256", "-sign"], &self.file), signed),
            Algorithm::Es256 => {
                let signature = openssl(path(&["dgst", "-sha256", "-sign"], &self.file), signed)?;
                der::ecdsa_to_fixed(&signature).context("an ECDSA signature")
            }
            Algorithm::EdDsa => {
                // Ed25519 signs in two passes, so openssl wants a file.
                let input = self.file.with_extension("input");
                fs::write(&input, signed)?;
                let mut args = path(&["pkeyutl", "-sign", "-rawin", "-inkey"], &self.file);
                args.extend(path(&["-in"], &input));
                openssl(args, &[])
            }
        }
    }
}

/// The key set (RFC 7517, section 5) of the public halves of `keys`.
///
/// # Errors
///
/// When one of them is a secret.
pub fn jwks(keys: &[&Key]) -> Result<Value> {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect::<Result<_>>()?;
    Ok(json!({ "keys": keys }))
}

impl Key {
    /// A token signed by HMAC with any bytes for a secret: what somebody makes who takes a
    /// public key for one (RFC 8725, section 2.1).
    ///
    /// # Errors
    ///
    /// When openssl fails.
    pub fn hmac_with(secret: &[u8], kid: &str, claims: &Value) -> Result<String> {
        let signed = unsigned_part(&json!({"alg": "HS256", "typ": "JWT", "kid": kid}), claims);
        Ok(format!(
            "{signed}.{}",
            base64url(hmac(secret, signed.as_bytes())?)
        ))
    }
}

fn hmac(secret: &[u8], signed: &[u8]) -> Result<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let option = format!("hexkey:{hex}");
    openssl(
        [
            "dgst", "-sha256", "-mac", "HMAC", "-macopt", &option, "-binary",
        ],
        signed,
    )
}

fn path(args: &[&str], file: &Path) -> Vec<std::ffi::OsString> {
    args.iter().map(Into::into).chain([file.into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths in characters of base64url of what RFC 7518 says of each key and signature.
    #[test]
    fn keys_and_signatures_have_the_lengths_of_their_algorithms() {
        let directory = std::env::temp_dir().join(format!("lab-keys-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let claims = json!({"sub": "s"});
        for (algorithm, signature, public) in [
            (Algorithm::Hs256, 43, None),
            (Algorithm::Rs256, 342, Some(("n", 342))),
            (Algorithm::Es256, 86, Some(("y", 43))),
            (Algorithm::EdDsa, 86, Some(("x", 43))),
        ] {
            let key = Key::make(&directory, algorithm, algorithm.name()).unwrap();
            let token = key.sign(&claims).unwrap();
            let (_, last) = token.rsplit_once('.').unwrap();
            assert_eq!(last.len(), signature, "{token}");
            match public {
                Some((field, length)) => {
                    let jwk = key.jwk().unwrap();
                    assert_eq!(jwk[field].as_str().unwrap().len(), length, "{jwk}");
                }
                None => assert!(key.jwk().is_err()),
            }
        }
        fs::remove_dir_all(&directory).unwrap();
    }
}
