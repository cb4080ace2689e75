//! Puts statements together: chains, markers, default actions, ids.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    action::{Defaults, RuleActions},
    deeper,
    error::Finding,
    setting, test, tune,
};
use crate::{
    decode::Decoders,
    operator::Patterns,
    prefilter::Prefilter,
    ruleset::{Control, Phase, Rule, RuleBits, Ruleset, Settings},
    seclang::{
        ast::{RuleAst, Statement},
        directive::Setting,
        lexer::Word,
        span::{Complaint, Location, Position, Spanned},
    },
    share::Shares,
    template::TxNames,
    transform::UnicodeMap,
};

/// The file a statement stands in, and the complaints about it so far.
pub(super) struct Context<'a> {
    pub(super) file: &'a Arc<str>,
    /// Reads a data file named by a rule of this file.
    pub(super) read: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
    pub(super) complaints: Vec<Complaint>,
    /// What is accepted but has no effect here.
    pub(super) notices: Vec<Complaint>,
}

impl Context<'_> {
    pub(super) fn complain(&mut self, at: Position, message: impl Into<String>) {
        self.complaints.push(Complaint::new(at, message));
    }

    pub(super) fn note(&mut self, at: Position, message: impl Into<String>) {
        self.notices.push(Complaint::new(at, message));
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
    pub(super) defaults: [Defaults; 5],
    pub(super) rules: Vec<Rule>,
    /// Rules that a directive took out again.
    pub(super) removed: RuleBits,
    phases: [Vec<usize>; 5],
    ids: HashMap<u64, Location>,
    /// Marker names to the place in each phase's list that they mark.
    markers: HashMap<String, [usize; 5]>,
    jumps: Vec<Jump>,
    chain: Option<OpenChain>,
    unicode_map: Option<UnicodeMap>,
    notices: Vec<Finding>,
    warnings: Vec<Finding>,
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
            removed: RuleBits::default(),
            phases: Default::default(),
            ids: HashMap::new(),
            markers: HashMap::new(),
            jumps: Vec::new(),
            chain: None,
            unicode_map: None,
            notices: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn statement(&mut self, statement: Statement, context: &mut Context<'_>) {
        let unfinished = match &statement {
            Statement::Rule(_) => None,
            Statement::Marker(_)
            | Statement::DefaultAction { .. }
            | Statement::Include { .. }
            | Statement::Setting { .. }
            | Statement::Tune { .. } => self.end_of_file(),
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
            Statement::Setting { setting, at, args } => self.setting(setting, at, &args, context),
            Statement::Tune { tune, at, args } => {
                let result = tune::apply(self, tune, at, &args, context);
                context.complaints.extend(result.err());
            }
            // The loader follows includes itself.
            Statement::Include { .. } => {}
        }
        let notices = std::mem::take(&mut context.notices);
        self.notices
            .extend(notices.into_iter().map(|notice| Finding {
                location: context.location(notice.at),
                message: notice.message,
            }));
    }

    fn setting(
        &mut self,
        setting: Setting,
        at: Position,
        args: &[Word],
        context: &mut Context<'_>,
    ) {
        if let Setting::Inert(why) = setting {
            return context.note(at, format!("the directive has no effect: {why}"));
        }
        let result = if setting == Setting::UnicodeMapFile {
            setting::unicode_map(at, args, context.read).map(|map| self.unicode_map = Some(map))
        } else {
            setting::apply(&mut self.settings, setting, at, args)
        };
        context.complaints.extend(result.err());
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
    pub(super) fn finish(mut self) -> Ruleset {
        for jump in std::mem::take(&mut self.jumps) {
            let place = self.place_of(&jump).or_else(|| {
                let hint = crate::nearest::hint(&jump.to, self.markers.keys().map(String::as_str));
                let message = format!(
                    "skipAfter names no marker {}{hint}; a match of this rule ends the phase",
                    jump.to
                );
                self.warnings.push(Finding {
                    location: jump.location,
                    message,
                });
                self.end_of_phase(jump.rule)
            });
            if let Some(rule) = self.rules.get_mut(jump.rule) {
                rule.skip_to = place;
            }
        }
        self.drop_removed();
        self.select();
        self.rules.iter_mut().for_each(deeper::mark);
        let prefilter = Prefilter::new(&mut self.rules);
        let shares = Shares::new(&mut self.rules);
        Ruleset {
            settings: self.settings,
            rules: self.rules,
            phases: self.phases,
            tx: self.tx,
            unicode_map: self.unicode_map,
            notices: self.notices,
            warnings: self.warnings,
            collections: Arc::default(),
            patterns: Patterns::default(),
            prefilter,
            prefilter_on: true,
            decoders: Decoders::default(),
            shares,
            shadow: RuleBits::default(),
            shadow_on: BTreeMap::new(),
            only_watch: false,
        }
    }

    /// Takes removed rules out of the phases; the places where jumps land move along.
    fn drop_removed(&mut self) {
        let mut places: [Vec<usize>; 5] = Default::default();
        for (list, places) in self.phases.iter_mut().zip(&mut places) {
            let mut kept = 0;
            for index in list.iter() {
                places.push(kept);
                kept += usize::from(!self.removed.contains(*index));
            }
            places.push(kept);
            list.retain(|index| !self.removed.contains(*index));
        }
        for rule in &mut self.rules {
            if let (Some(to), Some(places)) = (rule.skip_to, places.get(rule.phase as usize)) {
                rule.skip_to = places.get(to).copied();
            }
        }
    }

    /// Works out which rules the `ctl` actions mean.
    fn select(&mut self) {
        let mut rules = std::mem::take(&mut self.rules);
        let mut selected = Vec::new();
        for control in rules
            .iter()
            .flat_map(|r| &r.links)
            .flat_map(|link| &link.controls)
        {
            if let Control::Remove(selection) | Control::RemoveTarget(selection, _) = control {
                selected.push(selection.choice.among(&rules));
            }
        }
        let mut selected = selected.into_iter();
        for control in rules
            .iter_mut()
            .flat_map(|r| &mut r.links)
            .flat_map(|l| &mut l.controls)
        {
            if let Control::Remove(selection) | Control::RemoveTarget(selection, _) = control {
                selection.rules = selected.next().unwrap_or_default();
            }
        }
        self.rules = rules;
    }

    /// The index behind the last rule of a rule's phase.
    fn end_of_phase(&self, rule: usize) -> Option<usize> {
        let phase = self.rules.get(rule)?.phase as usize;
        self.phases.get(phase).map(Vec::len)
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

    fn add(&mut self, mut rule: Rule, skip_after: Option<Spanned<String>>, context: &Context<'_>) {
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
        rule.index = index;
        self.rules.push(rule);
    }
}
