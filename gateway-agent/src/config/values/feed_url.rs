//! Where a feed is fetched from: `https://lists.example/drop.txt`.

use std::fmt;
use std::str::FromStr;

use http::Uri;

use super::{quoted, text_serde};

/// The URL of a feed, of scheme `https` or `http`, with a host and without user information.
///
/// `Display` and `Debug` leave the query out: it may hold a key.
#[derive(Clone, PartialEq, Eq)]
pub struct FeedUrl(Uri);

impl FeedUrl {
    /// The URL as it was written.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.0
    }

    /// Whether it is fetched over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }
}

impl FromStr for FeedUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = |expected: &str| format!("found {}, expected {expected}", quoted(text));
        let whole = || found("a URL such as https://lists.example/drop.txt");
        let (text, _fragment) = text.split_once('#').unwrap_or((text, ""));
        let uri: Uri = text.parse().map_err(|_| whole())?;
        if !matches!(uri.scheme_str(), Some("https" | "http")) {
            return Err(whole());
        }
        let authority = uri.authority().ok_or_else(whole)?;
        if authority.as_str().contains('@') {
            return Err("found a user name or password in a URL, expected none".to_owned());
        }
        if authority.host().is_empty() || authority.port_u16() == Some(0) {
            return Err(whole());
        }
        Ok(Self(uri))
    }
}

impl fmt::Debug for FeedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FeedUrl({self})")
    }
}

impl fmt::Display for FeedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let host = self
            .0
            .authority()
            .map_or("", |authority| authority.as_str());
        write!(f, "{scheme}://{host}{}", self.0.path())
    }
}

text_serde!(FeedUrl, "a URL such as https://lists.example/drop.txt", numbers: false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_key_in_it() {
        let url: FeedUrl = "https://Lists.example:8443/a/b.txt?key=secret#x"
            .parse()
            .unwrap();
        assert_eq!(url.to_string(), "https://Lists.example:8443/a/b.txt");
        assert_eq!(url.uri().query(), Some("key=secret"));
        assert!(url.is_secure() && !format!("{url:?}").contains("secret"));
        let plain: FeedUrl = "http://[2001:db8::1]/x".parse().unwrap();
        assert!(!plain.is_secure());
    }

    #[test]
    fn the_rest_is_refused() {
        for text in [
            "",
            "drop.txt",
            "/etc/drop.txt",
            "ftp://lists.example/drop.txt",
            "https://",
            "https:///x",
            "https://lists.example:0/",
            "https://a b/",
        ] {
            let said = text.parse::<FeedUrl>().unwrap_err();
            assert!(said.contains("expected a URL such as"), "{text}: {said}");
        }
        let said = "https://me:pass@lists.example/"
            .parse::<FeedUrl>()
            .unwrap_err();
        assert!(
            said.contains("user name") && !said.contains("pass@"),
            "{said}"
        );
    }
}
