//! `@detectSQLi` and `@detectXSS`: tables whose answers are the reference's, and properties.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a bound on time is checked with a clock, which the crate itself never reads"
)]

use std::{hint::black_box, time::Duration};

use gateway_waf::{RuleMatch, Waf, injection};
use nix::time::{ClockId, clock_gettime};
use proptest::prelude::*;

use crate::{
    common::{Request, load},
    properties::request_text,
    tables::{encode, rows},
};

/// Both detectors with the prefilter on and off, which changes nothing.
fn detectors(operator: &str) -> [Waf; 2] {
    let rule =
        format!("SecRule ARGS:x \"{operator}\" \"id:1,phase:2,pass,capture,msg:'%{{tx.0}}'\"");
    let mut wafs = [load(&rule), load(&rule)];
    wafs[1].set_prefilter(false);
    wafs
}

#[test]
fn injected_sql() {
    let wafs = detectors("@detectSQLi");
    for row in rows(include_str!("../tables/sqli.tsv")) {
        let [what, input, fingerprint] = row.as_slice() else {
            panic!("a row has three columns: {row:?}");
        };
        let uri = format!("/?x={}", encode(input));
        for waf in &wafs {
            let (_, transaction) = Request::get(&uri).run(waf);
            let found = transaction.matches().first();
            assert_eq!(
                found.map_or("", |found| &found.msg),
                String::from_utf8_lossy(fingerprint),
                "{}: {}",
                input.escape_ascii(),
                String::from_utf8_lossy(what)
            );
        }
    }
}

#[test]
fn injected_scripts() {
    let wafs = detectors("@detectXSS");
    for row in rows(include_str!("../tables/xss.tsv")) {
        let [what, input, expected] = row.as_slice() else {
            panic!("a row has three columns: {row:?}");
        };
        let uri = format!("/?x={}", encode(input));
        for waf in &wafs {
            let matched = !Request::get(&uri).ids(waf).is_empty();
            assert_eq!(
                matched,
                expected == b"yes",
                "{}: {}",
                input.escape_ascii(),
                String::from_utf8_lossy(what)
            );
        }
    }
}

#[test]
fn a_match_says_what_was_found() {
    let waf = load(
        "SecRule ARGS \"@detectSQLi\" \"id:1,pass,capture,setvar:'tx.print=%{tx.0}',\\\n\
             logdata:'%{tx.0} in %{matched_var}'\"\n\
         SecRule ARGS \"@detectXSS\" \"id:2,pass,capture,logdata:'%{tx.0}'\"\n\
         SecRule ARGS \"!@detectSQLi\" \"id:3,pass\"\n\
         SecRule ARGS \"!@detectXSS\" \"id:4,pass\"\n\
         SecRule TX:print \"@streq s&1\" \"id:5,pass\"",
    );
    let request = Request::get("/?a=x%27%20or%201=1&b=%3Cscript%3E");
    assert_eq!(request.ids(&waf), [1, 2, 3, 4, 5]);
    let (_, transaction) = request.run(&waf);
    let [sql, script, ..] = transaction.matches() else {
        panic!("two matches and more");
    };
    let shown = |found: &RuleMatch| found.to_string();
    assert!(
        shown(sql).contains(
            "Warning. detected SQLi using libinjection with fingerprint 's&1' at ARGS:a. ["
        )
    );
    assert!(shown(sql).contains("[data \"s&1 in x' or 1=1\"]"));
    assert!(shown(script).contains("Warning. detected XSS using libinjection at ARGS:b. ["));
    assert!(shown(script).contains("[data \"<script>\"]"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_detectors_take_any_bytes(input in request_text(), noise in prop::collection::vec(any::<u8>(), 0..64)) {
        for text in [&input[..], &noise, &[input.clone(), noise.clone(), input.clone()].concat()] {
            let fingerprint = injection::sql(text);
            prop_assert_eq!(injection::sql(text), fingerprint);
            let shown = fingerprint.map_or(1, |print| print.to_string().len());
            prop_assert!((1..=5).contains(&shown));
            // Only what has one of these bytes is asked about.
            let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
            prop_assert!(fingerprint.is_none() || !text.iter().all(word));
            let markup = text.iter().any(|b| matches!(b, b'<' | b'='));
            prop_assert!(!injection::is_script(text) || markup);
        }
    }

    #[test]
    fn words_alone_are_no_injected_sql(text in "(0[xb]|[0-9]{1,3}e?|[0-9]d)*(union|select|like|int|not|sleep|_?[a-z0-9]*)") {
        prop_assert_eq!(injection::sql(text.as_bytes()), None);
    }
}

/// What a detector would read again and again from one place, were it careless.
const REPEATED: &str = "'|''|\\'|\\|'a'|\"|`|`a`|``|$|$a$|$a|$$|/*|/**/|--|--\n|#\n|[|a.|like`a`|not`a`|\
    int.|int |(|1,|1+|a::int|or |{a |{|q'(|x'0|<|<!--|-\0|<%|]]|<a on=x |</>|/ |&#0|\0|<a x='";

#[test]
fn the_detectors_take_time_in_proportion_to_the_input() {
    const SHORT: usize = 1 << 12;
    const FACTOR: u32 = 8;
    for pattern in REPEATED.split('|') {
        for start in ["", "' ", "<!--", "<a href=", "<%", "<![CDATA[", "a='"] {
            let input = |bytes: usize| format!("{start}{}", pattern.repeat(bytes / pattern.len()));
            let short = least_time(&input(SHORT));
            // Square time would be another factor of eight.
            let bound = short * FACTOR * 3 + Duration::from_millis(20);
            let long = input(SHORT * FACTOR as usize);
            // A busy machine may stretch some runs, not all.
            let within = (0..8).any(|_| least_time(&long) < bound);
            assert!(
                within,
                "{start:?}, {pattern:?}: {short:?}, more than {bound:?}"
            );
        }
    }
}

/// Time on the processor, of two runs: what others take of the machine is not counted.
fn least_time(input: &str) -> Duration {
    let now = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
    let run = || {
        let start = now();
        black_box(injection::sql(input.as_bytes()));
        black_box(injection::is_script(input.as_bytes()));
        now() - start
    };
    run().min(run())
}
