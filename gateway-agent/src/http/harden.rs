//! Header fields of answers that make browsers careful, and those that tell too much.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The fields for browsers that an answer gets, and the fields that it loses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardening {
    fields: Vec<Field>,
    removed: Vec<HeaderName>,
    overrides: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: HeaderName,
    value: HeaderValue,
}

impl Hardening {
    /// Sets these fields and removes those. Where an upstream sends one of the fields itself, its
    /// value stays unless `overrides`: who made a page knows best what it needs.
    #[must_use]
    pub fn new(
        fields: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
        removed: Vec<HeaderName>,
        overrides: bool,
    ) -> Self {
        let fields = fields.into_iter();
        Self {
            fields: fields.map(|(name, value)| Field { name, value }).collect(),
            removed,
            overrides,
        }
    }

    /// Removes what an upstream's response tells too much with.
    pub(super) fn strip(&self, headers: &mut HeaderMap) {
        for name in &self.removed {
            headers.remove(name);
        }
    }

    /// Adds the fields to an answer.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        for Field { name, value } in &self.fields {
            // It has one value that means something; any other is a mistake.
            let stays = !self.overrides && *name != header::X_CONTENT_TYPE_OPTIONS;
            let is_said = headers.contains_key(name)
                // Browsers that know the newer word do not look at the older (CSP3 section 6.4.2).
                || (*name == header::X_FRAME_OPTIONS && frames_are_ruled(headers));
            if !(stays && is_said) {
                headers.insert(name.clone(), value.clone());
            }
        }
    }
}

fn frames_are_ruled(headers: &HeaderMap) -> bool {
    let policies = headers.get_all(header::CONTENT_SECURITY_POLICY).iter();
    policies
        .filter_map(|policy| policy.to_str().ok())
        .flat_map(|policy| policy.split([';', ',']))
        .filter_map(|directive| directive.split_ascii_whitespace().next())
        .any(|name| name.eq_ignore_ascii_case("frame-ancestors"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hardening(overrides: bool) -> Hardening {
        let fields = [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "SAMEORIGIN"),
            ("referrer-policy", "no-referrer"),
        ];
        let fields = fields.map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        Hardening::new(fields, vec![header::SERVER], overrides)
    }

    fn hardened(overrides: bool, sent: &[(&'static str, &'static str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let hardening = hardening(overrides);
        hardening.strip(&mut headers);
        hardening.apply(&mut headers);
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut lines: Vec<_> = headers.iter().map(line).collect();
        lines.sort();
        lines
    }

    #[test]
    fn what_is_missing_is_added_and_what_tells_too_much_goes() {
        let all = [
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
            "x-frame-options: SAMEORIGIN",
        ];
        assert_eq!(
            hardened(false, &[("server", "a/1.2"), ("server", "b")]),
            all
        );
    }

    #[test]
    fn what_the_upstream_says_stays_unless_told_otherwise() {
        let sent = [
            ("referrer-policy", "origin"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "none"),
        ];
        assert_eq!(
            hardened(false, &sent),
            [
                "referrer-policy: origin",
                "x-content-type-options: nosniff",
                "x-frame-options: DENY",
            ]
        );
        assert_eq!(hardened(true, &sent), hardened(false, &[]));
    }

    #[test]
    fn a_policy_about_frames_needs_no_older_word() {
        let policy = [(
            "content-security-policy",
            "default-src 'self'; Frame-Ancestors 'self'",
        )];
        assert!(
            !hardened(false, &policy)
                .iter()
                .any(|line| line.starts_with("x-frame"))
        );
        let other = [("content-security-policy", "default-src 'frame-ancestors'")];
        assert!(
            hardened(false, &other)
                .iter()
                .any(|line| line.starts_with("x-frame"))
        );
    }
}
