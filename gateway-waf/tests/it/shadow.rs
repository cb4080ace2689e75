//! Rules in shadow: seen, recorded, and without effect.

use gateway_waf::{Decision, Effect, RuleEngine, Shadow, Waf};

use crate::common::{Request, load};

const SCORING: &str = "\
    SecRule ARGS \"@contains evil\" \"id:1,phase:2,pass,log,tag:'attack-x',setvar:tx.score=+5\"\n\
    SecRule ARGS \"@contains evil\" \"id:2,phase:2,pass,log,capture,setvar:tx.score=+1\"\n\
    SecRule TX:score \"@ge 5\" \"id:3,phase:2,deny,status:403,log\"";

fn run(waf: &Waf, uri: &str) -> (Decision, Vec<(u64, Option<Shadow>, Effect)>) {
    let (decision, transaction) = Request::get(uri).run(waf);
    let matches = transaction.matches().iter();
    let matches = matches.map(|m| (m.rule_id, m.shadow, m.effect)).collect();
    (decision, matches)
}

#[test]
fn a_rule_in_shadow_adds_nothing_to_the_score() {
    let mut waf = load(SCORING);
    assert!(
        !run(&waf, "/?q=evil").0.is_pass(),
        "it blocks to begin with"
    );
    assert_eq!(waf.shadow("1"), Ok(1));
    let (decision, matches) = run(&waf, "/?q=evil");
    assert!(decision.is_pass());
    assert_eq!(
        matches,
        [
            (1, Some(Shadow::Everywhere), Effect::Warning),
            (2, None, Effect::Warning)
        ]
    );
}

#[test]
fn a_rule_that_denies_says_what_it_would_have_done() {
    let mut waf = load("SecRule ARGS \"@contains evil\" \"id:1,phase:2,deny,status:418,log\"");
    waf.shadow("tag:nothing").unwrap();
    assert!(!run(&waf, "/?q=evil").0.is_pass());
    waf.shadow("1-9").unwrap();
    let (decision, matches) = run(&waf, "/?q=evil");
    assert!(decision.is_pass());
    assert_eq!(
        matches,
        [(1, Some(Shadow::Everywhere), Effect::Denied(418))]
    );
    let (_, transaction) = Request::get("/?q=evil").run(&waf);
    let line = transaction.matches()[0].to_string();
    assert!(line.starts_with("ModSecurity: Warning."), "{line}");
    assert!(line.contains("[tag \"gateway-shadow\"]"), "{line}");
}

#[test]
fn a_chain_in_shadow_sees_what_it_sets_and_nobody_else_does() {
    let rules = "\
        SecRule ARGS:a \"@rx ^(ev)il\" \"id:1,phase:1,deny,log,capture,setvar:tx.mine=7,chain\"\n\
        SecRule TX:1 \"@streq ev\" \"chain\"\n\
        SecRule TX:mine \"@eq 7\" \"t:none\"\n\
        SecRule &TX:mine \"@gt 0\" \"id:2,phase:1,deny,log\"\n\
        SecRule &TX:1 \"@gt 0\" \"id:3,phase:1,deny,log\"";
    let mut waf = load(rules);
    waf.shadow("1").unwrap();
    let (decision, matches) = run(&waf, "/?a=evil");
    assert!(decision.is_pass(), "{matches:?}");
    assert_eq!(
        matches,
        [(1, Some(Shadow::Everywhere), Effect::Denied(403))]
    );
}

#[test]
fn neither_ctl_nor_skips_nor_collections_of_a_rule_in_shadow_count() {
    let rules = "\
        SecRule ARGS \"@contains evil\" \"id:1,phase:1,pass,log,ctl:ruleRemoveById=2,skipAfter:END,\
        initcol:ip=%{REMOTE_ADDR},setvar:ip.seen=1,setenv:x=1\"\n\
        SecRule ARGS \"@contains evil\" \"id:2,phase:1,deny,log\"\n\
        SecMarker END";
    let mut waf = load(rules);
    assert!(run(&waf, "/?q=evil").0.is_pass(), "rule 1 skips rule 2");
    waf.shadow("1").unwrap();
    let (decision, _) = run(&waf, "/?q=evil");
    assert_eq!(decision.rule_id(), Some(2));
    let (_, transaction) = Request::get("/?q=evil").run(&waf);
    assert_eq!(transaction.environment().count(), 0);
}

#[test]
fn a_rule_is_in_shadow_on_the_route_that_says_so_and_on_no_other() {
    let mut waf = load(SCORING);
    assert_eq!(waf.shadow_on("/legacy/**", "1"), Ok(1));
    assert_eq!(waf.shadow_on("/legacy/**", "2-3"), Ok(2));
    assert_eq!(waf.shadow_on("/other", "9"), Ok(0), "no such rule");
    assert_eq!(waf.shadow("2"), Ok(1));
    let there: Vec<_> = waf.routes_in_shadow().collect();
    assert_eq!(there, [("/legacy/**", 2)], "rule 2 is in shadow anyway");
    let request = Request::get("/?q=evil");
    let on = |route: Option<&str>| {
        let (decision, transaction) = request.run_on(&waf, route);
        let matches = transaction.matches().iter();
        let matches: Vec<_> = matches.map(|m| (m.rule_id, m.shadow)).collect();
        let lines: Vec<_> = transaction
            .matches()
            .iter()
            .map(ToString::to_string)
            .collect();
        (decision.rule_id(), matches, lines.join("\n"))
    };
    let (everywhere, route) = (Some(Shadow::Everywhere), Some(Shadow::Route));
    let (blocked, matches, line) = on(Some("/legacy/**"));
    assert_eq!(blocked, None);
    assert_eq!(matches, [(1, route), (2, everywhere)]);
    assert!(line.contains("[tag \"gateway-shadow-route\"]"), "{line}");
    for elsewhere in [None, Some("/legacy"), Some("/other")] {
        let (blocked, matches, line) = on(elsewhere);
        assert_eq!(blocked, Some(3), "{elsewhere:?}");
        assert_eq!(matches, [(1, None), (2, everywhere), (3, None)]);
        assert!(!line.contains("gateway-shadow-route"), "{line}");
    }
    assert!(waf.shadow_on("/legacy/**", "tag:(").is_err());
}

#[test]
fn choices_are_checked() {
    let mut waf = load(SCORING);
    assert_eq!(waf.shadow("tag:^attack-"), Ok(1));
    assert_eq!(waf.shadow("1-3"), Ok(3));
    for bad in ["", "x", "9-1", "tag:("] {
        assert!(Waf::check_choice(bad).is_err(), "{bad}");
        assert!(waf.shadow(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_only_watches_is_not_switched_on_by_a_rule() {
    let rules = "SecAction \"id:1,phase:1,pass,nolog,ctl:ruleEngine=On\"\n\
        SecRule ARGS \"@contains evil\" \"id:2,phase:1,deny,log\"";
    let mut waf = load(rules);
    assert!(!run(&waf, "/?q=evil").0.is_pass());
    waf.set_engine(RuleEngine::DetectionOnly);
    assert!(run(&waf, "/?q=evil").0.is_pass());
}
