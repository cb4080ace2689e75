//! Requests by curl, a client that knows nothing of this project.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::host::Node;

/// What curl writes behind an answer.
const FIGURES: &str = "%{stderr}\n%{http_version} %{time_total} %{time_starttransfer}";

/// A request, to be made from a host of the lab.
#[derive(Clone, Debug)]
pub struct Curl {
    args: Vec<OsString>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The version of HTTP as curl writes it: `1.1` or `2`.
    pub version: String,
    /// Names in lower case and values, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// From the start, connection and handshake included, to the end of the body.
    pub took: Duration,
    /// From the start to the first byte of the answer.
    pub first_byte: Duration,
}

/// There was no answer.
#[derive(Clone, Debug)]
pub struct NoAnswer {
    /// curl's exit code: 7 for a refused connection, 28 for one that took too long, 35 for a
    /// failed handshake, 52 for a connection closed without an answer.
    pub code: i32,
    /// What curl said.
    pub words: String,
}

impl NoAnswer {
    /// curl's code for a connection that was refused.
    pub const REFUSED: i32 = 7;
    /// curl's code for running out of time.
    pub const TIMEOUT: i32 = 28;
    /// curl's code for a TLS handshake that failed.
    pub const HANDSHAKE: i32 = 35;
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer: {} (curl's code {})", self.words, self.code)
    }
}

impl std::error::Error for NoAnswer {}

impl Response {
    /// The first value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(one, _)| one == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text; what is none is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {}", self.text()))
    }
}

impl Curl {
    /// A GET of `url`, given up after ten seconds. The environment's proxies and the user's
    /// settings are left aside.
    pub fn get(url: impl AsRef<str>) -> Self {
        let fixed = [
            "-q",
            "-sS",
            "-i",
            "-g",
            "--path-as-is",
            "--noproxy",
            "*",
            "-H",
            "Expect:",
            "-w",
        ];
        Self {
            args: fixed.iter().map(OsString::from).collect(),
        }
        .arg(FIGURES)
        .within(Duration::from_secs(10))
        .arg(url.as_ref())
    }

    /// Adds an argument of curl's own.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets the method.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        self.arg("-X").arg(method)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.arg("-H").arg(format!("{name}: {value}"))
    }

    /// Adds a bearer token (RFC 6750).
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Sends a body, by POST unless a method is set.
    #[must_use]
    pub fn body(self, media_type: &str, body: &str) -> Self {
        self.header("Content-Type", media_type)
            .arg("--data-raw")
            .arg(body)
    }

    /// Trusts this certificate.
    #[must_use]
    pub fn trusting(self, cert: &Path) -> Self {
        self.arg("--cacert").arg(cert)
    }

    /// Speaks TLS 1.3 only.
    #[must_use]
    pub fn tls13(self) -> Self {
        self.arg("--tlsv1.3")
    }

    /// Speaks HTTP/1.1 only.
    #[must_use]
    pub fn http1(self) -> Self {
        self.arg("--http1.1")
    }

    /// Comes from this address of the host.
    #[must_use]
    pub fn from_address(self, address: IpAddr) -> Self {
        self.arg("--interface").arg(address.to_string())
    }

    /// Gives up after this long.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        self.arg("-m").arg(patience.as_secs_f64().to_string())
    }

    /// Makes the request from `host`.
    ///
    /// # Errors
    ///
    /// With [`NoAnswer`] when there is no whole answer; with other words when curl cannot be run.
    pub fn run(&self, host: &Node) -> Result<Response> {
        let out = host
            .command("curl")
            .args(&self.args)
            .stdin(Stdio::null())
            .output()
            .context("cannot run curl")?;
        let words = String::from_utf8_lossy(&out.stderr);
        if !out.status.success() {
            let words = words.lines().next().unwrap_or_default().to_owned();
            let code = out.status.code().unwrap_or(-1);
            return Err(NoAnswer { code, words }.into());
        }
        parse(&out.stdout, &words).context("curl's output is not understood")
    }
}

fn parse(stdout: &[u8], figures: &str) -> Option<Response> {
    let mut figures = figures.lines().last()?.split(' ');
    let version = figures.next()?.to_owned();
    let mut seconds = || Duration::try_from_secs_f64(figures.next()?.parse().ok()?).ok();
    let (took, first_byte) = (seconds()?, seconds()?);
    let mut rest = stdout;
    loop {
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n")?;
        let (head, body) = rest.split_at_checked(end)?;
        let body = body.get(4..)?;
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split("\r\n");
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        if (100..200).contains(&status) {
            rest = body;
            continue;
        }
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        return Some(Response {
            status,
            version,
            headers,
            body: body.to_vec(),
            took,
            first_byte,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_apart() {
        let stdout = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
                       HTTP/2 429 \r\nretry-after: 7\r\nX-A: b: c\r\n\r\n{\"a\":1}\r\n\r\n";
        let seen = parse(stdout, "noise\n2 0.012345 0.010000").unwrap();
        assert_eq!((seen.status, seen.version.as_str()), (429, "2"));
        assert_eq!(seen.header("retry-after"), Some("7"));
        assert_eq!(seen.header("x-a"), Some("b: c"));
        assert_eq!(seen.header("link"), None);
        assert_eq!(seen.body, b"{\"a\":1}\r\n\r\n");
        assert_eq!(seen.took, Duration::from_micros(12_345));
        assert!(parse(b"HTTP/1.1 200", "2 0 0").is_none());
    }
}
