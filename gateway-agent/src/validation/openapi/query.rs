//! Names and values in queries and cookies.

use std::borrow::Cow;

/// The pairs of a query as forms write them, still encoded, in order; a part without `=` has an
/// empty value.
pub(in crate::validation) fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, "")))
}

/// The text behind percent escapes and plus signs; `None` when the escapes are none, or no UTF-8
/// comes out.
pub(in crate::validation) fn decoded(text: &str) -> Option<String> {
    let spaced: Cow<'_, str> = match text.contains('+') {
        true => text.replace('+', " ").into(),
        false => text.into(),
    };
    super::super::closed::percent_decoded(&spaced)
}

/// The pairs of a `Cookie` field (RFC 6265 section 4.2.1).
pub(super) fn cookies(field: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = field.split(';').map(str::trim);
    parts.filter_map(|part| part.split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_split_and_decoded() {
        let all: Vec<_> = pairs("a=1&b&&c=x=y&=z").collect();
        assert_eq!(all, [("a", "1"), ("b", ""), ("c", "x=y"), ("", "z")]);
        assert_eq!(decoded("a+b%20c%C3%A9").as_deref(), Some("a b cé"));
        for bad in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
        let all: Vec<_> = cookies("a=1; b=2=3;c").collect();
        assert_eq!(all, [("a", "1"), ("b", "2=3")]);
    }
}
