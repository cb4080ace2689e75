//! Patterns of request methods.

use std::fmt;
use std::str::FromStr;

use crate::grammar::Excerpt;

/// Which request methods: `*` for all, or a list such as `GET` or `POST,PUT`.
///
/// Who may `GET` may `HEAD`: it is the same request without the body (RFC 9110 section 9.3.2).
/// Methods are case-sensitive (section 9.1), so a request of `get` matches no `GET`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MethodPattern(
    /// `None` for all.
    Option<Box<[Box<str>]>>,
);

impl MethodPattern {
    /// Every method.
    pub const ANY: Self = Self(None);

    /// Whether `method` is one of them.
    #[must_use]
    pub fn matches(&self, method: &str) -> bool {
        self.0.as_ref().is_none_or(|methods| {
            methods
                .iter()
                .any(|m| **m == *method || (&**m == "GET" && method == "HEAD"))
        })
    }

    /// Whether it is every method.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.is_none()
    }

    /// The methods that are named; none when it is every method.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(|method| &**method)
    }
}

/// A text that is no list of methods.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MethodPatternError {
    /// Something that is no method's name.
    #[error("{input} is not a method; write * for all, or for example GET or POST,PUT")]
    NotAMethod {
        /// What was written.
        input: Excerpt,
    },
    /// A name in lower case, which no request of that method has.
    #[error("{input} is not a method; methods are written in capitals: {capitals}")]
    LowerCase {
        /// What was written.
        input: Excerpt,
        /// What was probably meant.
        capitals: Excerpt,
    },
}

impl FromStr for MethodPattern {
    type Err = MethodPatternError;

    fn from_str(text: &str) -> Result<Self, MethodPatternError> {
        if text.trim() == "*" {
            return Ok(Self::ANY);
        }
        let methods: Result<Vec<Box<str>>, _> = text.split(',').map(|m| one(m.trim())).collect();
        let mut methods = methods?;
        methods.sort();
        methods.dedup();
        Ok(Self(Some(methods.into())))
    }
}

fn one(method: &str) -> Result<Box<str>, MethodPatternError> {
    let input = Excerpt::of(method);
    // Of the characters a method may have, those that any registered one has.
    if method.is_empty()
        || !method
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    {
        return Err(MethodPatternError::NotAMethod { input });
    }
    if method.bytes().any(|b| b.is_ascii_lowercase()) {
        let capitals = Excerpt::of(&method.to_ascii_uppercase());
        return Err(MethodPatternError::LowerCase { input, capitals });
    }
    Ok(method.into())
}

impl fmt::Display for MethodPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("*"),
            Some(methods) => f.write_str(&methods.join(",")),
        }
    }
}

crate::grammar::text::text_serde!(MethodPattern, "methods such as GET,POST or *", numbers: false);

#[cfg(test)]
mod tests {
    use super::*;

    fn m(text: &str) -> MethodPattern {
        text.parse().unwrap()
    }

    #[test]
    fn matches_by_name() {
        assert!(m("*").matches("BREW") && m("*").is_any());
        assert!(m("GET").matches("GET") && m("GET").matches("HEAD"));
        assert!(!m("GET").matches("POST") && !m("GET").matches("get"));
        assert!(!m("HEAD").matches("GET"));
        assert!(m("POST, PUT").matches("PUT") && !m("POST,PUT").matches("HEAD"));
        assert_eq!(m("PUT,POST,PUT").to_string(), "POST,PUT");
        assert_eq!(m("*").to_string(), "*");
        assert_eq!(m("POST,PUT").named().collect::<Vec<_>>(), ["POST", "PUT"]);
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for text in ["", ",", "GET,", "GET POST", "GET|POST", "*,GET", "G*"] {
            let refused = text.parse::<MethodPattern>();
            assert!(
                matches!(refused, Err(MethodPatternError::NotAMethod { .. })),
                "{text}"
            );
        }
        let refused = "get".parse::<MethodPattern>().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`get` is not a method; methods are written in capitals: `GET`"
        );
    }
}
