//! Commands with an agent, and those that need none.

use super::*;

#[test]
fn through_an_agent_nothing_else_is_touched() {
    let host = TestHost {
        lists: None,
        ..TestHost::new()
    };
    let lists = Arc::new(FakeLists::default());
    let (service, _) = fixed(Arc::clone(&lists));
    let socket = Socket::bind(&host.dir.path().join("gateway.sock")).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let agent = thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(serve(socket, service, async {
                let _ = stopped.await;
            }))
            .unwrap();
    });
    host.say("deny add 192.0.2.7 --reason scans").ok();
    assert!(lists.entry(List::Deny, "192.0.2.7").is_some());
    assert!(host.say("deny list").ok().contains("scans"));
    assert!(host.say("explain 192.0.2.7").ok().contains("denied-exact"));
    let said = host.say("detach --yes").failed(FAILED);
    assert!(said.contains("stop it first"), "{said}");
    host.say("deny del 192.0.2.7").ok();
    let said = host.say("reload").failed(FAILED);
    assert!(said.contains("nothing to reload"), "{said}");
    assert!(!host.dir.path().join("var").exists());
    drop(stop);
    agent.join().unwrap();
}

#[test]
fn detaching_is_asked_for() {
    let host = TestHost::new();
    let said = host.say("detach").failed(USAGE);
    assert!(
        said.contains("the filter on eth0 and its maps under /"),
        "{said}"
    );
    assert!(said.ends_with("say so with --yes\n"), "{said}");

    let unwilling = TestHost {
        answer: Some(false),
        ..TestHost::new()
    };
    assert_eq!(
        unwilling.say("detach").failed(FAILED),
        "nothing was removed\n"
    );
    assert_eq!(unwilling.asked.borrow().len(), 1);
    assert!(!unwilling.detached.get());

    let willing = TestHost {
        answer: Some(true),
        ..TestHost::new()
    };
    assert!(
        willing
            .say("detach")
            .ok()
            .starts_with("removed the filter on eth0")
    );
    assert!(willing.detached.get());

    host.say("detach --yes").ok();
    assert!(host.detached.get());
    let forced = TestHost {
        cookies: Some(1),
        ..TestHost::new()
    };
    let said = forced.say("detach --yes").ok();
    assert!(
        said.ends_with("\nnet.ipv4.tcp_syncookies is 1 again\n"),
        "{said}"
    );
    let nothing = TestHost {
        lists: None,
        ..TestHost::new()
    };
    assert!(
        nothing
            .say("detach --yes")
            .ok()
            .contains("nothing to remove")
    );
    assert!(!nothing.detached.get());

    let busy = TestHost::new();
    let store = busy.dir.path().join("var/gateway.db");
    let _lock = WriterLock::take(&WriterLock::path_beside(&store), Duration::ZERO).unwrap();
    let said = busy.say("detach --yes").failed(FAILED);
    assert!(said.contains("wait for it to finish"), "{said}");
    assert!(!busy.detached.get());
}
