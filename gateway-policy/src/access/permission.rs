//! What a role allows: methods on paths.

use std::fmt;
use std::str::FromStr;

use super::NormalPath;
use super::method::{MethodPattern, MethodPatternError};
use super::pattern::{PathPattern, PathPatternError};
use crate::grammar::Excerpt;

/// Methods on paths: `GET /api/**`, `POST,PUT /api/*/items`, `* /**`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Permission {
    /// Which methods.
    pub methods: MethodPattern,
    /// Which paths.
    pub path: PathPattern,
}

impl Permission {
    /// Whether it allows `method` on `path`.
    #[must_use]
    pub fn matches(&self, method: &str, path: &NormalPath) -> bool {
        self.methods.matches(method) && self.path.matches(path)
    }
}

/// A text that is no permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    /// Not two words.
    #[error(
        "{0} is not a permission; write methods and a path, for example `GET /api/**` or `* /**`"
    )]
    Form(Excerpt),
    /// The first word is no list of methods.
    #[error(transparent)]
    Methods(#[from] MethodPatternError),
    /// The second word is no pattern.
    #[error(transparent)]
    Path(#[from] PathPatternError),
}

impl FromStr for Permission {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        // A path begins with the first slash, so that a list of methods may have spaces.
        let form = || PermissionError::Form(Excerpt::of(text));
        let slash = text.find('/').ok_or_else(form)?;
        let (methods, path) = text.split_at_checked(slash).ok_or_else(form)?;
        if !methods.ends_with(char::is_whitespace) || methods.trim().is_empty() {
            return Err(form());
        }
        Ok(Self {
            methods: methods.trim().parse()?,
            path: path.trim_end().parse()?,
        })
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.methods, self.path)
    }
}

crate::grammar::text::text_serde!(Permission, "a permission such as `GET /api/**`", numbers: false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_methods_and_a_path() {
        for (text, shown) in [
            ("GET /api/**", "GET /api/**"),
            ("* /**", "* /**"),
            ("  PUT, POST   /a b ", "POST,PUT /a b"),
        ] {
            assert_eq!(text.parse::<Permission>().unwrap().to_string(), shown);
        }
        let read: Permission = "GET /api/**".parse().unwrap();
        let path = NormalPath::parse("/api/x").unwrap();
        assert!(read.matches("GET", &path) && read.matches("HEAD", &path));
        assert!(!read.matches("POST", &path));
        assert!(!read.matches("GET", &NormalPath::parse("/admin").unwrap()));
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (text, says) in [
            ("", "not a permission"),
            ("GET", "not a permission"),
            ("/api/**", "not a permission"),
            ("GET/api/**", "not a permission"),
            ("get /api/**", "`GET`"),
            ("GET /api/", "a slash at the end"),
        ] {
            let error = text.parse::<Permission>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
