//! Where a redirect leads (RFC 9110, section 10.2.2).

use http::{HeaderValue, Uri};

use super::FetchError;

/// The URL that `location` names, seen from `base`.
pub(super) fn target(base: &Uri, location: Option<&HeaderValue>) -> Result<Uri, FetchError> {
    let bad = || FetchError::BadRedirect;
    let location = location
        .and_then(|value| value.to_str().ok())
        .ok_or_else(bad)?;
    let location = location.split('#').next().unwrap_or_default();
    let scheme = base.scheme_str().ok_or_else(bad)?;
    let authority = base.authority().ok_or_else(bad)?;
    let absolute = if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}://{authority}{}{location}", base.path())
    } else {
        let folder = base
            .path()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    let url: Uri = absolute.parse().map_err(|_| bad())?;
    let authority = url.authority().ok_or_else(bad)?;
    match url.scheme_str() {
        Some("https" | "http") if authority.as_str().contains('@') => Err(bad()),
        Some("http") if scheme == "https" => Err(FetchError::Downgrade),
        Some("https" | "http") => Ok(url),
        Some(_) | None => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_resolved_and_never_give_up_encryption() {
        let base: Uri = "https://a.example:8443/lists/drop.txt?x=1".parse().unwrap();
        for (location, leads_to) in [
            ("https://b.example/x", "https://b.example/x"),
            ("//b.example/x", "https://b.example/x"),
            ("/x?y=2", "https://a.example:8443/x?y=2"),
            ("?y=2", "https://a.example:8443/lists/drop.txt?y=2"),
            ("other.txt#top", "https://a.example:8443/lists/other.txt"),
        ] {
            let location = HeaderValue::from_str(location).unwrap();
            let found = target(&base, Some(&location)).unwrap();
            assert_eq!(found.to_string(), leads_to);
        }
        for (location, why) in [
            ("http://b.example/x", "not encrypted"),
            ("ftp://b.example/x", "to no URL"),
            ("https://me:pass@b.example/x", "to no URL"),
            ("https://", "to no URL"),
        ] {
            let location = HeaderValue::from_str(location).unwrap();
            let said = target(&base, Some(&location)).unwrap_err().to_string();
            assert!(said.contains(why), "{location:?}: {said}");
        }
        assert!(target(&base, None).is_err());
    }
}
