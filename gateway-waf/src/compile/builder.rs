//! Puts statements together: chains, markers, default actions, ids.

use std::{collections::HashMap, sync::Arc};

use super::{
    action::{Defaults, RuleActions},
    error::LoadError,
    setting, test,
};
use crate::{
    ruleset::{Phase, Rule, Ruleset, Settings},
    seclang::{
        ast::{RuleAst, Statement},
        span::{Complaint, Location, Position, Spanned},
    },
    template::TxNames,
};

/// The file a statement stands in, and the complaints about it so far.
pub(super) struct Context<'a> {
    pub(super) file: &'a Arc<str>,
    /// Reads a data file named by a rule of this file.
    pub(super) read: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
    pub(super) complaints: Vec<Complaint>,
}

impl Context<'_> {
    pub(super) fn complain(&mut self, at: Position, message: impl Into<String>) {
        self.complaints.push(Complaint::new(at, message));
    }

    fn location(&self, at: Position) -> Location {
        Location {
            file: Arc::clone(self.file),
            position: at,
        }
    }
}

/// A rule set in the making.
pub(super) struct Builder {
    pub(super) settings: Settings,
    pub(super) tx: TxNames,
    defaults: [Defaults; 5],
    rules: Vec<Rule>,
    phases: [Vec<usize>; 5],
    ids: HashMap<u64, Location>,
    /// Marker names to the place in each phase's list that they mark.
    markers: HashMap<String, [usize; 5]>,
    jumps: Vec<Jump>,
    chain: Option<OpenChain>,
}

struct OpenChain {
    at: Position,
    /// `None` when the first rule was faulty: its followers are still checked.
    rule: Option<Rule>,
    skip_after: Option<Spanned<String>>,
}

struct Jump {
    rule: usize,
    to: String,
    location: Location,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            settings: Settings::default(),
            tx: TxNames::new(),
            defaults: Default::default(),
            rules: Vec::new(),
            phases: Default::default(),
            ids: HashMap::new(),
            markers: HashMap::new(),
            jumps: Vec::new(),
            chain: None,
        }
    }

    pub(super) fn statement(&mut self, statement: Statement, context: &mut Context<'_>) {
        let unfinished = match &statement {
            Statement::Rule(_) => None,
            Statement::Marker(_)
            | Statement::DefaultAction { .. }
            | Statement::Include { .. }
            | Statement::Setting { .. } => self.end_of_file(),
        };
        context.complaints.extend(unfinished);
        match statement {
            Statement::Rule(rule) => self.rule(&rule, context),
            Statement::DefaultAction { at, actions } => {
                if let Some((phase, defaults)) = Defaults::new(at, &actions, context, &mut self.tx)
                    && let Some(slot) = self.defaults.get_mut(phase as usize)
                {
                    *slot = defaults;
                }
            }
            Statement::Marker(name) => {
                let places = [0, 1, 2, 3, 4].map(|p: usize| self.phases.get(p).map_or(0, Vec::len));
                self.markers.insert(name.value, places);
            }
            Statement::Setting { setting, at, args } => {
                if let Err(complaint) = setting::apply(&mut self.settings, setting, at, &args) {
                    context.complaints.push(complaint);
                }
            }
            // The loader follows includes itself.
            Statement::Include { .. } => {}
        }
    }

    /// Closes a file: a chain does not run on into the next one.
    pub(super) fn end_of_file(&mut self) -> Option<Complaint> {
        let chain = self.chain.take()?;
        Some(Complaint::new(
            chain.at,
            "the chain action is not followed by a rule",
        ))
    }

    /// Resolves jumps and hands over the rule set.
    pub(super) fn finish(mut self) -> (Ruleset, Vec<LoadError>) {
        let mut errors = Vec::new();
        for jump in std::mem::take(&mut self.jumps) {
            let place = self.place_of(&jump);
            if let (Some(place), Some(rule)) = (place, self.rules.get_mut(jump.rule)) {
                rule.skip_to = Some(place);
            } else {
                let hint = crate::nearest::hint(&jump.to, self.markers.keys().map(String::as_str));
                let message = format!("skipAfter names no marker {}{hint}", jump.to);
                errors.push(LoadError {
                    location: jump.location,
                    message,
                });
            }
        }
        let ruleset = Ruleset {
            settings: self.settings,
            rules: self.rules,
            phases: self.phases,
            tx: self.tx,
        };
        (ruleset, errors)
    }

    /// The index in its rule's phase where a jump lands: at a marker, or after a rule by id.
    fn place_of(&self, jump: &Jump) -> Option<usize> {
        let phase = self.rules.get(jump.rule)?.phase as usize;
        if let Some(places) = self.markers.get(&jump.to) {
            return places.get(phase).copied();
        }
        let id = jump
            .to
            .parse::<u64>()
            .ok()
            .filter(|id| self.ids.contains_key(id))?;
        let rules = self.phases.get(phase)?;
        let found = rules
            .iter()
            .position(|&r| self.rules.get(r).is_some_and(|r| r.id == id));
        Some(found.map_or(rules.len(), |place| place + 1))
    }

    fn rule(&mut self, ast: &RuleAst, context: &mut Context<'_>) {
        let complaints_before = context.complaints.len();
        let open = self.chain.take();
        let phase = match &open {
            Some(open) => open
                .rule
                .as_ref()
                .map_or(Phase::RequestBody, |rule| rule.phase),
            None => RuleActions::phase_of(&ast.actions),
        };
        let defaults = self
            .defaults
            .get(phase as usize)
            .cloned()
            .unwrap_or_default();
        let actions = RuleActions::new(ast, open.is_some(), context, &mut self.tx);
        let test = ast
            .test
            .as_ref()
            .map(|test| test::compile(test, &actions, &defaults, context, &mut self.tx));
        let faulty = context.complaints.len() > complaints_before;
        let chain = actions.chain;
        let (rule, skip_after) = match open {
            Some(open) => {
                let rule = open.rule.filter(|_| !faulty).map(|mut rule| {
                    rule.links.push(actions.into_link(test.flatten()));
                    rule
                });
                (rule, open.skip_after)
            }
            None => {
                self.claim_id(&actions, context);
                let skip_after = actions.skip_after.clone();
                let rule = (!faulty).then(|| {
                    actions.into_rule(phase, &defaults, context.file, ast.at.line, test.flatten())
                });
                (rule, skip_after)
            }
        };
        if let Some(at) = chain {
            self.chain = Some(OpenChain {
                at,
                rule,
                skip_after,
            });
        } else if let Some(rule) = rule {
            self.add(rule, skip_after, context);
        }
    }

    fn claim_id(&mut self, actions: &RuleActions, context: &mut Context<'_>) {
        let Some(id) = &actions.id else {
            return;
        };
        let location = context.location(id.at);
        match self.ids.get(&id.value) {
            Some(first) => {
                let message = format!(
                    "the id {} is already taken by the rule at {first}",
                    id.value
                );
                context.complain(id.at, message);
            }
            None => {
                self.ids.insert(id.value, location);
            }
        }
    }

    fn add(&mut self, rule: Rule, skip_after: Option<Spanned<String>>, context: &Context<'_>) {
        let index = self.rules.len();
        if let Some(to) = skip_after {
            let location = context.location(to.at);
            self.jumps.push(Jump {
                rule: index,
                to: to.value,
                location,
            });
        }
        if let Some(list) = self.phases.get_mut(rule.phase as usize) {
            list.push(index);
        }
        self.rules.push(rule);
    }
}
