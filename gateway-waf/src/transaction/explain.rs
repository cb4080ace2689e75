//! How a match came to be: each value that took part, what every transformation made of it, and
//! the bytes that matched.
//!
//! A match notes only where its values are in the pool; the rest is worked out when somebody
//! asks, so requests without a match pay nothing. What may hold a secret is not shown at all.

use std::ops::Range;

use super::{
    Candidate, Transaction,
    pool::Data,
    record::{SHOWN_NAME, operator_text},
    request::bounded,
    secret,
};
use crate::{
    operator::{Operator, Relation},
    ruleset::{Link, Rule},
    template::Template,
    transform::Transform,
    variable::{Computed, Source, Store},
};

/// How many matches of one request can be explained.
const MAX_TRACES: usize = 32;
/// How many rules of a chain are told.
const MAX_LINKS: usize = 8;
/// How many secrets of a request are looked for, and how many bytes of them. A request with more
/// is not shown at all.
const MOST_SECRETS: (usize, usize) = (32, 8192);
/// Secrets shorter than this are looked for only as whole values.
const LONG: usize = 8;
/// Secrets shorter than this are not looked for.
const SHORT: usize = 4;

/// A value that an operator matched in the rule at hand.
#[derive(Debug)]
pub(super) struct Seen<'w> {
    pub(super) link: &'w Link,
    /// The value before any transformation.
    pub(super) raw: Candidate,
    /// How many of the link's transformations came before the operator.
    pub(super) applied: usize,
    /// What matched of what they made; `None` for all of it.
    pub(super) range: Option<Range<usize>>,
}

/// What is kept of a match for later.
#[derive(Debug)]
pub(super) struct Trace<'w> {
    /// The index of its record in `matches`.
    record: usize,
    links: Vec<(Seen<'w>, Option<Vec<u8>>)>,
}

/// How one match came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The index of the match in [`Transaction::matches`].
    pub record: usize,
    /// The rules of the chain in order, at most 8; empty for `SecAction`.
    pub inspected: Vec<Inspected>,
}

/// A value that matched an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The variable, for instance `ARGS:q`. Bounded.
    pub variable: String,
    /// The operator as written, for instance `@rx ^a`; negation included. Bounded.
    pub operator: String,
    /// The operator's argument with its macros expanded, where it has any. Bounded.
    pub argument: Option<Vec<u8>>,
    /// The value and what became of it; `None` where it holds, or may hold, a secret.
    pub shown: Option<(Excerpt, Vec<Step>)>,
    /// The bytes that matched, as offsets into the last value; `None` for all of it.
    pub matched: Option<Range<usize>>,
}

/// One transformation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name, as after `t:`.
    pub transform: &'static str,
    /// What it made of the value; `None` where it changed nothing.
    pub value: Option<Excerpt>,
}

/// A part of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The part, at most [`Excerpt::MAX`] bytes.
    pub bytes: Vec<u8>,
    /// Where it begins in the value.
    pub offset: usize,
    /// How long the value is.
    pub length: usize,
}

impl Excerpt {
    /// The most bytes of a value that are shown.
    pub const MAX: usize = 256;

    /// All of a short value; of a long one what surrounds `part`, or its beginning.
    fn of(value: &[u8], part: Option<Range<usize>>) -> Self {
        let part = part.unwrap_or(0..0);
        let room = Self::MAX.saturating_sub(part.len().min(Self::MAX)) / 2;
        let start = part.start.saturating_sub(room);
        let start = start.min(value.len().saturating_sub(Self::MAX));
        let rest = value.get(start..).unwrap_or_default();
        Self {
            bytes: bounded(rest, Self::MAX).to_vec(),
            offset: start,
            length: value.len(),
        }
    }
}

impl<'w> Transaction<'w> {
    /// Says how the first 32 matches came to be. `also_secret` names arguments and header fields
    /// whose values must not be shown, beside those that the engine and its rules know.
    pub fn explain(&mut self, also_secret: &dyn Fn(&[u8]) -> bool) -> Vec<Explanation> {
        let mut hidden = Hidden {
            secrets: self.secrets(also_secret),
            known: Vec::new(),
        };
        let traces = std::mem::take(&mut self.traces);
        let told = traces
            .iter()
            .map(|trace| Explanation {
                record: trace.record,
                inspected: trace
                    .links
                    .iter()
                    .map(|(seen, argument)| {
                        self.inspected(seen, argument.as_deref(), &mut hidden, also_secret)
                    })
                    .collect(),
            })
            .collect();
        self.traces = traces;
        told
    }

    /// Notes what the record that is added next is made of.
    pub(super) fn trace(&mut self, rule: &'w Rule) {
        if self.traces.len() >= MAX_TRACES {
            return;
        }
        let mut links = Vec::new();
        for link in rule.links.iter().take(MAX_LINKS) {
            let mut seen = self.seen.iter().rev();
            if let Some(seen) = seen.find(|seen| std::ptr::eq(seen.link, link)) {
                let seen = Seen {
                    link,
                    raw: seen.raw,
                    applied: seen.applied,
                    range: seen.range.clone(),
                };
                links.push((seen, self.expanded_argument(link, rule)));
            }
        }
        self.traces.push(Trace {
            record: self.matches.len(),
            links,
        });
    }

    fn expanded_argument(&self, link: &Link, rule: &Rule) -> Option<Vec<u8>> {
        let template = argument(&link.test.as_ref()?.operator)?;
        if template.literal().is_some() {
            return None;
        }
        let mut text = Vec::new();
        self.expand(template, rule, true, &mut text);
        Some(bounded(&text, Excerpt::MAX).to_vec())
    }

    fn inspected(
        &mut self,
        seen: &Seen<'w>,
        argument: Option<&[u8]>,
        hidden: &mut Hidden,
        also_secret: &dyn Fn(&[u8]) -> bool,
    ) -> Inspected {
        let mut variable = Vec::new();
        self.write_name(&seen.raw, &mut variable);
        let is_hidden = self.hides(&seen.raw, hidden, also_secret);
        let transforms = seen.link.test.as_ref().map_or(&[][..], |t| &t.transforms);
        let transforms = transforms.get(..seen.applied).unwrap_or_default();
        let matched = self.part(seen, transforms, argument);
        Inspected {
            variable: String::from_utf8_lossy(bounded(&variable, SHOWN_NAME)).into_owned(),
            operator: operator_text(seen.link),
            argument: argument.filter(|a| !hidden.is_in(a)).map(<[u8]>::to_vec),
            shown: (!is_hidden).then(|| self.steps(seen, transforms, matched.clone())),
            matched,
        }
    }

    /// What of the last value matched: operators that compare texts do not say so themselves.
    fn part(
        &mut self,
        seen: &Seen<'w>,
        transforms: &[Transform],
        argument: Option<&[u8]>,
    ) -> Option<Range<usize>> {
        let test = seen.link.test.as_ref().filter(|test| !test.negated)?;
        let Operator::Text(relation, template) = &test.operator else {
            return seen.range.clone();
        };
        let map = self.rules.unicode_map.as_ref();
        let last = transforms
            .iter()
            .fold(seen.raw.value, |data, t| self.pool.transform(data, *t, map));
        let value = self.pool.get(last);
        let wanted = argument.or(template.literal())?;
        let at = match relation {
            Relation::Contains => memchr::memmem::find(value, wanted),
            Relation::BeginsWith => Some(0),
            Relation::EndsWith => value.len().checked_sub(wanted.len()),
            Relation::ContainsWord | Relation::Equals | Relation::Within => None,
        }?;
        Some(at..at + wanted.len())
    }

    /// The value before and after each transformation, each cut around what matched in the end.
    fn steps(
        &mut self,
        seen: &Seen<'w>,
        transforms: &[Transform],
        range: Option<Range<usize>>,
    ) -> (Excerpt, Vec<Step>) {
        let map = self.rules.unicode_map.as_ref();
        let mut values = vec![seen.raw.value];
        let mut last = seen.raw.value;
        for transform in transforms {
            last = self.pool.transform(last, *transform, map);
            values.push(last);
        }
        let whole = self.pool.get(last);
        let matched = range.clone().unwrap_or(0..0);
        let matched = whole.get(matched).unwrap_or_default();
        let excerpt = |data: Data| {
            let value = self.pool.get(data);
            if data == last {
                return Excerpt::of(value, range.clone());
            }
            // Earlier values may hold the same bytes elsewhere, or not at all.
            let at = memchr::memmem::find(value, matched).filter(|_| !matched.is_empty());
            Excerpt::of(value, at.map(|at| at..at + matched.len()))
        };
        let steps = transforms
            .iter()
            .zip(values.iter().zip(values.iter().skip(1)))
            .map(|(transform, (before, after))| Step {
                transform: transform.name(),
                value: (before != after).then(|| excerpt(*after)),
            });
        (excerpt(seen.raw.value), steps.collect())
    }

    /// The values that this request has under names of secrets; `None` where there are too many.
    fn secrets(&self, also_secret: &dyn Fn(&[u8]) -> bool) -> Option<Vec<Vec<u8>>> {
        const KEPT: [Store; 5] = [
            Store::ArgsGet,
            Store::ArgsPost,
            Store::Cookies,
            Store::Headers,
            Store::ResponseHeaders,
        ];
        let items = KEPT
            .iter()
            .flat_map(|store| self.items(*store).iter().map(move |item| (*store, item)));
        let mut secrets = Vec::new();
        let (mut count, mut bytes) = MOST_SECRETS;
        for (store, item) in items {
            if self.is_secret_item(store, item.name, also_secret) {
                let value = self.pool.get(item.value);
                count = count.checked_sub(1)?;
                bytes = bytes.checked_sub(value.len())?;
                secrets.push(value.to_ascii_lowercase());
            }
        }
        Some(secrets)
    }

    /// Whether what stands in `store` under this name is a secret.
    pub(super) fn is_secret_item(
        &self,
        store: Store,
        name: Data,
        also_secret: &dyn Fn(&[u8]) -> bool,
    ) -> bool {
        let text = self.pool.get(name);
        store == Store::Cookies
            || secret::is_secret_name(text)
            || also_secret(text)
            || self.is_masked(&[store], name)
            || self.is_masked_name(text)
    }

    /// Whether a value must not be shown, or may hold something that must not.
    fn hides(
        &self,
        found: &Candidate,
        hidden: &mut Hidden,
        also_secret: &dyn Fn(&[u8]) -> bool,
    ) -> bool {
        if found.count {
            return false;
        }
        let value = self.pool.get(found.value);
        let (named, composite) = match found.variable.source() {
            Source::Values(stores) => (
                self.hides_value(found)
                    || stores
                        .iter()
                        .any(|store| self.is_secret_item(*store, found.name, also_secret)),
                stores.iter().any(|store| is_composite(*store)),
            ),
            // Where a body was no form, all of it is a name.
            Source::Names(_) => (false, value.len() > SHOWN_NAME),
            Source::Computed(Computed::FullRequest) => (false, true),
            Source::Computed(_)
            | Source::Flag(_)
            | Source::Matched { .. }
            | Source::Persistent(_)
            | Source::Tx
            | Source::Rule => (false, false),
        };
        named
            || (composite && (hidden.is_any() || secret::names_secret(value)))
            || hidden.has(found.value, value)
    }
}

/// Whether the store's values are made of several others, secrets among them.
fn is_composite(store: Store) -> bool {
    matches!(
        store,
        Store::QueryString
            | Store::RequestLine
            | Store::RequestUri
            | Store::RequestUriRaw
            | Store::RequestBody
            | Store::ResponseBody
            | Store::FilesContent
            | Store::PartHeaders
            | Store::SessionId
            | Store::XmlText
            | Store::XmlAttributes
    )
}

/// What must not be shown of a request.
struct Hidden {
    /// Its secrets in lower case; `None` where there are too many to look for.
    secrets: Option<Vec<Vec<u8>>>,
    /// What is known of values: many rules match the same.
    known: Vec<(Data, bool)>,
}

impl Hidden {
    /// Whether the request has secrets.
    fn is_any(&self) -> bool {
        self.secrets.as_ref().is_none_or(|all| !all.is_empty())
    }

    /// Whether a value looks like a secret, or has one in it.
    fn has(&mut self, data: Data, value: &[u8]) -> bool {
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == data) {
            return *known;
        }
        let found = secret::looks_secret(value) || self.is_in(value);
        self.known.push((data, found));
        found
    }

    /// Whether `text` has one of the secrets in it, or is a piece of one.
    fn is_in(&self, text: &[u8]) -> bool {
        let Some(secrets) = &self.secrets else {
            return true;
        };
        let text = text.to_ascii_lowercase();
        let within = |part: &[u8], whole: &[u8]| {
            part.len() >= LONG && memchr::memmem::find(whole, part).is_some()
        };
        secrets.iter().any(|secret| {
            (secret.len() >= SHORT && *secret == text)
                || within(secret, &text)
                || within(&text, secret)
        })
    }
}

fn argument(operator: &Operator) -> Option<&Template> {
    match operator {
        Operator::RxTemplate(template)
        | Operator::Text(_, template)
        | Operator::Number(_, template) => Some(template),
        Operator::Always
        | Operator::Never
        | Operator::Rx(_)
        | Operator::RxGlobal(_)
        | Operator::Phrases(_)
        | Operator::Address(_)
        | Operator::OutsideRange(_)
        | Operator::BadEscape
        | Operator::NotUtf8
        | Operator::InjectedSql(_)
        | Operator::InjectedScript
        | Operator::CardNumber(_) => None,
    }
}
