//! Paths with names in them: `/pets/{id}`, `/files/{name}.json`.

use std::cmp::Ordering;

use gateway_policy::access::NormalPath;

/// A path template; each segment has at most one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Named {
        before: String,
        name: String,
        behind: String,
    },
}

impl Template {
    /// Reads a template that begins with a slash.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let path = text
            .strip_prefix('/')
            .ok_or_else(|| "a path begins with /".to_owned())?;
        if text.contains("//") {
            return Err("the path has a segment without a name".to_owned());
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments = match path {
            "" => Vec::new(),
            path => path.split('/').map(segment).collect::<Result<_, _>>()?,
        };
        Ok(Self { segments })
    }

    /// The names in it, from left to right.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Named { name, .. } => Some(name.as_str()),
        })
    }

    /// What a path has for the names; `None` when it does not match.
    pub(super) fn values<'p>(&self, path: &'p NormalPath) -> Option<Vec<(&str, &'p str)>> {
        let mut found = path.segments();
        let mut values = Vec::new();
        for segment in &self.segments {
            let text = found.next()?;
            match segment {
                Segment::Literal(literal) if literal == text => {}
                Segment::Literal(_) => return None,
                Segment::Named {
                    before,
                    name,
                    behind,
                } => {
                    let value = text.strip_prefix(before.as_str())?;
                    let value = value.strip_suffix(behind.as_str())?;
                    if value.is_empty() {
                        return None;
                    }
                    values.push((name.as_str(), value));
                }
            }
        }
        found.next().is_none().then_some(values)
    }

    /// The greater is the more specific: from the left, a literal before a name with something
    /// around it, and that before a name alone (OpenAPI 3.1.1 section 4.8.8.2).
    pub(super) fn cmp_specificity(&self, other: &Self) -> Ordering {
        let weights = |template: &Self| -> Vec<usize> {
            template.segments.iter().map(Segment::weight).collect()
        };
        weights(self).cmp(&weights(other))
    }

    /// Whether every path that one of them matches the other matches too.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        let bare = |template: &Self| -> Vec<(String, Option<String>)> {
            let parts = template.segments.iter().map(|segment| match segment {
                Segment::Literal(literal) => (literal.clone(), None),
                Segment::Named { before, behind, .. } => (before.clone(), Some(behind.clone())),
            });
            parts.collect()
        };
        bare(self) == bare(other)
    }
}

impl Segment {
    fn weight(&self) -> usize {
        match self {
            Self::Literal(_) => usize::MAX,
            Self::Named { before, behind, .. } => before.len() + behind.len(),
        }
    }
}

fn segment(text: &str) -> Result<Segment, String> {
    let Some((before, rest)) = text.split_once('{') else {
        return match text.contains('}') || text.is_empty() {
            true => Err(format!("the segment {text:?} is no template")),
            // Paths are compared decoded.
            false => super::super::closed::percent_decoded(text)
                .map(Segment::Literal)
                .ok_or_else(|| format!("the segment {text:?} is not percent-encoded right")),
        };
    };
    let (name, behind) = rest
        .split_once('}')
        .ok_or_else(|| format!("the segment {text:?} has no closing brace"))?;
    if name.is_empty()
        || [before, name, behind]
            .iter()
            .any(|part| part.contains(['{', '}']))
    {
        return Err(format!(
            "the segment {text:?} has several names, and only one is supported"
        ));
    }
    Ok(Segment::Named {
        before: before.to_owned(),
        name: name.to_owned(),
        behind: behind.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(template: &str, path: &str) -> Option<Vec<(String, String)>> {
        let template = Template::parse(template).unwrap();
        let path = NormalPath::parse(path).unwrap();
        let values = template.values(&path)?;
        Some(
            values
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn names_take_one_segment() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(values("/", "/"), Some(vec![]));
        assert_eq!(values("/pets", "/pets/"), Some(vec![]));
        assert_eq!(values("/pets/{id}", "/pets/7"), Some(vec![pair("id", "7")]));
        assert_eq!(
            values("/a/{x}/b/{y}.json", "/a/1/b/%C3%A9.json"),
            Some(vec![pair("x", "1"), pair("y", "é")])
        );
        for (template, path) in [
            ("/pets/{id}", "/pets"),
            ("/pets/{id}", "/pets/7/toys"),
            ("/pets/{id}.json", "/pets/.json"),
            ("/pets", "/Pets"),
        ] {
            assert_eq!(values(template, path), None, "{template} {path}");
        }
    }

    #[test]
    fn the_more_specific_comes_first() {
        let parse = |text: &str| Template::parse(text).unwrap();
        let order = ["/a/b", "/a/{x}.json", "/a/{x}", "/{x}/b", "/{x}"];
        for pair in order.windows(2) {
            let [first, second] = pair else { panic!() };
            assert_eq!(
                parse(first).cmp_specificity(&parse(second)),
                Ordering::Greater,
                "{first} {second}"
            );
        }
        assert!(parse("/a/{x}").is_alike(&parse("/a/{y}")));
        assert!(!parse("/a/{x}").is_alike(&parse("/a/b")));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in [
            "pets", "/{a}-{b}", "/{a", "/a}", "/{}", "//", "/%zz", "/{a{b}}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
