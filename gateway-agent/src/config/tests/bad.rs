use super::*;
#[test]
fn probe() {
    for text in [
        "",
        "listeners: 3\nwaf: {}\n",
        "packet_limit: { trusted: 5/s }\nlisteners: []\n",
        "interfaces: [{ nam: eth0 }, {name: lo, mode: atuo}, {name: a/b}, {name: lo}]\n",
        "interfaces: [{ name: eth0 }]\npacket_limits: { trusted: 10, untrusted: 5/fortnight, burst: 5ms, mode: warn }\nrate_limits: {burst: 0}\n",
        "listeners: [{ bind: ':443' }, {bind: '[::]:443', plaintext: true, tls: {}}, {bind: 443}, {tls: {certificates: []}, bind: '127.0.0.1:8'}]\n",
        "listeners:\n  - bind: :443\n    tls:\n      certificates:\n        - cert: a.pem\n      min_version: 1.1\n",
        "listeners: [{bind: ':80', plaintext: true}]\nidentity: { jwt: [{issuer: a, audience: [], algorithms: [HS256, RS256], jwks: https://x/jwks}, {issuer: b, audience: x, algorithms: rs256, secret_file: s}, {issuer: c, audience: x, algorithms: [RS256], secret_file: s},  {issuer: d, audience: x, algorithms: [HS256], secret_file: s, jwks: b}, {issuer: e, audience: x, algorithms: [none]}, {issuer: f, audience: x, algorithms: [ES256], jwks: j, leeway: 1h}, {issuer: g, audience: 5, algorithms: [ES256], jwks: j}]}\n",
        "listeners: [{bind: ':80', plaintext: true}]\nroles: { reader: {allow: [GET /api/**, get /x, /y]}, admin: { inherits: [raeder] }, a: {inherits: [b], allow: ['* /**']}, b: {inherits: [a]}, e: {}, f: }\n",
        "listeners: [{bind: ':80', plaintext: true}]\nroles: { reader: {allow: [GET /api/**]}}\nupstreams: {app: {targets: https://x}, b: {targets: []}, c: {targets: [http://x, http://x:80]}}\nroutes:\n - { require: none, upstream: ap }\n - { require: {role: raeder}, upstream: app }\n - { require: tokn, upstream: app }\n - { require: {rol: x}, upstream: app }\n - { upstream: app }\n - { require: role, upstream: app }\n - { require: {token: 1}, upstream: app }\n - { require: [], upstream: app }\n",
        "listeners: [{bind: ':80', plaintext: true}]\nupstreams: {app: {targets: http://x}}\nroutes:\n - { require: none, upstream: app }\n - { require: none, upstream: app }\n - { require: none, upstream: app, match: {path: /a/, host: 'a b', methods: get} }\n",
        "interfaces: [{ name: eth0 }]\ntrusted_networks: { internal: [10.0.0.0/8, 0.0.0.0/0, 10.0.0.1/8], b: 10.0.0.0/8, 'a b': [] }\nmanagement: [x]\nwaf: {mode: on, body_limit: 10m, fail: none, default_rules: yes}\nbans: {failed_auth: of, waf_block: {max: 1m}, limit_exceeded: {limit: 10/minute, ban: 0s}}\nlog: {level: verbose, access: ''}\nlimits: {header_size: 1KiB, connections: -1, idle_timeout: never}\npaths: {socket: 1}\n",
        "a: 1\na: 2\n",
        "interfaces: &x [{name: e}]\nlisteners: *y\n",
        "x: [1\n",
        "[]\n",
        "hello\n",
        "interfaces: [{name: eth0}]\n---\na: 1\n",
    ] {
        println!("-----\n{text}");
        for f in faults(text) {
            println!("  => {f}");
        }
    }
}
