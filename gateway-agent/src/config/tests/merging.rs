//! Files in `conf.d`, and file names.

use super::*;

#[test]
fn maps_merge_and_lists_append_in_the_order_of_names() {
    let (config, warnings) = load_files(&[
        (
            "g.yaml",
            "interfaces: [{ name: eth0 }]\npaths: { pins: /pins }\nwaf:\n",
        ),
        (
            "conf.d/20-more.yml",
            "interfaces: [{ name: eth2 }]\npaths: { store: /store }\n",
        ),
        (
            "conf.d/10-first.yaml",
            "interfaces: [{ name: eth1 }]\nwaf: { mode: off }\n",
        ),
        ("conf.d/30-empty.yaml", "# nothing\n"),
        ("conf.d/.hidden.yaml", "nonsense"),
        ("conf.d/notes.txt", "nonsense"),
    ])
    .unwrap();
    let names: Vec<&str> = config.interfaces.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["eth0", "eth1", "eth2"]);
    assert_eq!(config.paths.pins, Path::new("/pins"));
    assert_eq!(config.paths.store, Path::new("/store"));
    assert_eq!(config.waf.mode, super::super::WafMode::Off);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn one_setting_in_two_files_is_a_conflict_of_two_places() {
    let said = load_files(&[
        (
            "g.yaml",
            "interfaces: [{ name: eth0 }]\nlog: { level: info }\nwaf: {}\n",
        ),
        ("conf.d/a.yaml", "log:\n  level: info\n"),
        ("conf.d/b.yaml", "waf: off\ninterfaces: { name: eth0 }\n"),
    ])
    .unwrap_err();
    assert_eq!(
        said,
        [
            "conf.d/a.yaml:2:10: found `info`, but `info` is given already at g.yaml:2:15; only \
             maps and lists are merged",
            "conf.d/b.yaml:1:6: found `off`, but a map is given already at g.yaml:3:6; only maps \
             and lists are merged",
            "conf.d/b.yaml:2:13: found a map, but a list is given already at g.yaml:1:13; only \
             maps and lists are merged",
        ]
    );
}

#[test]
fn faults_of_all_files_come_together() {
    let said = load_files(&[
        (
            "g.yaml",
            "interfaces: [{ name: eth0 }]\nlog: { level: loud }\n",
        ),
        (
            "conf.d/a.yaml",
            "upstreams: { app: { targets: http://x } }\nwaf: { mod: off }\n",
        ),
        (
            "conf.d/b.yaml",
            "routes: [{ require: none, upstream: aap }]\n",
        ),
    ])
    .unwrap_err();
    assert_eq!(
        said,
        [
            "g.yaml:2:15: found `loud`, which is not known here; known: debug, error, info, \
             trace, warn",
            "conf.d/a.yaml:2:8: found the unknown key `mod` in waf; did you mean `mode`? (known: \
             body_limit, conf_d, decode, default_rules, fail, keep, log, mode, rules, shadow)",
            "conf.d/b.yaml:1:37: found the upstream `aap`, which is not in `upstreams`; did you \
             mean `app`?",
        ]
    );
    let said = load_files(&[
        ("g.yaml", "interfaces: [\n"),
        ("conf.d/a.yaml", "a: b: c\n"),
    ])
    .unwrap_err();
    assert_eq!(
        said,
        [
            "g.yaml:1:13: unclosed bracket '['",
            "conf.d/a.yaml:1:5: mapping values are not allowed in this context",
        ]
    );
}

#[test]
fn file_names_start_from_the_folder_of_the_main_file() {
    let folder = folder(&[
        (
            "g.yaml",
            "listeners: [{ bind: ':443', tls: { certificates: { cert: a.pem, key: /k } } }]",
        ),
        ("conf.d/a.yaml", "waf: { rules: rules/*.conf }\n"),
    ]);
    let (config, _) = load(&folder.path().join("g.yaml")).unwrap();
    let files = &config.listeners[0].tls.as_ref().unwrap().certificates[0];
    assert_eq!(files.cert.path(), folder.path().join("a.pem"));
    assert_eq!(files.key.path(), Path::new("/k"));
    let rules = &config.waf.rules[0];
    assert_eq!(rules.path(), folder.path().join("rules/*.conf"));
    let place = format!("{}:1:15", folder.path().join("conf.d/a.yaml").display());
    assert_eq!(rules.location().to_string(), place);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let said = |files: &[(&str, &str)], main: &str| {
        let folder = folder(files);
        let faults = load(&folder.path().join(main)).unwrap_err();
        strip(folder.path(), &faults.to_string())
    };
    assert_eq!(
        said(&[("g.yaml", "")], "h.yaml"),
        "h.yaml: cannot be read: No such file or directory (os error 2)"
    );
    assert_eq!(
        said(&[("d/g.yaml", "")], "d"),
        "d: found a folder, expected a file"
    );
    assert_eq!(
        said(&[("g.yaml", ""), ("conf.d", "a file")], "g.yaml"),
        "conf.d: cannot be read: Not a directory (os error 20)"
    );
    assert_eq!(
        said(&[("g.yaml", ""), ("conf.d/a.yaml/b", "")], "g.yaml"),
        "conf.d/a.yaml: found a folder, expected a file"
    );
}
