//! Feeds through the agent: in a file and over HTTPS, followed, held back, watched; and
//! countries.

use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;

use gateway_lab::{Host, mmdb, wait};
use serde_json::{Value, json};

use super::world::{SOON, World};

/// Where the upstream host serves lists.
const LISTS: u16 = 8443;

impl World {
    fn list(&self, name: &str, content: &str) {
        fs::write(self.lab.state().join(name), content).unwrap();
    }

    fn feed(&self, name: &str) -> Value {
        let feeds = self.agent.json(["feeds", "list"]).unwrap();
        let feeds = feeds["feeds"].as_array().unwrap();
        let found = feeds.iter().find(|feed| feed["name"] == name);
        found.cloned().unwrap_or(Value::Null)
    }

    /// Waits until a feed is in a state.
    fn until_feed(&self, name: &str, state: &str) -> Value {
        let mut seen = Value::Null;
        let found = wait::until(SOON, state, || {
            seen = self.feed(name);
            (seen["state"] == state).then(|| seen.clone())
        });
        found.unwrap_or_else(|error| panic!("{error}: {seen}\n{}", self.agent.log_tail()))
    }

    /// Serves the lab's folder over TLS, with a certificate of its own, and waits until it does.
    fn serve_lists(&self) -> std::process::Child {
        let folder = self.lab.state();
        let names = format!("subjectAltName=IP:{}", Host::Upstream.ip4());
        let made = self
            .host(Host::Upstream)
            .command("openssl")
            .current_dir(folder)
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args([
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=lists",
                "-addext",
                &names,
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "lists.key", "-out", "lists.pem"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let server = self
            .host(Host::Upstream)
            .command("openssl")
            .current_dir(folder)
            .args(["s_server", "-WWW", "-quiet", "-accept", &LISTS.to_string()])
            .args(["-cert", "lists.pem", "-key", "lists.key"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = (Host::Upstream.ip4(), LISTS);
        let reached = || {
            let connect = || std::net::TcpStream::connect(address).is_ok();
            self.host(Host::Gateway)
                .in_ns(connect)
                .unwrap()
                .then_some(())
        };
        wait::until(SOON, "the server of lists", reached).unwrap();
        server
    }
}

fn hosts(count: u32) -> String {
    let mut text = String::new();
    for n in 0..count {
        writeln!(text, "198.18.7.{n}").unwrap();
    }
    text
}

#[test]
fn feeds_are_followed_into_the_kernel() {
    let mut world = World::prepared("feeds", &json!({}));
    let folder = world.lab.state().to_owned();
    let mut server = world.serve_lists();
    world.list("local.txt", "# ours\n198.18.1.0/24\n");
    world.list("remote.txt", "198.18.2.0/24 ; SBL1\n127.0.0.0/8\n");
    world.list("watched.txt", "198.18.3.0/24\n");
    let url = format!("https://{}:{LISTS}/remote.txt", Host::Upstream.ip4());
    let feeds = json!({
        "local": {"file": folder.join("local.txt"), "interval": "1s"},
        "remote": {"url": url, "ca": folder.join("lists.pem")},
        "watched": {"file": folder.join("watched.txt"), "mode": "shadow"},
    });
    let config = world.config(&json!({"feeds": feeds}));
    world.agent.configure(&config).unwrap();
    world.agent.start().unwrap();
    for feed in ["local", "remote", "watched"] {
        world.until_feed(feed, "fresh");
    }
    for (source, verdict) in [
        ("198.18.1.9", "denied-prefix"),
        ("198.18.2.9", "denied-prefix"),
        ("198.18.3.9", "would-deny"),
    ] {
        let counted = world.counted(source.parse().unwrap(), 50, verdict);
        // What is only watched is answered, and its sender answers that.
        let all = counted == 50 || verdict == "would-deny" && counted > 50;
        assert!(all, "{source}: {counted}");
    }
    let watched = world.explain("198.18.3.9");
    let would = watched["decided_by"]["would_drop"]["packets"].as_u64();
    assert!(would >= Some(50), "{watched}");
    let sum = world.feed("watched")["would_drop"]["packets"].as_u64();
    assert!(sum >= would, "{sum:?} of {would:?}");
    assert_eq!(world.feed("local")["would_drop"], Value::Null);
    let explained = world.explain("198.18.1.9");
    let decided = &explained["decided_by"];
    assert_eq!(decided["origin"], "feed", "{explained}");
    assert_eq!(decided["import"]["tag"], "local", "{explained}");
    assert_eq!(decided["import"]["line"], 2, "{explained}");
    assert_eq!(decided["hits"]["at_least"], 50, "{explained}");
    let stats = world.agent.json(["stats", "--top"]).unwrap();
    let busiest = stats["busiest"].to_string();
    assert!(busiest.contains("198.18.1.0/24"), "{busiest}");
    let remote = world.feed("remote");
    assert_eq!(remote["entries"], 1, "{remote}");
    assert_eq!(remote["agent"]["left_out"], 1, "{remote}");

    // One is looked at by itself, for the other somebody asks.
    world.list("local.txt", "198.18.4.0/24\n");
    world.until_verdict("198.18.4.9", "denied-prefix");
    assert_eq!(world.explain("198.18.1.9")["verdict"], "pass");
    world.list("remote.txt", "198.18.5.0/24\n");
    let refreshed = world.agent.json(["feeds", "refresh", "remote"]).unwrap();
    assert_eq!(
        refreshed["agent"]["last"],
        "1 added, 1 removed, 0 changed, 0 unchanged"
    );
    assert_eq!(world.explain("198.18.5.9")["verdict"], "denied-prefix");

    // Nobody serves it any more, also when the agent starts again.
    server.kill().unwrap();
    server.wait().unwrap();
    let refused = world.agent.gateway(["feeds", "refresh", "remote"]).unwrap();
    assert!(
        refused.code == 1 && refused.err.contains("takes no connection"),
        "{refused:?}"
    );
    world.agent.kill().unwrap();
    let listed = world
        .agent
        .gateway(["feeds", "list"])
        .unwrap()
        .done()
        .unwrap();
    assert!(listed.out.contains("unattended"), "{listed:?}");
    world.agent.start().unwrap();
    let failed = world.until_feed("remote", "failed");
    assert_eq!(failed["entries"], 1, "{failed}");
    assert_eq!(world.explain("198.18.5.9")["verdict"], "denied-prefix");
    let metrics = world.agent.admin("/metrics").unwrap().1;
    assert!(
        metrics.contains("gateway_feed_entries{feed=\"remote\"} 1"),
        "{metrics}"
    );

    // What the configuration names no more is gone.
    world.agent.configure(&world.config(&json!({}))).unwrap();
    world.agent.gateway(["reload"]).unwrap().done().unwrap();
    world.until_verdict("198.18.5.9", "pass");
    world.until_verdict("198.18.3.9", "pass");
}

#[test]
fn a_feed_that_shrinks_waits_for_the_operator() {
    let mut world = World::prepared("feedshrinks", &json!({}));
    let file = world.lab.state().join("drop.txt");
    world.list("drop.txt", &hosts(40));
    let feeds = json!({"drop": {"file": file, "interval": "1s"}});
    let config = world.config(&json!({"feeds": feeds}));
    world.agent.configure(&config).unwrap();
    world.agent.start().unwrap();
    world.until_verdict("198.18.7.30", "denied-exact");
    world.list("drop.txt", &hosts(10));
    let held = world.until_feed("drop", "held-back");
    assert_eq!(
        (&held["entries"], &held["agent"]["offered"]),
        (&json!(40), &json!(10))
    );
    let words = ["gateway feeds accept drop"];
    world.agent.logged(SOON, &words).unwrap();
    assert_eq!(
        world.counted("198.18.7.30".parse().unwrap(), 20, "denied-exact"),
        20
    );
    let listed = world
        .agent
        .gateway(["feeds", "list"])
        .unwrap()
        .done()
        .unwrap();
    assert!(
        listed.out.contains("gateway feeds accept drop"),
        "{listed:?}"
    );
    let accepted = world.agent.json(["feeds", "accept", "drop"]).unwrap();
    assert_eq!(accepted["entries"], 10, "{accepted}");
    assert_eq!(world.explain("198.18.7.30")["verdict"], "pass");
    assert_eq!(world.explain("198.18.7.3")["verdict"], "denied-exact");
    let again = world.agent.gateway(["feeds", "accept", "drop"]).unwrap();
    assert!(
        again.code == 1 && again.err.contains("nothing of drop"),
        "{again:?}"
    );
}

#[test]
fn countries_are_dropped_and_upstreams_never_by_mistake() {
    let mut world = World::prepared("countries", &json!({}));
    let file = world.lab.state().join("countries.mmdb");
    let database = mmdb::countries(&[
        ("198.18.0.0/16", "KP"),
        ("198.19.0.0/16", "DE"),
        ("10.77.2.0/24", "KP"),
        ("2001:db8:7::/48", "KP"),
    ]);
    fs::write(&file, database.unwrap()).unwrap();
    let countries = json!({"countries": {"database": file, "deny": ["kp"]}});
    world.agent.configure(&world.config(&countries)).unwrap();
    world.agent.gateway(["check"]).unwrap().done().unwrap();
    world.agent.start().unwrap();
    let explained = world.until_verdict("198.18.5.5", "denied-prefix");
    assert_eq!(
        explained["decided_by"]["import"]["tag"], "country:KP",
        "{explained}"
    );
    assert_eq!(
        world.counted("198.18.5.5".parse().unwrap(), 50, "denied-prefix"),
        50
    );
    assert_eq!(world.explain("198.19.5.5")["verdict"], "pass");
    assert_eq!(world.explain("2001:db8:7::1")["verdict"], "denied-prefix");
    // The upstream lies in a network that the database takes for a country's.
    let feed = world.feed("country:KP");
    assert_eq!(feed["agent"]["left_out"], 1, "{feed}");
    let upstream = Host::Upstream.ip4().to_string();
    assert_eq!(world.explain(&upstream)["verdict"], "pass");
    let refused = world
        .agent
        .gateway(["deny", "add", upstream.as_str()])
        .unwrap();
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("the upstream app"), "{refused:?}");
    assert!(refused.err.contains("--force"), "{refused:?}");
}

#[test]
fn countries_are_held_to_a_limit_also_while_no_agent_runs() {
    let mut world = World::prepared("countrate", &json!({}));
    let file = world.lab.state().join("countries.mmdb");
    let database = mmdb::countries(&[("198.18.0.0/16", "ZZ"), ("198.19.0.0/16", "DE")]);
    fs::write(&file, database.unwrap()).unwrap();
    let limited = json!({
        "countries": {"database": file, "limited": ["zz"], "limit": "10/s"},
        "trusted_networks": {"office": ["198.18.9.0/24"]},
        "packet_limits": {"burst": "1s", "connections": {"untrusted": "2/s", "mode": "shadow"}},
    });
    world.agent.configure(&world.config(&limited)).unwrap();
    world.agent.gateway(["check"]).unwrap().done().unwrap();
    world.agent.start().unwrap();
    let feed = world.until_feed("country:ZZ", "fresh");
    assert_eq!(
        (&feed["list"], &feed["entries"]),
        (&json!("limit"), &json!(1))
    );
    let explained = world.explain("198.18.5.5");
    assert_eq!(explained["country"]["code"], "ZZ", "{explained}");
    assert_eq!(
        explained["country"]["prefix"], "198.18.0.0/16",
        "{explained}"
    );
    let office = world.explain("198.18.9.9");
    assert_eq!(
        (&office["country"], &office["zone"]),
        (&Value::Null, &json!("198.18.9.0/24"))
    );

    let counted = |world: &World| world.agent.stats().unwrap().packets("country-limited");
    world.send("198.18.5.5".parse().unwrap(), 500);
    // Eleven at once, and ten a second for as long as a busy machine makes of it.
    let held = wait::until(SOON, "the country to be held to its limit", || {
        Some(counted(&world)).filter(|count| *count >= 400)
    });
    assert!(held.unwrap() < 500, "none was let in");
    // Of what was let in, most is over a limit that only watches.
    let status = world.agent.json(["status"]).unwrap();
    let limits = status["agent"]["limits"].as_array().unwrap();
    let named = |name: &str| limits.iter().find(|limit| limit["name"] == name).unwrap();
    let watched = named("packet_limits.connections.untrusted");
    assert_eq!(watched["mode"], "shadow", "{watched}");
    assert!(
        watched["would_drop"]["packets"].as_u64() >= Some(1),
        "{watched}"
    );
    assert_eq!(named("countries.limit")["would_drop"], Value::Null);
    world.send("198.19.5.5".parse().unwrap(), 50);
    assert_eq!(world.explain("198.19.5.5")["country"], Value::Null);

    // The filter goes on by itself.
    let before = counted(&world);
    world.agent.kill().unwrap();
    assert_eq!(world.explain("198.18.5.5")["country"]["code"], "ZZ");
    world.send("198.18.6.6".parse().unwrap(), 500);
    let more = || (counted(&world) >= before + 400).then_some(());
    wait::until(SOON, "the limit to hold without an agent", more).unwrap();
    // A configuration that names no country takes the limit away.
    world.agent.configure(&world.config(&json!({}))).unwrap();
    world.agent.start().unwrap();
    let gone = || (world.explain("198.18.5.5")["country"] == Value::Null).then_some(());
    wait::until(SOON, "the limit to end", gone).unwrap();
}
