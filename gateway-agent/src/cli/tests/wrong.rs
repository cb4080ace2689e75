//! Mistakes, and things that are missing.

use super::*;

#[test]
fn mistakes_are_told_with_words_and_exit_2() {
    let host = TestHost::new();
    for (line, words) in [
        (
            "deny add 10.0.0.5/8",
            "has host bits set; write 10.0.0.0/8 or 10.0.0.5",
        ),
        ("deny add", "PREFIX"),
        ("deny add 192.0.2.1 --ttl 5y", "there is no unit `y`"),
        ("deny add 192.0.2.1 --ttl 0s", "cannot last 0s"),
        ("allow add 192.0.2.1 --shadow", "--shadow"),
        ("deny list --origin me", "operator, feed, ban or config"),
        (
            "explain example.com",
            "it is no IP address, and a request id has",
        ),
        ("waf explain 12", "a request id has 32 hexadecimal digits"),
        ("stats --watch=1ms", "the shortest pause is 100ms"),
        ("frobnicate", "unrecognized subcommand"),
    ] {
        let said = host.say(line).failed(USAGE);
        assert!(said.contains(words), "{line}: {said}");
    }
    assert!(!host.dir.path().join("var").exists());
}

#[test]
fn help_and_version_are_answers() {
    let host = TestHost::new();
    let version = host.say("--version").ok();
    assert_eq!(version, format!("gateway {}\n", env!("CARGO_PKG_VERSION")));
    assert!(host.say("deny add --help").ok().contains("--ttl <PERIOD>"));
}

#[test]
fn without_a_filter_looking_works_and_changing_does_not() {
    let host = TestHost {
        lists: None,
        ..TestHost::new()
    };
    assert_eq!(host.say("deny list").ok(), "the deny list is empty\n");
    assert_eq!(host.say("bans list").ok(), "nobody is banned\n");
    assert_eq!(
        host.say("status").ok(),
        "agent      none runs; `gateway run` starts it\n\
         filter     off: nothing is pinned\n\
         lists      0 prefixes denied, 0 of them bans; 0 prefixes safelisted\n"
    );
    for line in ["deny add 192.0.2.7", "explain 192.0.2.7", "stats"] {
        assert_eq!(
            host.say(line).failed(FAILED),
            "gateway: no filter is loaded: nothing is pinned\n"
        );
    }
    assert!(!host.dir.path().join("var/gateway.db").exists());
    let said = host.say("reload").failed(FAILED);
    assert!(said.starts_with("gateway: no agent answers at /"), "{said}");
}

#[test]
fn a_damaged_store_is_told_in_one_sentence() {
    let host = TestHost::new();
    std::fs::create_dir(host.dir.path().join("var")).unwrap();
    std::fs::write(
        host.dir.path().join("var/gateway.db"),
        "nonsense".repeat(100),
    )
    .unwrap();
    for line in ["deny list", "deny add 192.0.2.7"] {
        let said = host.say(line).failed(FAILED);
        assert!(said.contains("var/gateway.db: is damaged"), "{said}");
        assert_eq!(said.lines().count(), 1);
    }
}

/// A reader that goes away.
struct Gone(usize);

impl Write for Gone {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.0 -= 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let host = TestHost::new();
    host.say("deny add 192.0.2.7 192.0.2.8 192.0.2.9").ok();
    for line in [
        "deny list",
        "deny list --json",
        "status",
        "status --json",
        "stats",
    ] {
        for writes in 0..3 {
            let mut err = Vec::new();
            let code = main(host.words(line), &host, &mut Gone(writes), &mut err);
            assert_eq!((code, err.len()), (DONE, 0), "{line}");
        }
    }
}

#[test]
fn what_is_absent_says_why_to_everyone() {
    let why = ListsError::Absent("because".to_owned());
    let absent = Absent(why.clone());
    assert_eq!(absent.counters(), Err(why.clone()));
    assert_eq!(absent.interfaces(), Err(why));
}
