//! Good files, and what comes of them.

use gateway_policy::access::{Host, NormalPath, Requirement};
use gateway_policy::bans::Mode;

use super::*;
use crate::config::{
    AttackTrigger, CookieMode, KeySource, Limit, LogLevel, LogTo, TlsVersion, WafMode, Watched,
    XdpMode,
};

const EXAMPLE: &str = include_str!("../../../../docs/gateway.example.yaml");

#[test]
fn the_example_loads_without_a_warning() {
    let (config, warnings) = good(EXAMPLE);
    assert_eq!(warnings, [""; 0]);
    assert_eq!(config.interfaces.len(), 1);
    assert_eq!(config.networks.trusted.len(), 2);
    assert_eq!(
        config
            .networks
            .zones()
            .zone("10.1.2.3".parse().unwrap())
            .name(),
        "trusted"
    );
    assert_eq!(config.listeners.len(), 2);
    assert_eq!(
        config.listeners[0].tls.as_ref().unwrap().certificates.len(),
        2
    );
    assert!(config.listeners[1].tls.is_none());
    assert_eq!(config.identity.issuers.len(), 2);
    assert!(matches!(
        config.identity.issuers[1].keys,
        KeySource::Secret(_)
    ));
    assert_eq!(config.rate_limits.untrusted.unwrap().burst(), 60);
    assert_eq!(config.bans.limit_exceeded.unwrap().mode(), Mode::Shadow);
    assert!(matches!(config.log.access, LogTo::File(_)));

    let access = &config.access;
    let host = Host::parse("api.example").unwrap();
    let route = |method: &str, path: &str| {
        let path = NormalPath::parse(path).unwrap();
        let route = access.table().find(Some(&host), method, &path).unwrap();
        (
            access.upstreams()[route.target.upstream.index()]
                .name
                .as_str(),
            route.require.clone(),
        )
    };
    assert_eq!(
        route("GET", "/api/v1/x"),
        ("app", Requirement::Role("reader".parse().unwrap()))
    );
    assert_eq!(route("GET", "/account"), ("app", Requirement::Token));
    assert_eq!(route("PUT", "/other"), ("site", Requirement::None));
    assert!(access.roles().exists(&"admin".parse().unwrap()));
}

#[test]
fn json_is_a_configuration_too() {
    let json = r#"{
        "listeners": [{"bind": ":80", "plaintext": true}],
        "routes": [{"require": "none", "upstream": "app"}],
        "upstreams": {"app": {"targets": ["http://127.0.0.1:9000"]}},
        "limits": {"connections": 5, "connections_per_client": 5, "header_size": 8192},
        "waf": {"mode": "off", "rules": null}
    }"#;
    let (config, _) = good(json);
    assert_eq!(config.limits.connections.get(), 5);
    assert_eq!(config.waf.mode, WafMode::Off);
}

#[test]
fn packet_limits_take_the_mode_of_all_unless_they_have_their_own() {
    let text = format!(
        "{LEAST}packet_limits:\n  mode: shadow\n  penalty: 30s\n  bytes: {{ untrusted: 1000000/s }}\n  \
         connections: {{ untrusted: 10/s, mode: enforce }}\n  sites: {{ prefix_48: 50/s }}\n  \
         destinations: {{ limit: 9/s }}\n  ports:\n    - {{ ports: 8000-8999, protocol: tcp, limit: 5/s }}\n"
    );
    let limits = good(&text).0.packet_limits;
    let words = |limit: Watched| (limit.limit.to_string(), limit.mode);
    assert_eq!(limits.penalty.unwrap().to_string(), "30s");
    assert_eq!(limits.bytes.untrusted.to_string(), "1000000/s");
    assert_eq!(limits.bytes.trusted, Limit::Unlimited);
    assert_eq!(
        (limits.bytes.mode, limits.connections.mode),
        (Mode::Shadow, Mode::Enforce)
    );
    let sites = limits.sites.map(words);
    assert_eq!(sites[0].0, "unlimited");
    assert_eq!(sites[1], ("50/s".to_owned(), Mode::Shadow));
    assert_eq!(words(limits.destinations), ("9/s".to_owned(), Mode::Shadow));
    assert_eq!(limits.ports[0].ports.ends(), (8000, 8999));
    assert_eq!(
        words(limits.ports[0].limit),
        ("5/s".to_owned(), Mode::Shadow)
    );
}

#[test]
fn syn_cookies_are_for_the_ports_that_are_named() {
    let cookies = |text: &str| good(&format!("{LEAST}{text}")).0.syn_cookies;
    let named = cookies("syn_cookies: { threshold: 50/s, ports: [8000-8002, 443], mode: off }\n");
    assert_eq!(named.threshold.to_string(), "50/s");
    assert!(named.ports.into_iter().eq([443, 8000, 8001, 8002]));
    assert_eq!(named.mode, CookieMode::Off);
    let default = cookies("");
    assert_eq!(default.threshold.to_string(), "1000/s");
    assert!(default.ports.is_empty());
    assert_eq!(default.mode, CookieMode::Enforce);
}

#[test]
fn what_is_left_out_has_its_default() {
    let (config, warnings) = good(LEAST);
    assert_eq!(
        warnings,
        ["g.yaml:1:1: there are no `listeners`: only the packet filter runs"]
    );
    assert_eq!(config.interfaces[0].mode, XdpMode::Auto);
    assert_eq!(
        config.packet_limits.packets.trusted,
        "200000/s".parse::<Limit>().unwrap()
    );
    assert_eq!(
        config.packet_limits.packets.untrusted,
        "5000/s".parse::<Limit>().unwrap()
    );
    assert_eq!(config.packet_limits.burst.to_string(), "2s");
    assert_eq!(config.packet_limits.packets.mode, Mode::Enforce);
    assert_eq!(
        config.rate_limits.trusted.unwrap().to_string(),
        "6000/minute, 6000 at once"
    );
    assert_eq!(
        config.rate_limits.untrusted.unwrap().to_string(),
        "600/minute, 600 at once"
    );
    assert_eq!(config.admin.bind.to_string(), "127.0.0.1:9180");
    assert_eq!(config.limits.header_size.to_string(), "64KiB");
    assert_eq!(config.limits.header_timeout.to_string(), "10s");
    assert_eq!(config.limits.body_timeout.to_string(), "30s");
    assert_eq!(config.limits.idle_timeout.to_string(), "1m");
    assert_eq!(config.limits.connections.get(), 10_000);
    assert_eq!(config.limits.connections_per_client.get(), 256);
    assert_eq!(config.limits.concurrent_streams.get(), 128);
    assert!(config.waf.default_rules && config.waf.rules.is_empty());
    assert_eq!(config.waf.mode, WafMode::Block);
    assert_eq!(config.waf.body_limit.as_u64(), 1_000_000);
    assert_eq!(config.waf.fail, crate::config::FailMode::Closed);
    assert_eq!(config.log.level, LogLevel::Info);
    assert_eq!(config.log.access, LogTo::Stderr);
    assert_eq!(config.paths.pins, Path::new("/sys/fs/bpf/gateway"));
    assert_eq!(config.paths.store, Path::new("/var/lib/gateway/gateway.db"));
    assert_eq!(config.paths.socket, Path::new("/run/gateway/gateway.sock"));
    let bans = [
        config.bans.failed_auth,
        config.bans.waf_block,
        config.bans.limit_exceeded,
    ];
    let shown = bans.map(|rule| {
        let rule = rule.unwrap();
        format!(
            "{} {} {} {}",
            rule.limit(),
            rule.duration(1),
            rule.duration(2),
            rule.mode()
        )
    });
    assert_eq!(
        shown,
        [
            "10/minute 10m 20m enforce",
            "5/minute 10m 20m enforce",
            "120/minute 5m 10m enforce"
        ]
    );
    assert_eq!(
        bans.map(|rule| rule.unwrap().duration(100).to_string()),
        ["1d", "1d", "1d"]
    );
}

#[test]
fn rules_change_key_by_key_or_are_off() {
    let (config, _) = good(&format!(
        "{LEAST}bans: {{ failed_auth: off, waf_block: {{ ban: 48h, mode: shadow }} }}\n\
         rate_limits: {{ trusted: unlimited, untrusted: 10/minute }}\n\
         packet_limits: {{ trusted: unlimited }}\n"
    ));
    assert_eq!(config.bans.failed_auth, None);
    let rule = config.bans.waf_block.unwrap();
    assert_eq!(
        (rule.limit().to_string(), rule.mode()),
        ("5/minute".into(), Mode::Shadow)
    );
    assert_eq!(
        rule.duration(2).to_string(),
        "2d",
        "the longest ban is at least the first"
    );
    assert!(config.bans.limit_exceeded.is_some());
    assert_eq!(config.rate_limits.trusted, None);
    assert_eq!(config.rate_limits.untrusted.unwrap().burst(), 10);
    assert_eq!(config.packet_limits.packets.trusted, Limit::Unlimited);
}

#[test]
fn trusted_networks_may_have_packet_limits_of_their_own() {
    let text = format!(
        "{LEAST}trusted_networks: {{ lan: [10.0.0.0/8], partners: [192.0.2.0/24] }}\n\
         packet_limits: {{ trusted: 9/s, bytes: {{ trusted: 8/s }}, networks: \
         {{ partners: {{ packets: 7/s, mode: shadow }} }} }}\n"
    );
    let limits = good(&text).0.packet_limits;
    let [partners] = &limits.networks[..] else {
        panic!("{:?}", limits.networks);
    };
    let words = [partners.packets, partners.bytes, partners.connections].map(|l| l.to_string());
    assert_eq!(words, ["7/s", "8/s", "unlimited"]);
    assert_eq!(
        (partners.name.as_str(), partners.mode),
        ("partners", Mode::Shadow)
    );
}

#[test]
fn attack_mode_gives_strangers_a_tenth_unless_it_says_otherwise() {
    let attack = |text: &str| good(&format!("{LEAST}{text}")).0.attack_mode;
    let plain = attack("");
    assert_eq!(plain.trigger, AttackTrigger::Auto);
    assert_eq!(plain.unknown.limit.to_string(), "500/s");
    assert_eq!(plain.dropped.to_string(), "50000/s");
    assert_eq!(plain.connections.to_string(), "20000/s");
    assert_eq!(
        (plain.hold.to_string(), plain.known_for.to_string()),
        ("1m".into(), "1d".into())
    );
    let shadow = attack("packet_limits: { untrusted: 70/s, mode: shadow }\n");
    assert_eq!(shadow.unknown.limit.to_string(), "7/s");
    assert_eq!(shadow.unknown.mode, Mode::Shadow);
    let own = attack(
        "attack_mode: { trigger: on, dropped: unlimited, unknown: 9/s, mode: shadow, hold: 5s, \
         known_for: 2h }\n",
    );
    assert_eq!(own.trigger, AttackTrigger::On);
    assert_eq!(own.dropped, Limit::Unlimited);
    assert_eq!(own.unknown.limit.to_string(), "9/s");
    assert_eq!(own.unknown.mode, Mode::Shadow);
    assert_eq!(
        attack("attack_mode: { trigger: off }\n").trigger,
        AttackTrigger::Off
    );
}

#[test]
fn tls_versions_may_do_without_quotes() {
    let listener = |version: &str| {
        let (config, _) = good(&format!(
            "listeners: [{{ bind: ':443', tls: {{ certificates: {{ cert: c, key: k }}, \
             min_version: {version} }} }}]\n"
        ));
        config.listeners[0].tls.as_ref().unwrap().min_version
    };
    assert_eq!(listener("1.3"), TlsVersion::Tls13);
    assert_eq!(listener("'1.2'"), TlsVersion::Tls12);
}

#[test]
fn what_is_legal_and_odd_is_a_warning() {
    let (_, warnings) = good(
        "listeners: [{ bind: ':80', plaintext: true }]\n\
         trusted_networks: { all: [0.0.0.0/0] }\n\
         management: ['::/0']\n\
         packet_limits: { trusted: 10/s }\n\
         rate_limits: { untrusted: unlimited }\n\
         admin: { bind: ':9180' }\n\
         waf: { mode: detect, default_rules: false }\n\
         limits: { connections: 10, connections_per_client: 20 }\n\
         upstreams: { app: { targets: http://x } }\n\
         roles: { r: { allow: '* /**' } }\n\
         routes: [{ require: { role: r }, upstream: app }]\n",
    );
    assert_eq!(
        warnings,
        [
            "g.yaml:1:1: there are no `interfaces`: no packet filter, the kernel drops nothing",
            "g.yaml:2:27: 0.0.0.0/0 puts every IPv4 address into the trusted network all: none \
             of them can be banned",
            "g.yaml:3:14: ::/0 puts every IPv6 address into the management addresses: none of \
             them can be banned",
            "g.yaml:4:27: the limit for trusted networks, 10/s, is below the one for all others, \
             5000/s",
            "g.yaml:5:27: the limit for trusted networks, 6000/minute, is below the one for all \
             others, unlimited",
            "g.yaml:6:16: [::]:9180 can be reached from other hosts, and asks for no login",
            "g.yaml:7:14: the firewall has no rules: nothing is ever found",
            "g.yaml:8:52: one client may have 20 connections, all of them together 10",
            "g.yaml:11:21: this needs a token, and `identity` accepts nobody's",
        ]
    );
    let (_, warnings) = good("listeners: [{ bind: ':80', plaintext: true }]\n");
    assert!(
        warnings[1].ends_with("every request is answered with 404"),
        "{warnings:?}"
    );
}

#[test]
fn a_reload_learns_which_sections_changed() {
    let (old, _) = good(EXAMPLE);
    assert_eq!(old.changes(&old.clone()), [""; 0]);
    for (from, to, section) in [
        ("name: eth0", "name: eth1", "interfaces"),
        ("203.0.113.0/24", "203.0.113.0/25", "networks"),
        ("interval: 6h", "interval: 7h", "feeds"),
        ("deny: [KP]", "deny: [KR]", "feeds"),
        ("5000/s", "5001/s", "packet_limits"),
        ("threshold: 1000/s", "threshold: 2000/s", "syn_cookies"),
        ("60/minute", "61/minute", "rate_limits"),
        ("www.example.key", "www2.example.key", "listeners"),
        ("idle_timeout: 60s", "idle_timeout: 61s", "limits"),
        ("leeway: 30s", "leeway: 31s", "identity"),
        ("GET /api/**", "GET /ap/**", "access"),
        ("127.0.0.1:9001", "127.0.0.1:9003", "access"),
        ("require: token", "require: none", "access"),
        ("body_limit: 1MB", "body_limit: 2MB", "waf"),
        ("base64, url", "base64", "waf"),
        ("ban: 5m", "ban: 6m", "bans"),
        ("127.0.0.1:9180", "127.0.0.1:9181", "admin"),
        ("level: info", "level: debug", "log"),
        ("gateway.db", "other.db", "paths"),
    ] {
        assert!(EXAMPLE.contains(from), "{from}");
        // The files stand in different folders; only names from the root compare as equal.
        let rooted = |text: &str| {
            ["certs/", "keys/", "schemas/"]
                .iter()
                .fold(text.to_owned(), |text, folder| {
                    text.replace(folder, &format!("/{folder}"))
                })
        };
        let (old, _) = good(&rooted(EXAMPLE));
        let (new, _) = good(&rooted(&EXAMPLE.replace(from, to)));
        assert_eq!(old.changes(&new), [section], "{from} -> {to}");
    }
    let moved = EXAMPLE.replace("interfaces:\n", "\n\n\ninterfaces:\n");
    let rooted = |text: &str| {
        ["certs/", "keys/", "schemas/"]
            .iter()
            .fold(text.to_owned(), |text, folder| {
                text.replace(folder, &format!("/{folder}"))
            })
    };
    assert_eq!(
        good(&rooted(EXAMPLE)).0,
        good(&rooted(&moved)).0,
        "places do not count"
    );
}

#[test]
fn feeds_and_countries() {
    use crate::config::{FeedList, FeedSource};
    let (config, warnings) = good(&format!(
        "{LEAST}feeds:\n  drop: {{ url: https://lists.example/drop.txt }}\n  own: {{ file: own.csv, \
         format: csv, column: 2, list: allow, interval: 5s }}\n  plain: {{ url: \
         http://lists.example/a, plaintext: true, mode: shadow }}\ncountries: {{ database: \
         c.mmdb, deny: [kp, DE] }}\n"
    ));
    let only_filter = "g.yaml:1:1: there are no `listeners`: only the packet filter runs";
    assert_eq!(warnings, [only_filter]);
    let names: Vec<&str> = config.feeds.iter().map(|feed| feed.name.as_str()).collect();
    assert_eq!(names, ["drop", "own", "plain", "country:KP", "country:DE"]);
    let FeedSource::Url { form, timeout, .. } = &config.feeds[0].source else {
        panic!("{:?}", config.feeds[0]);
    };
    assert_eq!((form.bad_lines, timeout.to_string().as_str()), (0, "30s"));
    assert_eq!(config.feeds[1].list, FeedList::Allow);
    assert_eq!(config.feeds[0].interval.to_string(), "1h");
    assert_eq!(config.feeds[0].max_entries, 500_000);

    let (config, warnings) = good(&format!(
        "{LEAST}countries: {{ database: c.mmdb, deny: KP, limited: [zz, YY], limit: 100/s, mode: \
         shadow }}\n"
    ));
    assert_eq!(warnings, [only_filter]);
    let limits: Vec<Option<String>> = config
        .feeds
        .iter()
        .map(|feed| feed.limits().map(|code| code.to_string()))
        .collect();
    assert_eq!(limits, [None, Some("ZZ".to_owned()), Some("YY".to_owned())]);
    let limit = config.country_limit.unwrap();
    assert_eq!(limit.limit.to_string(), "100/s");
    assert_eq!(limit.mode, gateway_policy::bans::Mode::Shadow);

    let (_, warnings) = good(
        "listeners: { bind: ':80', plaintext: true }\nroutes: { require: none, upstream: a }\n\
         upstreams: { a: { targets: http://127.0.0.1:1 } }\nfeeds: { own: { file: own.txt } }\n",
    );
    let unread = |warning: &String| warning.contains("feeds are not read without `interfaces`");
    assert!(warnings.iter().any(unread), "{warnings:?}");
}
