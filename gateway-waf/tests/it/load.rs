//! What a faulty rule file is told.

use gateway_waf::Waf;

use crate::common::{Files, Request, load};

/// Loads `t.conf` and returns each fault as a line.
fn faults(text: &str) -> Vec<String> {
    faults_of(&[("t.conf", text)])
}

fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    match Waf::load(&["t.conf"], &Files::of(files)) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.to_string().lines().map(str::to_owned).collect(),
    }
}

#[test]
fn every_fault_names_its_place() {
    let table: &[(&str, &str)] = &[
        (
            "SecRul ARGS x",
            "t.conf:1:1: unknown directive SecRul, did you mean SecRule?",
        ),
        (
            "SecRule ARGZ x id:1",
            "t.conf:1:9: unknown variable ARGZ, did you mean ARGS?",
        ),
        (
            "SecRule ARGS \"@contians x\" id:1",
            "t.conf:1:15: rule 1: unknown operator @contians, did you mean contains?",
        ),
        (
            "SecRule ARGS x \"id:1,t:lowercas\"",
            "t.conf:1:24: unknown transformation lowercas, did you mean lowercase?",
        ),
        (
            "SecRule ARGS x \"id:1,dney\"",
            "t.conf:1:22: unknown action dney, did you mean deny?",
        ),
        ("SecRule ARGS x", "t.conf:1:1: the rule has no id action"),
        (
            "SecAction \"phase:9,id:1\"",
            "t.conf:1:18: phase must be 1 to 5",
        ),
        ("SecAction \"id:x\"", "t.conf:1:15: id needs a whole number"),
        (
            "SecRule ARGS \"(\" id:7",
            "t.conf:1:15: rule 7: the pattern has a group",
        ),
        (
            "SecRule ARGS \"(?<=a+)b\" id:7",
            "rule 7: the pattern uses look-behind of no fixed length",
        ),
        (
            "SecRule ARGS \"@verifyCPF a\" id:7",
            "rule 7: @verifyCPF is SecLang that this engine",
        ),
        (
            "SecAction \"id:1\nSecMarker A",
            "t.conf:1:11: the quote \" that opens here",
        ),
        (
            "SecAction \"id:1,msg:'a\"",
            "t.conf:1:21: the quote ' that opens here",
        ),
        ("SecMarker", "t.conf:1:1: SecMarker takes 1 word, found 0"),
        (
            "SecRuleEngine Maybe",
            "t.conf:1:15: expected one of On, Off, DetectionOnly",
        ),
        ("SecRequestBodyLimit lots", "t.conf:1:21: expected a number"),
        (
            "SecRuleScript x.lua",
            "t.conf:1:1: SecRuleScript runs a script",
        ),
        (
            "<IfModule x>",
            "t.conf:1:1: sections of a web server's configuration",
        ),
        (
            "SecRule REQUEST_URI:x y id:1",
            "t.conf:1:21: REQUEST_URI is a single value",
        ),
        (
            "SecRule PERF_ALL y id:1",
            "t.conf:1:9: the variable PERF_ALL is SecLang that this",
        ),
        (
            "SecRule XML y id:1",
            "t.conf:1:9: XML takes the paths /* and //@* only",
        ),
        ("SecRule ARGS \"@eq x\" id:1", "@eq needs a whole number"),
        (
            "SecRule ARGS \"@ipMatch 1.2.3\" id:1",
            "`1.2.3` is neither an IP address nor",
        ),
        (
            "SecRule ARGS \"@pmFromFile no\" id:1",
            "cannot read no: no such file",
        ),
        ("SecAction \"id:1,msg:'%{TXX.a}'\"", "names no variable"),
        (
            "SecAction \"id:1,setvar:ipp.a=1\"",
            "cannot write a collection ipp, did you mean ip?",
        ),
        (
            "SecAction \"id:1,expirevar:tx.a=1\"",
            "a transaction variable ends with the transaction",
        ),
        (
            "SecAction \"id:1,initcol:tx=1\"",
            "initcol knows no collection tx",
        ),
        (
            "SecAction \"id:1,ctl:ruleEngin=On\"",
            "unknown ctl ruleEngin, did you mean ruleEngine?",
        ),
        (
            "SecAction \"id:1,chain\"",
            "t.conf:1:17: the chain action is not followed by a rule",
        ),
        (
            "SecAction \"id:1,exec:/bin/x\"",
            "the action exec runs a program inside the filter",
        ),
        (
            "SecDefaultAction \"log,deny\"",
            "t.conf:1:1: SecDefaultAction needs a phase",
        ),
        (
            "SecDefaultAction \"phase:1,log\"",
            "SecDefaultAction needs deny",
        ),
        (
            "SecDefaultAction \"phase:1,deny,id:1\"",
            "id may not stand in SecDefaultAction",
        ),
        (
            "Include no.conf",
            "t.conf:1:9: cannot read no.conf: no such file",
        ),
        ("Include no/*.conf", "t.conf:1:9: no file matches no/*.conf"),
        ("Include t.conf", "t.conf:1:9: t.conf includes itself"),
    ];
    for (text, expected) in table {
        let faults = faults(text);
        assert!(
            faults.iter().any(|f| f.contains(expected)),
            "{text}\n{faults:#?}"
        );
    }
}

#[test]
fn a_mark_that_is_nowhere_is_a_warning() {
    let text = "SecRule ARGS:n \"@eq 1\" \"id:1,phase:2,pass,nolog,skipAfter:END-FIRTS\"\n\
        SecAction \"id:2,phase:2,pass\"\nSecMarker END-FIRST\nSecAction \"id:3,phase:2,pass\"\n\
        SecAction \"id:4,phase:5,pass\"\nSecRuleRemoveById 2";
    let waf = load(text);
    let warnings: Vec<String> = waf.warnings().iter().map(ToString::to_string).collect();
    let expected = "t.conf:1:49: skipAfter names no marker END-FIRTS, did you mean END-FIRST?; \
        a match of this rule ends the phase";
    assert_eq!(warnings, [expected]);
    assert_eq!(Request::get("/?n=0").ids(&waf), [3]);
    assert_eq!(Request::get("/?n=1").ids(&waf), [], "the phase ends there");
    let (_, mut transaction) = Request::get("/?n=1").run(&waf);
    transaction.phase5();
    assert_eq!(transaction.matches()[0].rule_id, 4, "and no other phase");
    let known = text.replace("FIRTS", "FIRST");
    assert_eq!(load(&known).warnings(), []);
}

#[test]
fn all_faults_are_collected_in_order() {
    let text = "SecRule ARGS x \"id:1,foo,t:bar\"\n\nSecNothing\nSecRule ARGX y    \"id:1\"\n";
    let places: Vec<String> = faults(text)
        .iter()
        .map(|f| {
            f.splitn(4, ':')
                .skip(1)
                .take(2)
                .collect::<Vec<_>>()
                .join(":")
        })
        .collect();
    assert_eq!(places, ["1:22", "1:28", "3:1", "4:9", "4:20"]);
}

#[test]
fn a_duplicate_id_names_both_places() {
    let files = [
        ("t.conf", "SecAction id:5\nInclude b.conf"),
        ("b.conf", "SecAction id:5"),
    ];
    assert_eq!(
        faults_of(&files),
        ["b.conf:1:11: the id 5 is already taken by the rule at t.conf:1:11"]
    );
}

#[test]
fn a_faulty_chain_is_checked_to_its_end() {
    let text = "SecRule ARGS x \"id:1,chain,oops\"\nSecRule ARGZ y \"deny\"\nSecAction id:2";
    let faults = faults(text);
    assert_eq!(faults.len(), 3, "{faults:#?}");
    assert!(
        faults
            .iter()
            .any(|f| f.contains("deny may only stand in the first rule"))
    );
}

#[test]
fn includes_are_followed_beside_the_file_that_names_them() {
    let files = Files::of(&[
        (
            "conf/t.conf",
            "Include rules/*.conf\nIncludeOptional none.conf\nIncludeOptional x/*.y",
        ),
        (
            "conf/rules/a.conf",
            "SecRule ARGS \"@pmFromFile words.data\" id:1",
        ),
        ("conf/rules/b.conf", "SecAction id:2"),
        ("conf/rules/words.data", "one\ntwo\n"),
    ]);
    assert_eq!(Waf::load(&["conf/t.conf"], &files).unwrap().rules(), 2);
    assert_eq!(
        Waf::load(&["conf/rules/*.conf"], &files).unwrap().rules(),
        2
    );
}

#[test]
fn an_unreadable_entry_is_a_fault() {
    let errors = Waf::load(&["absent.conf"], &Files::default()).unwrap_err();
    assert!(
        errors
            .to_string()
            .starts_with("absent.conf:1:1: cannot read absent.conf")
    );
}

#[test]
fn signatures_are_kept() {
    let waf = load("SecComponentSignature \"CRS/9\"\nSecComponentSignature own");
    assert_eq!(waf.signatures(), ["CRS/9", "own"]);
}
