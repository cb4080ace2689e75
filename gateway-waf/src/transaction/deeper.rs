//! What decoders find inside the values of a request: further values under the same names.
//!
//! They stand beside the stores, not in them. So rules that look for something find it there,
//! while what counts, measures or says what a value must be like sees the request as it came.
//! Under the same name, what is excluded for a field is excluded for what was in it.

use super::{Item, Transaction, is_secret_name};
use crate::{
    body::xml::{Document, Run},
    decode::{self, Inner},
    variable::Store,
};

/// Header fields that are not looked into: one is seen as cookies, the other is a URL, whose
/// escapes belong to it.
const LEFT_OUT: [&[u8]; 2] = [b"cookie", b"referer"];

/// Elements with longer names, in bytes, are taken for secrets: to tell costs time for each.
const LONG_NAME: usize = 128;
/// A document with more pieces of text is taken for one with secrets in it.
const MANY_RUNS: usize = 1000;

/// Whether the element around a text is named as secrets are.
fn names_a_secret(run: &Run<'_>) -> bool {
    run.element.len() > LONG_NAME || is_secret_name(run.element)
}

impl Transaction<'_> {
    /// Looks into what came with the head.
    pub(super) fn look_into_head(&mut self) {
        if self.rules.decoders.is_empty() {
            return;
        }
        self.look_into(Store::ArgsGet);
        self.look_into(Store::Cookies);
        self.look_into(Store::Headers);
        self.look_into_path();
    }

    /// Looks into what came with the body.
    pub(super) fn look_into_body(&mut self) {
        if self.rules.decoders.is_empty() {
            return;
        }
        self.look_into(Store::ArgsPost);
        self.look_into(Store::XmlAttributes);
        self.look_into(Store::RequestBody);
    }

    fn look_into(&mut self, store: Store) {
        let items = self.items(store).to_vec();
        for item in items {
            let name = self.pool.get(item.name);
            let left_out = LEFT_OUT
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known));
            if store != Store::Headers || !left_out {
                let value = self.pool.get(item.value).to_vec();
                self.look_inside(store, item, &value);
            }
        }
    }

    /// A path is seen as a whole and by its segments.
    fn look_into_path(&mut self) {
        let Some(item) = self.items(Store::RequestFilename).first().copied() else {
            return;
        };
        let path = self.pool.get(item.value).to_vec();
        let whole = path.strip_prefix(b"/").unwrap_or(&path);
        self.look_inside(Store::RequestFilename, item, whole);
        if whole.contains(&b'/') {
            for segment in whole.split(|&b| b == b'/') {
                self.look_inside(Store::RequestFilename, item, segment);
            }
        }
    }

    /// The text of a document is seen as a whole and by what stands between its tags.
    pub(super) fn look_into_xml(&mut self, document: &Document<'_>) {
        if self.rules.decoders.is_empty() {
            return;
        }
        let Some(item) = self.items(Store::XmlText).first().copied() else {
            return;
        };
        for run in &document.runs {
            let text = document.text.get(run.range.clone()).unwrap_or_default();
            let held = self.found_in_xml();
            self.look_inside(Store::XmlText, item, text.trim_ascii());
            self.hide_in_xml(held, || names_a_secret(run));
        }
        if document.runs.len() > 1 {
            let held = self.found_in_xml();
            self.look_inside(Store::XmlText, item, &document.text);
            let many = document.runs.len() > MANY_RUNS;
            self.hide_in_xml(held, || many || document.runs.iter().any(names_a_secret));
        }
    }

    fn found_in_xml(&self) -> usize {
        self.inner.get(Store::XmlText as usize).map_or(0, Vec::len)
    }

    /// Makes secrets of what was found behind the first so many, where `secret` says so; it is
    /// asked only where something was.
    fn hide_in_xml(&mut self, held: usize, secret: impl FnOnce() -> bool) {
        let Some(items) = self.inner.get_mut(Store::XmlText as usize) else {
            return;
        };
        let new = items.get_mut(held..).unwrap_or_default();
        if !new.is_empty() && secret() {
            new.iter_mut().for_each(|item| item.secret = true);
        }
    }

    fn look_inside(&mut self, store: Store, item: Item, value: &[u8]) {
        let limit = self.rules.settings.arguments_limit;
        let held: usize = self.inner.iter().map(Vec::len).sum();
        let mut found = Vec::new();
        let most = limit.saturating_sub(held);
        let outcome = decode::look_inside(value, self.rules.decoders, most, &mut found);
        if outcome.is_err() {
            self.body
                .fail("more is decoded inside values than SecArgumentsLimit allows arguments");
        }
        if found.is_empty() {
            return;
        }
        self.generation += 1;
        for Inner {
            value,
            steps,
            secret,
        } in found
        {
            let value = self.pool.add(&value);
            if let Some(items) = self.inner.get_mut(store as usize) {
                items.push(Item {
                    value,
                    steps,
                    secret,
                    ..item
                });
            }
        }
    }
}
