//! A request as it may be kept: what its rules saw, without its secrets.

use super::{Transaction, request::bounded, secret, tx::TxValue};
use crate::{body::urlencoded, ruleset::BodyProcessor, variable::Store};

/// What stands in place of a secret.
const MASK: &[u8] = b"***";

/// A copy of a request that may be written to disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestCopy {
    /// The method.
    pub method: Vec<u8>,
    /// The target as sent.
    pub target: Vec<u8>,
    /// The protocol, for instance `HTTP/1.1`.
    pub protocol: Vec<u8>,
    /// The header fields in order.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body as the rules saw it; `None` where it is too long, or holds secrets that cannot be
    /// told from the rest.
    pub body: Option<Vec<u8>>,
    /// How many bytes of body there were.
    pub body_length: u64,
    /// How many values are masked.
    pub masked: u32,
}

impl Transaction<'_> {
    /// A copy of the request, its body of at most `most_body` bytes. The values of credentials,
    /// cookies, and arguments whose names say so, are replaced by asterisks; `also_secret` names
    /// more of them. What looks like a JSON web token or a card number is replaced wherever it
    /// stands.
    #[must_use]
    pub fn copy(&self, most_body: usize, also_secret: &dyn Fn(&[u8]) -> bool) -> RequestCopy {
        let mut mask = Masking {
            transaction: self,
            also_secret,
            masked: 0,
        };
        let target = mask.target(self.first(Store::RequestUriRaw));
        let headers = self
            .items(Store::Headers)
            .iter()
            .map(|item| {
                let name = self.pool.get(item.name);
                let hidden = self.is_secret_item(Store::Headers, item.name, also_secret);
                let value = mask.header(name, self.pool.get(item.value), hidden);
                (name.to_vec(), value)
            })
            .collect();
        let bytes = self.body.bytes();
        let body = if bytes.len() > most_body {
            None
        } else {
            mask.body(bytes, self.body_processor())
        };
        RequestCopy {
            method: self.first(Store::RequestMethod).to_vec(),
            target,
            protocol: self.first(Store::RequestProtocol).to_vec(),
            headers,
            body,
            body_length: self.body.received(),
            masked: mask.masked,
        }
    }

    /// The anomaly score of the request as rule sets keep it, where they do.
    #[must_use]
    pub fn score(&self) -> Option<i64> {
        const NAMES: [&[u8]; 3] = [
            b"blocking_inbound_anomaly_score",
            b"inbound_anomaly_score",
            b"anomaly_score",
        ];
        NAMES.iter().find_map(|name| {
            let value: TxValue = self.tx.get_named(&self.rules.tx, name)?;
            Some(self.tx_integer(Some(value)))
        })
    }
}

struct Masking<'a, 'w> {
    transaction: &'a Transaction<'w>,
    also_secret: &'a dyn Fn(&[u8]) -> bool,
    masked: u32,
}

impl Masking<'_, '_> {
    fn hide(&mut self) -> Vec<u8> {
        self.masked = self.masked.saturating_add(1);
        MASK.to_vec()
    }

    fn is_secret(&self, name: &[u8]) -> bool {
        secret::is_secret_name(name)
            || (self.also_secret)(name)
            || self.transaction.is_masked_argument(name)
    }

    /// A target whose path and query are masked apart.
    fn target(&mut self, target: &[u8]) -> Vec<u8> {
        let end = memchr::memchr(b'?', target).unwrap_or(target.len());
        let (path, query) = target.split_at(end);
        let mut out = Vec::with_capacity(target.len());
        for (i, segment) in path.split(|&b| b == b'/').enumerate() {
            if i > 0 {
                out.push(b'/');
            }
            if secret::looks_secret(segment) {
                out.extend(self.hide());
            } else {
                out.extend_from_slice(segment);
            }
        }
        if let Some(query) = query.get(1..) {
            out.push(b'?');
            out.extend(self.pairs(query));
        }
        out
    }

    /// The pairs of a query or a form, in the bytes that they came in.
    fn pairs(&mut self, text: &[u8]) -> Vec<u8> {
        let separator = self.transaction.rules.settings.argument_separator;
        let mut out = Vec::with_capacity(text.len());
        for (i, pair) in text.split(|&b| b == separator).enumerate() {
            if i > 0 {
                out.push(separator);
            }
            let (name, value) = match memchr::memchr(b'=', pair) {
                Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..)),
                None => (pair, None),
            };
            let decoded = decoded(name);
            if secret::looks_secret(&decoded) {
                out.extend(self.hide());
            } else {
                out.extend_from_slice(name);
            }
            let Some(value) = value else { continue };
            out.push(b'=');
            let hidden = self.is_secret(&decoded) || secret::looks_secret(&self::decoded(value));
            if hidden && !value.is_empty() {
                out.extend(self.hide());
            } else {
                out.extend_from_slice(value);
            }
        }
        out
    }

    /// The value of a header field. Of credentials the scheme stays, of cookies the names: rules
    /// ask for them.
    fn header(&mut self, name: &[u8], value: &[u8], hidden: bool) -> Vec<u8> {
        if name.eq_ignore_ascii_case(b"cookie") {
            let mut out = Vec::new();
            for (i, cookie) in value.split(|&b| b == b';').enumerate() {
                if i > 0 {
                    out.push(b';');
                }
                match memchr::memchr(b'=', cookie) {
                    Some(at) => {
                        out.extend_from_slice(cookie.get(..=at).unwrap_or_default());
                        out.extend(self.hide());
                    }
                    None if cookie.trim_ascii().is_empty() => {}
                    None => out.extend(self.hide()),
                }
            }
            return out;
        }
        if hidden || secret::looks_secret(value) {
            let scheme = memchr::memchr(b' ', value).filter(|at| {
                let word = bounded(value, *at);
                name.eq_ignore_ascii_case(b"authorization")
                    && word.iter().all(u8::is_ascii_alphabetic)
            });
            let mut out = scheme.map_or_else(Vec::new, |at| bounded(value, at + 1).to_vec());
            out.extend(self.hide());
            return out;
        }
        if name.eq_ignore_ascii_case(b"referer") || value.contains(&b'?') {
            return self.target(value);
        }
        value.to_vec()
    }

    fn body(&mut self, bytes: &[u8], processor: Option<BodyProcessor>) -> Option<Vec<u8>> {
        match processor {
            Some(BodyProcessor::UrlEncoded) => Some(self.pairs(bytes)),
            Some(BodyProcessor::Json | BodyProcessor::Multipart | BodyProcessor::Xml) | None => {
                let stores = [Store::ArgsPost, Store::PartHeaders, Store::XmlAttributes];
                let named = stores.iter().any(|store| {
                    let items = self.transaction.items(*store).iter();
                    items.into_iter().any(|item| {
                        let transaction = self.transaction;
                        transaction.is_secret_item(*store, item.name, self.also_secret)
                    })
                });
                let hidden = named || secret::names_secret(bytes) || secret::looks_secret(bytes);
                (!hidden).then(|| bytes.to_vec())
            }
        }
    }
}

/// A name or value as the application reads it.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    urlencoded::parse(text, b'&', 1, |before, after| {
        // A value may have an equals sign of its own.
        out = [before, after].join(&b'=');
    });
    if !text.contains(&b'=') {
        out.pop();
    }
    out
}
