//! Directives and `ctl` actions that change other rules; settings that others rely on.

use gateway_waf::{AuditEngine, Decision, Waf};

use crate::common::{Files, Request, load};

const RULES: &str = "SecRule ARGS \"@contains evil\" \"id:1,phase:2,pass,tag:'attack-a',msg:'First %{TX.0}'\"\n\
    SecRule ARGS \"@contains evil\" \"id:2,phase:2,pass,tag:'attack-b',msg:'Second'\"\n\
    SecRule ARGS:a \"@contains evil\" \"id:3,phase:2,pass,chain,skipAfter:END\"\n\
    SecRule ARGS:b \"@contains EVIL\" \"t:none\"\n\
    SecAction \"id:4,phase:2,pass\"\nSecMarker END\n";

fn with(more: &str) -> Vec<u64> {
    Request::get("/?a=evil&b=evil").ids(&load(&format!("{RULES}{more}")))
}

#[test]
fn rules_are_removed_by_id_tag_and_message() {
    assert_eq!(with(""), [1, 1, 2, 2, 4]);
    assert_eq!(with("SecRuleRemoveById 1 4"), [2, 2]);
    assert_eq!(with("SecRuleRemoveById \"2-4,9\""), [1, 1]);
    assert_eq!(with("SecRuleRemoveByTag attack-a$"), [2, 2, 4]);
    assert_eq!(with("SecRuleRemoveByMsg ^Sec"), [1, 1, 4]);
}

#[test]
fn a_jump_lands_right_when_rules_before_it_are_removed() {
    let rules = "SecRule ARGS \"@eq 0\" \"id:1,phase:2,pass,nolog,skipAfter:END\"\n\
                 SecAction \"id:2,phase:2,pass\"\nSecAction \"id:3,phase:2,pass\"\nSecMarker END\n\
                 SecAction \"id:4,phase:2,pass\"\nSecRuleRemoveById 2";
    assert_eq!(Request::get("/?a=x").ids(&load(rules)), [4]);
    assert_eq!(Request::get("/").ids(&load(rules)), [3, 4]);
}

#[test]
fn targets_are_added_excluded_and_replaced() {
    assert_eq!(with("SecRuleUpdateTargetById 1 !ARGS:a"), [1, 2, 2, 4]);
    assert_eq!(
        with("SecRuleUpdateTargetById 1-2 \"!ARGS:a|!ARGS:/^b/\""),
        [4]
    );
    assert_eq!(
        with("SecRuleUpdateTargetByTag attack \"!ARGS:a\""),
        [1, 2, 4]
    );
    assert_eq!(with("SecRuleUpdateTargetByMsg Second \"!ARGS\""), [1, 1, 4]);
    assert_eq!(
        with("SecRuleUpdateTargetById 2 REQUEST_METHOD ARGS"),
        [1, 1, 4]
    );
    assert_eq!(
        with("SecRuleUpdateTargetById 2 REQUEST_URI"),
        [1, 1, 2, 2, 2, 4]
    );
}

#[test]
fn actions_are_changed() {
    let waf = load(&format!(
        "{RULES}SecRuleUpdateActionById 2 \"deny,status:429,msg:'Changed',tag:'more'\"\n\
         SecRuleUpdateActionById 3:1 \"t:uppercase\""
    ));
    let (decision, transaction) = Request::get("/?a=evil").run(&waf);
    assert_eq!(
        decision,
        Decision::Deny {
            status: 429,
            rule_id: 2
        }
    );
    let last = transaction.matches().last().unwrap();
    assert_eq!((last.msg.as_str(), last.tags.len()), ("Changed", 2));
    assert_eq!(
        with("SecRuleUpdateActionById 3:1 t:uppercase"),
        [1, 1, 2, 2, 3]
    );
    let files = Files::of(&[(
        "t.conf",
        "SecAction id:1\nSecRuleUpdateActionById 1 phase:1",
    )]);
    assert!(
        Waf::load(&["t.conf"], &files)
            .unwrap_err()
            .to_string()
            .contains("cannot be changed")
    );
}

#[test]
fn controls_reach_rules_by_id_tag_and_message() {
    let run = |control: &str| {
        let rules = format!("SecAction \"id:9,phase:1,nolog,pass,ctl:{control}\"\n{RULES}");
        Request::get("/?a=evil&b=evil").ids(&load(&rules))
    };
    assert_eq!(run("ruleRemoveById=1-2"), [4]);
    assert_eq!(run("ruleRemoveByTag=attack-b"), [1, 1, 4]);
    assert_eq!(run("ruleRemoveByMsg=First"), [2, 2, 4]);
    assert_eq!(run("ruleRemoveTargetById=1;ARGS:a"), [1, 2, 2, 4]);
    assert_eq!(run("ruleRemoveTargetByTag=attack-.;ARGS:/^[ab]$/"), [4]);
    assert_eq!(run("ruleRemoveTargetByMsg=Second;ARGS"), [1, 1, 4]);
    assert_eq!(run("ruleRemoveTargetById=2;REQUEST_URI"), [1, 1, 2, 2, 4]);
}

#[test]
fn what_has_no_effect_is_said() {
    let waf = load(
        "SecDebugLogLevel 3\nSecRuleRemoveById 77\nSecHashEngine Off\n\
         SecRule REMOTE_ADDR \"@rbl x.example\" \"id:1,phase:1,deny\"",
    );
    let notices: Vec<String> = waf.notices().iter().map(ToString::to_string).collect();
    assert_eq!(
        notices,
        [
            "t.conf:1:1: the directive has no effect: the gateway has one log",
            "t.conf:2:1: the directive has no effect: no rule loaded before it is meant",
            "t.conf:4:22: @rbl never matches: rules ask no name server",
        ]
    );
    assert!(Request::get("/").run(&waf).0.is_pass());
}

#[test]
fn only_one_value_of_some_directives_is_taken() {
    let files = Files::of(&[("t.conf", "SecCookieFormat 1")]);
    let errors = Waf::load(&["t.conf"], &files).unwrap_err().to_string();
    assert_eq!(
        errors,
        "t.conf:1:17: only 0 is supported: cookies of version 1 are not read"
    );
}

#[test]
fn audit_settings_are_mapped_and_changed_by_rules() {
    let waf = load(
        "SecAuditEngine RelevantOnly\nSecAuditLogParts ABIJ\nSecAuditLog /var/log/a.log\n\
         SecAuditLogRelevantStatus \"^(?:5|4\\d[0-35-9])\"\n\
         SecRule ARGS:x \"@eq 1\" \"id:1,phase:1,pass,nolog,ctl:auditEngine=On,ctl:auditLogParts=ABZ\"",
    );
    assert_eq!(waf.audit().path.as_deref(), Some("/var/log/a.log"));
    assert!(waf.audit().is_relevant(503) && !waf.audit().is_relevant(404));
    assert_eq!(
        Request::get("/").run(&waf).1.audit(),
        (AuditEngine::RelevantOnly, "ABIJ")
    );
    assert_eq!(
        Request::get("/?x=1").run(&waf).1.audit(),
        (AuditEngine::On, "ABZ")
    );
}

#[test]
fn a_unicode_map_is_followed() {
    let files = Files::of(&[
        (
            "t.conf",
            "SecUnicodeMapFile u.map 20127\nSecRule ARGS \"@streq <x>\" \"id:1,t:urlDecodeUni,pass\"",
        ),
        (
            "u.map",
            "1250  (ANSI)\n2039:41\n\n20127 (US-ASCII)\n2039:3c 203a:3e\n\n",
        ),
    ]);
    let waf = Waf::load(&["t.conf"], &files).unwrap();
    assert_eq!(Request::get("/?a=%25u2039x%25u203a").ids(&waf), [1]);
    let missing = Files::of(&[("t.conf", "SecUnicodeMapFile u.map 7"), ("u.map", "")]);
    assert!(
        Waf::load(&["t.conf"], &missing)
            .unwrap_err()
            .to_string()
            .contains("code page 7")
    );
}
