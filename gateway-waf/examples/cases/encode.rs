//! The ways in which a payload is written.

use anyhow::{Result, bail};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};

/// Writes a payload in the way of this name, any case.
///
/// # Errors
/// When there is no such way.
pub(crate) fn apply(encoder: &str, payload: &str) -> Result<String> {
    Ok(match encoder.to_ascii_lowercase().as_str() {
        "plain" => payload.to_owned(),
        "base64" => STANDARD.encode(payload),
        "base64flat" => STANDARD_NO_PAD.encode(payload),
        "url" => url(payload),
        "jsunicode" => js(payload),
        "xmlentity" => xml(payload),
        _ => bail!("there is no encoder {encoder}"),
    })
}

/// As a form is written: a plus sign for each space.
fn url(payload: &str) -> String {
    let mut out = String::new();
    for b in payload.bytes() {
        match b {
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(b)),
            b' ' => out.push('+'),
            _ if b.is_ascii_alphanumeric() => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// Every character as an escape of JavaScript.
pub(crate) fn js(payload: &str) -> String {
    let units = payload.encode_utf16();
    units.map(|unit| format!("\\u{unit:04x}")).collect()
}

/// As the text of an XML document.
pub(crate) fn xml(payload: &str) -> String {
    let mut out = String::new();
    for c in payload.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\r' | '\t' => out.push_str(&format!("&#x{:X};", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}
