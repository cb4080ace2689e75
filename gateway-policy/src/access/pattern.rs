//! Patterns of paths.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::NormalPath;
use super::path::{PathFault, check_characters, check_segment};
use crate::grammar::Excerpt;

/// A pattern of paths: segments that must be there as written, `*` for any one segment, and
/// `**` at the end for any number of them, none included. So `/api/**` holds `/api`, `/api/` and
/// all below, `/api/*` holds `/api/x` but neither `/api` nor `/api/x/y`, and `/**` everything.
///
/// It is written decoded (`/café`, not `/caf%C3%A9`) and matched in the case it is written in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    segments: Box<[Segment]>,
    open: bool,
}

/// From the more to the less specific.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Segment {
    Literal(Box<str>),
    Any,
}

impl PathPattern {
    /// Whether `path` is one that the pattern describes.
    #[must_use]
    pub fn matches(&self, path: &NormalPath) -> bool {
        let mut given = path.segments();
        for wanted in &self.segments {
            let fits = given.next().is_some_and(|segment| match wanted {
                Segment::Literal(literal) => **literal == *segment,
                Segment::Any => true,
            });
            if !fits {
                return false;
            }
        }
        self.open || given.next().is_none()
    }

    /// Orders patterns that match the same path: the more specific one is the greater. The first
    /// difference from the left decides, a written segment being more specific than `*`, an end
    /// more than `**`, and `*` more than either of these.
    #[must_use]
    pub fn cmp_specificity(&self, other: &Self) -> Ordering {
        self.ranks().cmp(other.ranks())
    }

    /// How specific each place is, with the end as the last place.
    fn ranks(&self) -> impl Iterator<Item = u8> {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(_) => 3,
            Segment::Any => 2,
        });
        segments.chain(std::iter::once(if self.open { 0 } else { 1 }))
    }
}

/// A text that is no pattern of paths.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{input} is not a path pattern: {fault}; write for example /api/** or /api/*/items")]
pub struct PathPatternError {
    /// What was written.
    pub input: Excerpt,
    /// What is wrong with it.
    pub fault: PathPatternFault,
}

/// Why a text is no pattern of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathPatternFault {
    /// It does not begin with a slash.
    #[error("it begins with a slash")]
    NotAbsolute,
    /// A slash at the end, which a path never has.
    #[error("a slash at the end changes nothing; leave it out, or write /** for all below")]
    TrailingSlash,
    /// `**` before the last segment.
    #[error("** stands at the end only")]
    InnerOpen,
    /// A star in a segment with other characters.
    #[error("a star is a whole segment, * or **")]
    PartialStar,
    /// A percent escape: paths are compared decoded.
    #[error("write characters as they are, without percent escapes")]
    Escape,
    /// Something that no accepted path can have, so that the pattern would never match.
    #[error("it matches nothing: {0}")]
    Never(#[from] PathFault),
}

impl FromStr for PathPattern {
    type Err = PathPatternError;

    fn from_str(text: &str) -> Result<Self, PathPatternError> {
        parse(text).map_err(|fault| PathPatternError {
            input: Excerpt::of(text),
            fault,
        })
    }
}

fn parse(text: &str) -> Result<PathPattern, PathPatternFault> {
    let relative = text
        .strip_prefix('/')
        .ok_or(PathPatternFault::NotAbsolute)?;
    if relative.is_empty() {
        return Ok(PathPattern {
            segments: Box::default(),
            open: false,
        });
    }
    if relative.contains('%') {
        return Err(PathPatternFault::Escape);
    }
    if relative.ends_with('/') {
        return Err(PathPatternFault::TrailingSlash);
    }
    check_characters(relative)?;
    let mut segments = Vec::new();
    let mut open = false;
    for segment in relative.split('/') {
        if open {
            return Err(PathPatternFault::InnerOpen);
        }
        check_segment(segment)?;
        match segment {
            "**" => open = true,
            "*" => segments.push(Segment::Any),
            literal if literal.contains('*') => return Err(PathPatternFault::PartialStar),
            literal => segments.push(Segment::Literal(literal.into())),
        }
    }
    Ok(PathPattern {
        segments: segments.into(),
        open,
    })
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => write!(f, "/{literal}")?,
                Segment::Any => f.write_str("/*")?,
            }
        }
        match (self.open, self.segments.is_empty()) {
            (true, _) => f.write_str("/**"),
            (false, true) => f.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}

crate::grammar::text::text_serde!(PathPattern, "a path pattern such as /api/**", numbers: false);

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn p(text: &str) -> PathPattern {
        text.parse().unwrap()
    }

    #[test]
    fn matches_segment_by_segment() {
        for (pattern, yes, no) in [
            ("/", &["/"][..], &["/a"][..]),
            ("/**", &["/", "/a", "/a/b"], &[]),
            (
                "/api",
                &["/api", "/api/", "/%61pi"],
                &["/", "/apis", "/api/x", "/API"],
            ),
            (
                "/api/**",
                &["/api", "/api/", "/api/x", "/api/x/y"],
                &["/", "/apix", "/ap"],
            ),
            ("/api/*", &["/api/x", "/api/x/"], &["/api", "/api/x/y"]),
            (
                "/api/*/items",
                &["/api/7/items"],
                &["/api/items", "/api/7/8/items", "/api/7/item"],
            ),
            ("/api/*/**", &["/api/7", "/api/7/8"], &["/api"]),
            ("/café au lait", &["/caf%C3%A9%20au%20lait"], &["/cafe"]),
        ] {
            for path in yes {
                assert!(
                    p(pattern).matches(&NormalPath::parse(path).unwrap()),
                    "{pattern} {path}"
                );
            }
            for path in no {
                assert!(
                    !p(pattern).matches(&NormalPath::parse(path).unwrap()),
                    "{pattern} {path}"
                );
            }
            assert_eq!(p(pattern).to_string(), pattern);
        }
    }

    #[test]
    fn refuses_what_would_never_match_and_says_why() {
        use PathPatternFault::*;
        for (text, fault) in [
            ("", NotAbsolute),
            ("**", NotAbsolute),
            ("api/**", NotAbsolute),
            ("/api/", TrailingSlash),
            ("//", TrailingSlash),
            ("/**/items", InnerOpen),
            ("/**/**", InnerOpen),
            ("/img/*.png", PartialStar),
            ("/api/***", PartialStar),
            ("/caf%C3%A9", Escape),
            ("/a/../b", Never(PathFault::DotSegment)),
            ("/a//b", Never(PathFault::EmptySegment)),
            ("/a;b", Never(PathFault::Parameter)),
            ("/a\\b", Never(PathFault::Backslash)),
            ("/a\n", Never(PathFault::Control)),
        ] {
            assert_eq!(
                text.parse::<PathPattern>().unwrap_err().fault,
                fault,
                "{text}"
            );
        }
    }

    #[test]
    fn the_first_difference_decides_which_is_more_specific() {
        let ordered = [
            "/**",
            "/",
            "/*/**",
            "/*",
            "/*/items",
            "/api/**",
            "/api",
            "/api/*/**",
            "/api/v1/**",
        ];
        for pair in ordered.windows(2) {
            assert_eq!(
                p(pair[0]).cmp_specificity(&p(pair[1])),
                Ordering::Less,
                "{pair:?}"
            );
        }
    }

    /// Patterns and paths over so few segments that they often meet.
    pub(in crate::access) fn small_pattern() -> impl Strategy<Value = PathPattern> {
        let segment = prop::sample::select(&["a", "b", "*"][..]);
        (prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(mut segments, open)| {
            segments.extend(open.then_some("**"));
            p(&format!("/{}", segments.join("/")))
        })
    }

    pub(in crate::access) fn small_path() -> impl Strategy<Value = NormalPath> {
        let segment = prop::sample::select(&["a", "b", "c"][..]);
        prop::collection::vec(segment, 0..5)
            .prop_map(|segments| NormalPath::parse(&format!("/{}", segments.join("/"))).unwrap())
    }

    /// Matching by its definition, on texts.
    fn naive(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            (["**"], _) | ([], []) => true,
            ([wanted, pattern @ ..], [given, path @ ..]) => {
                (*wanted == "*" || wanted == given) && naive(pattern, path)
            }
            (_, []) | ([], _) => false,
        }
    }

    proptest! {
        #[test]
        fn text_and_back(pattern in small_pattern()) {
            prop_assert_eq!(p(&pattern.to_string()), pattern);
        }

        #[test]
        fn agrees_with_its_definition(pattern in small_pattern(), path in small_path()) {
            let texts = |text: String| -> Vec<String> {
                text.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect()
            };
            let (wanted, given) = (texts(pattern.to_string()), texts(path.to_string()));
            let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
            let given: Vec<&str> = given.iter().map(String::as_str).collect();
            prop_assert_eq!(pattern.matches(&path), naive(&wanted, &given));
        }

        #[test]
        fn equally_specific_patterns_of_one_path_are_the_same(
            a in small_pattern(), b in small_pattern(), path in small_path(),
        ) {
            let same = a.cmp_specificity(&b) == Ordering::Equal;
            if same && a.matches(&path) && b.matches(&path) {
                prop_assert_eq!(a, b);
            }
        }

        #[test]
        fn any_text_gets_an_answer(text: String) {
            let _ = text.parse::<PathPattern>();
        }
    }
}
