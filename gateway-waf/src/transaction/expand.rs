//! Macros to text.

use super::{Candidate, Transaction, pool::Data, secret, tx::TxValue};
use crate::{
    operator::leading_integer,
    ruleset::{Masked, Rule},
    template::{Piece, Template},
    variable::{Computed, Persistent, Source, Store, Variable},
};

/// What stands in a log in place of a secret.
pub(super) const MASK: &[u8] = b"***";

/// What `RULE` knows of the rule at hand.
pub(super) const RULE_PARTS: [&str; 8] = [
    "id", "rev", "severity", "msg", "logdata", "ver", "maturity", "accuracy",
];

impl Transaction<'_> {
    /// Appends the expanded template. `rule` is the rule at hand, for `%{rule.…}`; `masked` hides
    /// what a log must not show.
    pub(super) fn expand(&self, template: &Template, rule: &Rule, masked: bool, out: &mut Vec<u8>) {
        for piece in template.pieces() {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                // A captured group comes out of the value that matched.
                Piece::Tx(slot) if masked && slot.0 < 10 && self.last_match_is_secret() => {
                    out.extend_from_slice(MASK);
                }
                Piece::Tx(slot) => self.write_tx(self.tx.get(*slot), out),
                Piece::Macro { variable, key } => {
                    self.write_variable(*variable, key.as_deref(), rule, masked, out);
                }
            }
        }
    }

    /// The template's value as an integer.
    pub(super) fn expand_integer(&self, template: &Template, rule: &Rule) -> i64 {
        if let [Piece::Tx(slot)] = template.pieces()
            && let Some(TxValue::Integer(number)) = self.tx.get(*slot)
        {
            return number;
        }
        if let Some(text) = template.literal() {
            return leading_integer(text);
        }
        let mut text = Vec::new();
        self.expand(template, rule, false, &mut text);
        leading_integer(&text)
    }

    pub(super) fn tx_integer(&self, value: Option<TxValue>) -> i64 {
        match value {
            None => 0,
            Some(TxValue::Integer(number)) => number,
            Some(TxValue::Bytes(data)) => leading_integer(self.pool.get(data)),
        }
    }

    fn write_tx(&self, value: Option<TxValue>, out: &mut Vec<u8>) {
        match value {
            None => {}
            Some(TxValue::Integer(number)) => out.extend_from_slice(number.to_string().as_bytes()),
            Some(TxValue::Bytes(data)) => out.extend_from_slice(self.pool.get(data)),
        }
    }

    fn write_variable(
        &self,
        variable: Variable,
        key: Option<&[u8]>,
        rule: &Rule,
        masked: bool,
        out: &mut Vec<u8>,
    ) {
        let (stores, names) = match variable.source() {
            Source::Values(stores) => (stores, false),
            Source::Names(stores) => (stores, true),
            Source::Computed(Computed::MatchedVar) if masked && self.last_match_is_secret() => {
                return out.extend_from_slice(MASK);
            }
            Source::Computed(computed) => {
                self.write_computed(computed, out);
                return;
            }
            Source::Rule => {
                self.write_rule(key.unwrap_or_default(), rule, out);
                return;
            }
            Source::Flag(flag) => {
                return out.push(if self.is_raised(flag) { b'1' } else { b'0' });
            }
            Source::Persistent(persistent) => {
                return self.write_persistent(persistent, key.unwrap_or_default(), out);
            }
            // A macro of TX is a slot; those of MATCHED_VARS are refused at load.
            Source::Tx | Source::Matched { .. } => return,
        };
        let mut items = stores.iter().flat_map(|store| self.items(*store));
        let found = items
            .find(|item| key.is_none_or(|key| self.pool.get(item.name).eq_ignore_ascii_case(key)));
        if let Some(item) = found {
            if masked && !names && self.is_secret(variable, item.name) {
                out.extend_from_slice(MASK);
            } else {
                out.extend_from_slice(self.pool.get(if names { item.name } else { item.value }));
            }
        }
    }

    /// Writes one of `RULE_PARTS` of a rule; says whether the rule has it.
    pub(super) fn write_rule(&self, part: &[u8], rule: &Rule, out: &mut Vec<u8>) -> bool {
        let meta = &rule.meta;
        let text = |text: &Option<String>| text.clone().map(String::into_bytes);
        let raw = |template: &Option<Template>| template.as_ref().map(|t| t.source().to_vec());
        let value = match part.to_ascii_lowercase().as_slice() {
            b"id" => Some(rule.id.to_string().into_bytes()),
            b"rev" => text(&meta.revision),
            b"severity" => meta.severity.map(|s| (s as u8).to_string().into_bytes()),
            b"msg" => raw(&meta.message),
            b"logdata" => raw(&meta.logdata),
            b"ver" => text(&meta.version),
            b"maturity" => meta.maturity.map(|m| m.to_string().into_bytes()),
            b"accuracy" => meta.accuracy.map(|a| a.to_string().into_bytes()),
            _ => None,
        };
        out.extend_from_slice(value.as_deref().unwrap_or_default());
        value.is_some()
    }

    fn write_persistent(&self, persistent: Persistent, wanted: &[u8], out: &mut Vec<u8>) {
        if let Some(key) = self.key(persistent) {
            self.rules.collections.each(key, self.now.0, |name, value| {
                if name.eq_ignore_ascii_case(wanted) {
                    out.extend_from_slice(value);
                }
            });
        }
    }

    /// Whether the value that matched last must not be shown.
    pub(super) fn last_match_is_secret(&self) -> bool {
        self.matched
            .last()
            .is_some_and(|found| self.hides_value(found))
    }

    /// Whether this value must not be shown.
    pub(super) fn hides_value(&self, found: &Candidate) -> bool {
        let holds_values = matches!(found.variable.source(), Source::Values(_));
        let named = || self.is_secret(found.variable, found.name);
        holds_values && !found.count && (found.secret || named())
    }

    fn is_secret(&self, variable: Variable, name: Data) -> bool {
        let text = self.pool.get(name);
        let Source::Values(stores) = variable.source() else {
            return false;
        };
        secret::is_secret(variable, text)
            || self.is_masked(stores, name)
            || self
                .masked_items
                .iter()
                .any(|&(v, n)| v == variable && self.pool.get(n) == text)
    }

    /// Whether rules have said that no log shows what stands in these stores under this name.
    pub(super) fn is_masked(&self, stores: &[Store], name: Data) -> bool {
        let text = self.pool.get(name);
        let kind = match stores {
            [Store::Headers] | [Store::ResponseHeaders] => Some(Masked::Header),
            [Store::ArgsGet | Store::ArgsPost, ..] => Some(Masked::Argument),
            _ => None,
        };
        let masked = |&(place, mask): &(Masked, &str)| {
            Some(place) == kind && text.eq_ignore_ascii_case(mask.as_bytes())
        };
        self.masks.iter().any(masked)
    }

    /// Whether rules have masked a value of this name, wherever it stood (`sanitiseMatched`).
    pub(super) fn is_masked_name(&self, name: &[u8]) -> bool {
        let mut items = self.masked_items.iter();
        !name.is_empty() && items.any(|(_, item)| self.pool.get(*item) == name)
    }

    /// As `is_masked`, for an argument that is known by name only.
    pub(super) fn is_masked_argument(&self, name: &[u8]) -> bool {
        self.is_masked_name(name)
            || self.masks.iter().any(|(place, mask)| {
                *place == Masked::Argument && name.eq_ignore_ascii_case(mask.as_bytes())
            })
    }
}
