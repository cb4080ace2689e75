//! Bad files, and exactly what is said about each.

use super::*;

/// Asserts what is said about a file: one line per fault, without the file's name.
fn check(text: &str, expected: &[&str]) {
    let said = faults(text);
    let said: Vec<&str> = said
        .iter()
        .map(|f| f.strip_prefix("g.yaml:").unwrap_or(f))
        .collect();
    assert_eq!(said, expected, "in\n{text}");
}

/// The same for a file that is fine but for `text`.
fn check_in(text: &str, expected: &[&str]) {
    let shifted: Vec<String> = expected
        .iter()
        .map(|fault| {
            let (line, rest) = fault.split_once(':').unwrap();
            format!("{}:{rest}", line.parse::<u32>().unwrap() + 1)
        })
        .collect();
    let shifted: Vec<&str> = shifted.iter().map(String::as_str).collect();
    check(&format!("{LEAST}{text}"), &shifted);
}

#[test]
fn text_that_is_no_yaml() {
    check("listeners: [1\n", &["1:12: unclosed bracket '['"]);
    check(
        "a: b: c\n",
        &["1:5: mapping values are not allowed in this context"],
    );
    check("a: \"x\n", &["1:4: unclosed quote"]);
    check(
        "a: *nope\n",
        &["1:4: the alias names an anchor that is not above it"],
    );
    check(
        "a: &x [*x]\n",
        &["1:8: the alias stands inside the value that it repeats"],
    );
    check(
        "a: 1\n---\nb: 1\n",
        &["3:1: a second document starts here, expected one document in a file"],
    );
    check("a: !secret x\n", &["1:12: unsupported tag `!secret`"]);
    check("~: 1\n", &["1:1: found no text for a key, expected a name"]);
}

#[test]
fn files_that_are_no_map_or_an_empty_one() {
    let keys = "interfaces, trusted_networks, trusted_proxies, management, feeds, countries, \
                packet_limits, attack_mode, syn_cookies, rate_limits, listeners, admin, identity, \
                roles, routes, response_headers, leaks, upstreams, waf, bans, \
                limits, log, paths";
    check(
        "hello\n",
        &[&format!(
            "1:1: found `hello`, expected a map: config file, with {keys}"
        )],
    );
    check(
        "[]\n",
        &[&format!(
            "1:1: found a list, expected a map: config file, with {keys}"
        )],
    );
    let nothing = "1:1: found neither `interfaces` nor `listeners`, expected one of them";
    check("", &[nothing]);
    check("{}\n", &[nothing]);
    check("interfaces: []\nlisteners:\n", &[nothing]);
}

#[test]
fn unknown_keys_get_the_nearest_name() {
    check(
        "packet_limit: { trusted: 5/s }\ninterfaces: [{ name: eth0, mod: auto }]\n",
        &[
            "1:1: found the unknown key `packet_limit` in config file; did you mean \
             `packet_limits`? (known: admin, attack_mode, bans, countries, feeds, identity, interfaces, \
             leaks, limits, listeners, log, management, packet_limits, paths, rate_limits, \
             response_headers, roles, routes, syn_cookies, trusted_networks, trusted_proxies, \
             upstreams, waf)",
            "2:28: found the unknown key `mod` in interface; did you mean `mode`? (known: mode, \
             name)",
        ],
    );
    check_in(
        "paths: { colour: red }\n",
        &["1:10: found the unknown key `colour` in paths; known: pins, socket, store"],
    );
}

#[test]
fn limits_of_networks_that_do_not_exist() {
    check_in(
        "packet_limits: { networks: { lan: { packets: 5/s } } }\n",
        &["1:30: found lan, expected the name of a trusted network"],
    );
}

#[test]
fn attack_mode_out_of_bounds() {
    check_in(
        "packet_limits: { untrusted: 100/s }\n\
         attack_mode: { trigger: maybe, unknown: 101/s, hold: 0s, known_for: 1s }\n",
        &[
            "2:25: found `maybe`, which is not known here; known: auto, off, on",
            "2:41: found 101/s, expected no more than packet_limits.untrusted, 100/s: under attack \
             nobody gets more",
            "2:54: found 0s, expected from 1s to 1h",
            "2:69: found 1s, expected from 1m to 90d",
        ],
    );
}

#[test]
fn syn_cookies_out_of_bounds() {
    check_in(
        "syn_cookies: { threshold: unlimited, ports: [443, 0], mode: on }\n",
        &[
            "1:27: `unlimited` is not a rate: the unit of time is missing; write for example 5000/s, \
             1000/minute, 3/hour or 10/5m",
            "1:51: found `0`, expected a port from 1 to 65535, or two of them with the lower one \
             first, such as 8000-8999",
            "1:61: found `on`, which is not known here; known: enforce, off, shadow",
        ],
    );
    check_in(
        "syn_cookies: { ports: [443, 1-65535] }\n",
        &["1:29: found more than 64 ports"],
    );
    check_in(
        "syn_cookies: { threshold: 59/minute }\n",
        &["1:27: found 59/minute, expected at least 1/s"],
    );
}

#[test]
fn packet_limits_out_of_bounds() {
    check_in(
        "packet_limits: { penalty: 2h, ports: { ports: 9-8, protocol: icmp, limit: unlimited } }\n",
        &[
            "1:27: found 2h, expected from 1s to 1h",
            "1:47: found `9-8`, expected a port from 1 to 65535, or two of them with the lower one \
             first, such as 8000-8999",
            "1:62: found `icmp`, which is not known here; known: tcp, udp",
        ],
    );
    let group = "{ ports: 53, protocol: udp, limit: 1/s }";
    let nine = format!("packet_limits: {{ ports: [{}] }}\n", [group; 9].join(", "));
    check_in(
        &nine,
        &["1:362: found more than 8 groups of ports with a limit"],
    );
}

#[test]
fn keys_that_are_there_twice() {
    check_in(
        "paths: { pins: /a, pins: /b }\nwaf: {}\nwaf: {}\n",
        &[
            "1:20: found the key `pins` again, the first is at g.yaml:2:10",
            "3:1: found the key `waf` again, the first is at g.yaml:3:1",
        ],
    );
}

#[test]
fn interfaces() {
    check(
        "interfaces:\n  - { nam: eth0 }\n  - { name: lo, mode: atuo }\n  - { name: a/b }\n  \
         - { name: lo }\n",
        &[
            "2:5: found no `name`, expected it in interface",
            "2:7: found the unknown key `nam` in interface; did you mean `name`? (known: mode, \
             name)",
            "3:23: found `atuo`, which is not known here; did you mean `auto`? (known: auto, \
             generic, native)",
            "4:13: found `a/b`, expected the name of an interface: 1 to 15 bytes without spaces, \
             slashes or colons",
            "5:13: found the interface lo again",
        ],
    );
    check(
        "interfaces: eth0\n",
        &["1:13: found `eth0`, expected a map: interface, with name, mode"],
    );
}

#[test]
fn networks() {
    check_in(
        "trusted_networks:\n  internal: [10.0.0.0/8, 10.0.0.1/8]\n  b: 10.0.0.0/8\n  'a b': []\n\
         management: [x]\ntrusted_proxies: 10.0.0.1\nroles: 3\n",
        &[
            "2:26: `10.0.0.1/8` has host bits set; write 10.0.0.0/8 or 10.0.0.1",
            "3:6: trusted network b lists 10.0.0.0/8, which belongs to internal already",
            "4:3: `a b` is not a name: 1 to 128 characters without spaces or control characters",
            "5:14: `x` is not an address or prefix; write for example 10.0.0.0/8, 192.0.2.1 or \
             2001:db8::/32",
            "7:8: found the number 3, expected a map of names",
        ],
    );
}

#[test]
fn limits_for_addresses() {
    check_in(
        "packet_limits: { trusted: 10, untrusted: 5/eon, burst: 5ms, mode: warn }\n\
         rate_limits: { trusted: 1.5/s, burst: 0 }\n",
        &[
            "1:27: found the number 10, expected a rate such as 1000/minute or 5000/s, or \
             unlimited",
            "1:42: `5/eon` is not a rate: there is no unit `eon` (units are s, minute, hour, day, \
             or a duration); write for example 5000/s, 1000/minute, 3/hour or 10/5m, or unlimited",
            "1:56: found 5ms, expected from 20ms to 1m",
            "1:67: `warn` is no mode; it is enforce or shadow",
            "2:25: `1.5/s` is not a rate: a whole number was expected before the slash; write for \
             example 5000/s, 1000/minute, 3/hour or 10/5m, or unlimited",
            "2:39: found the number 0, expected a whole number from 1 to 4294967295",
        ],
    );
}

#[test]
fn listeners() {
    check(
        "listeners:\n  - { bind: ':443' }\n  - { bind: '[::]:443', plaintext: true, tls: {} }\n  \
         - { bind: 443 }\n  - { bind: '127.0.0.1:8', tls: { certificates: [] } }\n  \
         - bind: 127.0.0.1:9\n    tls:\n      certificates:\n        - cert: a.pem\n      \
         min_version: 1.1\n  - { bind: ':1', tls: { certificates: { cert: '', key: k } } }\n",
        &[
            "2:5: found a listener without tls, expected `tls`, or `plaintext: true` if that is \
             meant",
            "3:13: found [::]:443, which the listener at [::]:443 takes already",
            "3:36: found `plaintext: true` beside tls, expected one of them",
            "3:47: found no `certificates`, expected it in tls",
            "4:13: found the number 443, expected an IP address and a port, such as [::]:443 or \
             :443",
            "5:33: found no certificate, expected at least one in `certificates`",
            "9:11: found no `key`, expected it in certificate",
            "10:20: found TLS 1.1, which is broken (RFC 8996), expected 1.2 or 1.3",
            "11:48: found ``, expected the name of a file",
        ],
    );
}

#[test]
fn http_limits() {
    check_in(
        "limits: { header_size: 1KiB, connections: -1, idle_timeout: never, body_timeout: 1ms }\n",
        &[
            "1:24: found 1KiB, expected from 8KiB to 1MiB",
            "1:43: found the number -1, expected a whole number from 1 to 4294967295",
            "1:61: `never` is not a duration: a whole number was expected; write for example \
             500ms, 30s, 10m, 1h30m or 7d",
            "1:82: found 1ms, expected from 100ms to 1d",
        ],
    );
}

#[test]
fn identity() {
    check_in(
        "identity:\n  jwt:\n    \
         - { issuer: a, audience: [], algorithms: [HS256, RS256], jwks: https://x/jwks }\n    \
         - { issuer: b, audience: x, algorithms: rs256, secret_file: s }\n    \
         - { issuer: c, audience: x, algorithms: [RS256], secret_file: s }\n    \
         - { issuer: d, audience: x, algorithms: [HS256], jwks: s }\n    \
         - { issuer: e, audience: x, algorithms: [HS256], secret_file: s, jwks: b }\n    \
         - { issuer: f, audience: x, algorithms: [none] }\n    \
         - { issuer: g, audience: x, algorithms: [ES256], jwks: j, leeway: 1h }\n    \
         - { issuer: h, audience: 5, algorithms: [ES256], jwks: j, roles_claim: a..b }\n    \
         - { issuer: g, audience: x, algorithms: [EdDSA], jwks: j }\n",
        &[
            "3:7: found no audience, expected at least one: else tokens made for other services \
             would be accepted",
            "3:54: found RS256 beside HS256, expected only algorithms with a secret or only ones \
             with public keys: else a public key could be used as a secret",
            "3:68: found a URL, expected a file: this version does not fetch key sets; download \
             the set and name its file",
            "4:45: found `rs256`, which is no signature algorithm; did you mean `RS256`? (known: \
             HS256, HS384, HS512, RS256, PS256, ES256, ES384, EdDSA)",
            "5:67: found a secret for RS256, expected `jwks`",
            "6:60: found public keys for HS256, expected `secret_file`",
            "7:67: found `secret_file` beside `jwks`, expected one of them",
            "8:7: found no key, expected `jwks` or `secret_file`",
            "8:46: found `none`, which is no signature algorithm (known: HS256, HS384, HS512, \
             RS256, PS256, ES256, ES384, EdDSA)",
            "9:71: found 1h, expected from 0s to 5m",
            "10:30: found the number 5, expected text; put it in quotes",
            "10:76: a claim has a name, or names with dots between, such as roles or \
             realm_access.roles",
            "11:17: found the issuer `g` again",
        ],
    );
}

#[test]
fn roles() {
    check_in(
        "roles:\n  reader: { allow: [GET /api/**, get /x, /y] }\n  admin: { inherits: [raeder] }\n  \
         a: { inherits: [b], allow: '* /**' }\n  b: { inherits: a }\n  e: {}\n  f:\n  \
         g: { allow: nothing }\n",
        &[
            "2:34: `get` is not a method; methods are written in capitals: `GET`",
            "2:42: `/y` is not a permission; write methods and a path, for example `GET /api/**` \
             or `* /**`",
            "3:23: found the role `raeder`, which is not in `roles`; did you mean `reader`?",
            "4:3: role a inherits from itself: a -> b -> a",
            "6:3: role e allows nothing; give it `allow` or `inherits`",
            "7:3: role f allows nothing; give it `allow` or `inherits`",
            "8:15: `nothing` is not a permission; write methods and a path, for example `GET \
             /api/**` or `* /**`",
        ],
    );
}

#[test]
fn routes_and_upstreams() {
    check_in(
        "roles: { reader: { allow: GET /** } }\nupstreams:\n  app: { targets: https://x }\n  \
         b: { targets: [] }\n  c: { targets: [http://x, http://x:80], timeout: 0s }\nroutes:\n  \
         - { require: none, upstream: ap }\n  - { require: { role: raeder }, upstream: app }\n  \
         - { require: tokn, upstream: app }\n  - { require: { rol: x }, upstream: app }\n  \
         - { upstream: app }\n  - { require: role, upstream: app }\n  \
         - { require: { token: 1 }, upstream: app }\n  - { require: [], upstream: zebra }\n",
        &[
            "3:19: found `https://x`, expected http://: this version does not speak TLS to \
             upstreams",
            "4:6: found no target, expected at least one in `targets`",
            "5:28: found the target http://x:80 again",
            "5:51: found 0s, expected from 10ms to 1d",
            "7:32: found the upstream `ap`, which is not in `upstreams`; did you mean `app`?",
            "8:24: found the role `raeder`, which is not in `roles`; did you mean `reader`?",
            "9:16: found `tokn`, which is not known here; did you mean `token`? (known: none, \
             role, token)",
            "10:18: found `rol`, which is not known here; did you mean `role`? (known: none, \
             role, token)",
            "11:5: found no `require`, expected it in route",
            "12:16: found `role`, expected `role: …`",
            "13:25: found the number 1, expected nothing behind `token`",
            "14:16: found a list, expected one of none, token, role",
            "14:30: found the upstream `zebra`, which is not in `upstreams`; there is app, b, c",
        ],
    );
    check_in(
        "routes: [{ require: { role: x }, upstream: y }]\n",
        &[
            "1:29: found the role `x`, but there are no `roles`",
            "1:44: found the upstream `y`, but there are no `upstreams`",
        ],
    );
}

#[test]
fn routes_that_no_request_can_take() {
    check_in(
        "upstreams: { app: { targets: http://x } }\nroutes:\n  \
         - { require: none, upstream: app, match: { path: /a } }\n  \
         - { require: token, upstream: app, match: { path: /a, methods: GET } }\n  \
         - { require: none, upstream: app, match: { path: /a, host: a.example } }\n",
        &["4:5: route GET /a is never taken: /a is for the same requests and comes first"],
    );
    check_in(
        "upstreams: { app: { targets: http://x } }\nroutes:\n  - require: none\n    \
         upstream: app\n    match: { path: /a/, host: a b, methods: [get, POST] }\n",
        &[
            "5:20: `/a/` is not a path pattern: a slash at the end changes nothing; leave it out, \
             or write /** for all below; write for example /api/** or /api/*/items",
            "5:31: `a b` is not a host pattern: the host is neither a name nor an address; write \
             for example api.example.org or *.example.org",
            "5:46: `get` is not a method; methods are written in capitals: `GET`",
        ],
    );
}

#[test]
fn firewall() {
    check_in(
        "waf: { mode: on, body_limit: 10m, fail: none, default_rules: yes, rules: [''], \
         decode: [url, gzip] }\n",
        &[
            "1:14: found `on`, which is not known here; known: block, detect, off",
            "1:30: `10m` is not a size: M may mean powers of ten or of two; write MB or MiB; \
             write for example 64KiB, 1MB or a number of bytes",
            "1:41: found `none`, which is not known here; known: closed, open",
            "1:62: found `yes`, expected true or false",
            "1:75: found ``, expected the name of a file",
            "1:94: found `gzip`, which is not known here; known: base64, json, jwt, url",
        ],
    );
}

#[test]
fn bans() {
    check_in(
        "bans:\n  failed_auth: of\n  waf_block: { max: 1m, escalate: 0.5x }\n  \
         limit_exceeded: { limit: 10/minute, ban: 0s }\n",
        &[
            "2:16: found `of`, expected a map, or `off`",
            "3:21: the longest ban (max: 1m) is shorter than the first one (ban: 10m)",
            "3:35: `0.5x` is not a factor: it must be from 1x to 1000x; write for example 2x or \
             1.5x",
            "4:44: found 0s, expected some time; for no bans of this kind write `off` for the \
             whole rule",
        ],
    );
    check_in(
        "bans: { failed_auth: { limit: 2000000/hour } }\n",
        &["1:31: a limit of 2000000/hour offences is more than the 1000000 that are counted"],
    );
}

#[test]
fn operation() {
    let long = "x".repeat(200);
    check_in(
        &format!(
            "log: {{ level: verbose, access: '' }}\npaths: {{ pins: 1, socket: /{long} }}\n\
             admin: {{ bind: localhost:80 }}\n"
        ),
        &[
            "1:15: found `verbose`, which is not known here; known: debug, error, info, trace, \
             warn",
            "1:32: found ``, expected the name of a file, stderr or off",
            "2:16: found the number 1, expected the name of a file",
            "2:27: found a path of 201 bytes, expected at most 107: longer ones fit into no \
             socket address",
            "3:16: found `localhost:80`, expected an IP address and a port, such as [::]:443, \
             192.0.2.1:443 or :443",
        ],
    );
}

#[test]
fn aliases_point_at_the_line_to_edit() {
    check(
        "listeners:\n  - &a { bind: ':80', plaintext: ja }\ninterfaces:\n  - *a\n",
        &[
            "2:8: found a listener without tls, expected `tls`, or `plaintext: true` if that is \
             meant",
            "2:8: found no `name`, expected it in interface",
            "2:10: found the unknown key `bind` in interface; known: mode, name",
            "2:23: found the unknown key `plaintext` in interface; known: mode, name",
            "2:34: found `ja`, expected true or false",
        ],
    );
}

#[test]
fn feeds_that_make_no_sense() {
    check_in(
        "feeds:\n  \"country:KP\": { file: a }\n  \"a b\": { file: a }\n  none: {}\n  both: { url: \
         https://lists.example/a, file: a }\n  plain: { url: http://lists.example/a }\n  often: { \
         url: https://lists.example/a, interval: 30s }\n  safe: { file: a, list: allow, mode: \
         shadow }\n  ca: { file: a, ca: b, timeout: 5s }\n  long: { file: a, interval: 90d }\n",
        &[
            "2:3: names that begin with `country:` are those of `countries`",
            "3:3: `a b` is not a name: 1 to 128 characters without spaces or control characters",
            "4:9: found neither `url` nor `file`, expected one of them",
            "5:9: found `url` and `file`, expected one of them",
            "6:17: found a feed without encryption, expected https://, or `plaintext: true` beside \
             it: whoever is on the way may write the list",
            "7:17: found a URL that is fetched every 30s, expected at most once in 1m: its server \
             would shut you out",
            "8:39: the safelist has no shadow mode; only deny entries do",
            "9:22: `ca` is for feeds with a `url`",
            "9:34: `timeout` is for feeds with a `url`",
            "10:30: found 90d, expected from 1s to 30d",
        ],
    );
    check_in(
        "countries: { database: a.mmdb, deny: [KP, kp, UKR] }\n",
        &[
            "1:43: found the country KP again",
            "1:47: found `UKR`, expected the two letters of a country, such as KP",
        ],
    );
    check_in(
        "countries: { database: a.mmdb, deny: [KP], limited: [KP, ZZ] }\n",
        &[
            "1:54: found `limited` without `limit`, expected a rate such as 100/s beside it",
            "1:54: found the country KP again",
        ],
    );
}
