//! Looks again inside values: for what is written in another encoding within them.
//!
//! What comes out is never longer than what went in, and every value is taken for one thing at
//! most, so the work grows with the depth and not with the number of ways to read a value.

mod base64;
mod jwt;

use std::fmt;

use crate::{
    body::json::{self, JsonError},
    transaction::is_secret_name,
    transform::url_decode_into,
};

/// A way to find a value inside a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// Base64 or base64url (RFC 4648, sections 4 and 5) of mostly printable text, also behind
    /// `data:…;base64,` (RFC 2397). The padding may be left out.
    Base64,
    /// Percent-encoding (RFC 3986, section 2.1) that is left when the value has been decoded as
    /// the request calls for.
    Url,
    /// A JSON object or array (RFC 8259) as a value.
    Json,
    /// The header and the claims of a JSON web token (RFC 7519), also behind `Bearer`.
    Jwt,
}

impl Decoder {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Base64, Self::Url, Self::Json, Self::Jwt];

    /// Its name in configurations and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Url => "url",
            Self::Json => "json",
            Self::Jwt => "jwt",
        }
    }
}

/// A set of decoders; the empty one by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decoders(u8);

impl Decoders {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set has this one.
    #[must_use]
    pub const fn has(self, decoder: Decoder) -> bool {
        self.0 >> decoder as u8 & 1 == 1
    }
}

impl FromIterator<Decoder> for Decoders {
    fn from_iter<I: IntoIterator<Item = Decoder>>(decoders: I) -> Self {
        let bits = decoders.into_iter().map(|decoder| 1 << decoder as u8);
        Self(bits.fold(0, |set, bit| set | bit))
    }
}

/// The decoders that led to a value, from the outermost on; none for a value as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps([Option<Decoder>; Steps::MOST]);

impl Steps {
    /// How deep values are looked into.
    pub(crate) const MOST: usize = 3;

    /// Whether there can be no more.
    fn are_all(self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    /// With one more; `None` where that would be too deep.
    fn and(mut self, decoder: Decoder) -> Option<Self> {
        *self.0.iter_mut().find(|step| step.is_none())? = Some(decoder);
        Some(self)
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.into_iter().flatten().map(Decoder::name).collect();
        f.write_str(&names.join(","))
    }
}

/// A value that was found inside another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Inner {
    pub(crate) value: Vec<u8>,
    pub(crate) steps: Steps,
    /// Whether its name in a document says that it is a secret.
    pub(crate) secret: bool,
}

/// There are more values inside than there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// Appends every value found inside `value`, and inside those, to `out`, which holds `most` at
/// most.
///
/// # Errors
/// When there are more; what was found before stands.
pub(crate) fn look_inside(
    value: &[u8],
    decoders: Decoders,
    most: usize,
    out: &mut Vec<Inner>,
) -> Result<(), TooMany> {
    let mut search = Search {
        decoders,
        most,
        out,
    };
    let steps = Steps::default();
    let opened = search.open(value, steps)?;
    search.take(opened, steps, false)
}

struct Search<'a> {
    decoders: Decoders,
    most: usize,
    out: &'a mut Vec<Inner>,
}

/// What a value is.
enum Opened {
    /// Nothing that could be looked into.
    Plain,
    /// Another text, encoded.
    Text(Decoder, Vec<u8>),
    /// A document, come apart.
    Leaves(Decoder, Vec<Leaf>),
}

impl Search<'_> {
    fn take(&mut self, opened: Opened, steps: Steps, secret: bool) -> Result<(), TooMany> {
        let (decoder, leaves) = match opened {
            Opened::Plain => return Ok(()),
            Opened::Text(decoder, value) => (decoder, vec![Leaf { value, secret }]),
            Opened::Leaves(decoder, leaves) => (decoder, leaves),
        };
        let Some(steps) = steps.and(decoder) else {
            return Ok(());
        };
        for leaf in leaves {
            let secret = secret || leaf.secret;
            let further = self.open(&leaf.value, steps)?;
            // Of a document its values are seen, as those of a body are, and not its brackets.
            if !matches!(further, Opened::Leaves(..)) {
                if self.out.len() >= self.most {
                    return Err(TooMany);
                }
                self.out.push(Inner {
                    value: leaf.value,
                    steps,
                    secret,
                });
            }
            self.take(further, steps, secret)?;
        }
        Ok(())
    }

    /// What `value`, to which `steps` led, is at first sight.
    fn open(&self, value: &[u8], steps: Steps) -> Result<Opened, TooMany> {
        let may = |decoder| self.decoders.has(decoder);
        if steps.are_all() {
            return Ok(Opened::Plain);
        }
        if may(Decoder::Jwt)
            && let Some(leaves) = jwt::leaves(value, self.most)?
        {
            return Ok(Opened::Leaves(Decoder::Jwt, leaves));
        }
        if may(Decoder::Json)
            && let Some(leaves) = leaves(value, self.most)?
        {
            return Ok(Opened::Leaves(Decoder::Json, leaves));
        }
        if may(Decoder::Url)
            && let Some(text) = unescaped(value)
        {
            return Ok(Opened::Text(Decoder::Url, text));
        }
        if may(Decoder::Base64)
            && let Some(text) = base64::text(value)
        {
            return Ok(Opened::Text(Decoder::Base64, text));
        }
        Ok(Opened::Plain)
    }
}

/// A value of a document.
struct Leaf {
    value: Vec<u8>,
    secret: bool,
}

/// The deepest document that is read inside a value.
const DEPTH: usize = 64;

/// The values of a JSON object or array but for empty ones; `None` where it is none from end to
/// end.
///
/// # Errors
/// When there are more than `most`.
fn leaves(value: &[u8], most: usize) -> Result<Option<Vec<Leaf>>, TooMany> {
    let value = value.trim_ascii();
    if !matches!(value, [b'{', .., b'}'] | [b'[', .., b']']) {
        return Ok(None);
    }
    let mut leaves = Vec::new();
    let outcome = json::parse(value, DEPTH, most, |name, value| {
        if !value.is_empty() {
            leaves.push(Leaf {
                value: value.to_vec(),
                secret: is_secret_name(name),
            });
        }
    });
    match outcome {
        Ok(()) => Ok(Some(leaves)),
        Err(JsonError::TooMany | JsonError::LongNames) => Err(TooMany),
        Err(
            JsonError::Unexpected(_)
            | JsonError::Truncated
            | JsonError::Escape(_)
            | JsonError::TooDeep
            | JsonError::Encoding,
        ) => Ok(None),
    }
}

/// The value with its escapes resolved; `None` where it has none.
fn unescaped(value: &[u8]) -> Option<Vec<u8>> {
    let is_escape = |window: &[u8]| matches!(window, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    if !value.windows(3).any(is_escape) {
        return None;
    }
    let mut out = Vec::with_capacity(value.len());
    url_decode_into(value, &mut out);
    Some(out)
}

#[cfg(test)]
mod tests;
