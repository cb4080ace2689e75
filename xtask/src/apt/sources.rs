//! The two formats in which apt is told where packages are (sources.list(5)).

use std::iter;

/// One place of binary packages, for one suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Where the archive begins.
    pub(super) uri: String,
    /// A code name or a class, such as `bookworm` or `stable`.
    pub(super) suite: String,
    /// Such as `main`.
    pub(super) components: Vec<String>,
    /// How the archive is trusted: the value of `Signed-By`, if any.
    pub(super) signed_by: Option<String>,
}

/// Reads the one-line format: `deb [options] uri suite component…`.
pub(super) fn one_line(text: &str) -> Vec<Source> {
    text.lines().filter_map(one_line_source).collect()
}

fn one_line_source(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let rest = line
        .strip_prefix("deb")?
        .strip_prefix([' ', '\t'])?
        .trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace().map(str::to_owned);
    let signed_by = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix("signed-by="))
        .map(str::to_owned);
    Some(Source {
        uri: words.next()?,
        suite: words.next()?,
        components: words.collect(),
        signed_by,
    })
}

/// Reads the format of `.sources` files: stanzas of fields, of which values may go on in the next
/// lines.
pub(super) fn deb822(text: &str) -> Vec<Source> {
    let mut stanza = Vec::new();
    let mut sources = Vec::new();
    for line in text.lines().chain(iter::once("")) {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            sources.extend(stanza_sources(&stanza));
            stanza.clear();
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = stanza.last_mut() {
                *value = format!("{value}\n{line}");
            }
        } else if let Some((name, value)) = line.split_once(':') {
            stanza.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    sources
}

/// A stanza stands for every pair of its URIs and suites.
fn stanza_sources(stanza: &[(String, String)]) -> Vec<Source> {
    let field = |name: &str| {
        stanza
            .iter()
            .find(|(one, _)| one == name)
            .map(|(_, value)| value)
    };
    let words = |name: &str| field(name).map_or(Vec::new(), |text| owned_words(text));
    let enabled = field("enabled").is_none_or(|value| !value.eq_ignore_ascii_case("no"));
    if !enabled || !words("types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    let mut sources = Vec::new();
    for uri in words("uris") {
        for suite in words("suites") {
            sources.push(Source {
                uri: uri.clone(),
                suite,
                components: words("components"),
                signed_by: field("signed-by").cloned(),
            });
        }
    }
    sources
}

fn owned_words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(suite: &str, signed_by: Option<&str>) -> Source {
        Source {
            uri: "http://mirror.example/debian".into(),
            suite: suite.into(),
            components: vec!["main".into(), "contrib".into()],
            signed_by: signed_by.map(Into::into),
        }
    }

    #[test]
    fn the_one_line_format() {
        let text = "# deb http://old.example/debian bookworm main\n\
                    deb http://mirror.example/debian bookworm main contrib # comment\n\
                    deb-src http://mirror.example/debian bookworm main\n\
                    deb\t[arch=amd64 signed-by=/k.gpg] http://mirror.example/debian sid main contrib\n\
                    deb nonsense\n";
        assert_eq!(
            one_line(text),
            [source("bookworm", None), source("sid", Some("/k.gpg"))]
        );
    }

    #[test]
    fn the_stanza_format() {
        let text = "Types: deb deb-src\n\
                    # a comment in between\n\
                    URIs: http://mirror.example/debian\n\
                    Suites: bookworm\n bookworm-updates\n\
                    Components: main contrib\n\
                    Signed-By: /k.gpg\n\
                    \n\
                    Enabled: no\nTypes: deb\nURIs: http://off.example/\nSuites: sid\n\n\
                    Types: deb-src\nURIs: http://src.example/\nSuites: sid\n";
        let wanted = [
            source("bookworm", Some("/k.gpg")),
            source("bookworm-updates", Some("/k.gpg")),
        ];
        assert_eq!(deb822(text), wanted);
    }

    #[test]
    fn a_key_inside_the_stanza_is_kept_whole() {
        let text = "Types: deb\nURIs: u\nSuites: s\nSigned-By:\n -----BEGIN\n .\n abc\n";
        let key = deb822(text).remove(0).signed_by.unwrap();
        assert_eq!(key, "\n -----BEGIN\n .\n abc");
    }
}
