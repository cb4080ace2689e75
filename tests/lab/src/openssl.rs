//! Keys, certificates and signatures by the `openssl` command, which every system has.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs `openssl ARGS` with `input` on its standard input and returns what it wrote.
///
/// # Errors
///
/// When it cannot be run, or complains.
pub(crate) fn openssl<A: AsRef<OsStr>>(
    args: impl IntoIterator<Item = A>,
    input: &[u8],
) -> Result<Vec<u8>> {
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run openssl: install the package openssl")?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends without reading says why on its standard error.
        let _unread = stdin.write_all(input);
    }
    let out = child.wait_with_output()?;
    if !out.status.success() {
        bail!("openssl: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(out.stdout)
}
