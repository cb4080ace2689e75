//! The inputs that fuzzing begins with: something of everything that a target reads.

use std::collections::BTreeMap;

use crate::{random::Mixer, table};

/// The inputs of a target, by the names of their files.
#[must_use]
pub fn of(target: &str) -> BTreeMap<String, Vec<u8>> {
    let seeds: Vec<Vec<u8>> = match target {
        "frames" => return frames(),
        "lists" => noise(6, 18 * 24),
        "limiter" => noise(6, 200),
        "capture" => captures(),
        "config" => [
            CONFIGS,
            &[include_str!("../../../docs/gateway.example.yaml")],
        ]
        .concat()
        .into_iter()
        .map(Into::into)
        .collect(),
        "grammar" => texts(GRAMMAR),
        "paths" => texts(PATHS),
        "import" => texts(IMPORTS),
        "head" => texts(HEADS),
        "token" => texts(TOKENS),
        "rules" => texts(RULES),
        "bodies" => texts(BODIES),
        "transformations" => texts(VALUES),
        "requests" => texts(REQUESTS),
        other => panic!("no seeds for {other}"),
    };
    let numbered = seeds.into_iter().enumerate();
    numbered
        .map(|(number, seed)| (format!("seed-{number:02}"), seed))
        .collect()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn noise(inputs: u64, bytes: usize) -> Vec<Vec<u8>> {
    (0..inputs)
        .map(|seed| {
            let mut mixer = Mixer::new(seed);
            std::iter::repeat_with(|| mixer.draw().to_le_bytes())
                .flatten()
                .take(bytes)
                .collect()
        })
        .collect()
}

/// The frames of every table, each behind its length.
fn frames() -> BTreeMap<String, Vec<u8>> {
    /// What a seed may have in all: the longest frames are left to the tables.
    const MOST: usize = 4096;

    let mut seeds = BTreeMap::new();
    for table in table::all() {
        let mut seed = Vec::new();
        for row in table.rows {
            let Ok(length) = u16::try_from(row.frame.len()) else {
                continue;
            };
            if seed.len() + row.frame.len() < MOST {
                seed.extend(length.to_be_bytes());
                seed.extend(row.frame);
            }
        }
        seeds.insert(format!("table-{}", table.name.replace(' ', "-")), seed);
    }
    seeds
}

/// A pcap of each byte order, and a pcapng.
fn captures() -> Vec<Vec<u8>> {
    let frame = table::all().swap_remove(0).rows.swap_remove(0).frame;
    let length = u32::try_from(frame.len()).expect("a short frame");
    let classic = |number: fn(u32) -> [u8; 4], half: fn(u16) -> [u8; 2]| {
        let mut file = number(0xa1b2_c3d4).to_vec();
        file.extend([half(2), half(4)].concat());
        file.extend([0, 0, 262_144, 1].map(number).concat());
        for at in [0, 1] {
            file.extend([at, at, length, length].map(number).concat());
            file.extend(&frame);
        }
        file
    };
    let block = |kind: u32, body: Vec<u8>| {
        let mut body = body;
        body.resize(body.len().next_multiple_of(4), 0);
        let all = u32::try_from(body.len() + 12).expect("a short block");
        [
            &kind.to_le_bytes(),
            &all.to_le_bytes(),
            &*body,
            &all.to_le_bytes(),
        ]
        .concat()
    };
    let numbers = |numbers: &[u32]| -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    };
    let section = numbers(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]);
    let mut packet = numbers(&[0, 0, 1, length, length]);
    packet.extend(&frame);
    let ng = [
        block(0x0a0d_0d0a, section),
        block(1, numbers(&[1, 0])),
        block(6, packet),
    ];
    vec![
        classic(u32::to_le_bytes, u16::to_le_bytes),
        classic(u32::to_be_bytes, u16::to_be_bytes),
        ng.concat(),
    ]
}

const CONFIGS: &[&str] = &[
    "interfaces: [{ name: eth0 }]\n",
    "a: &a [x, x]\nb: *a\nlisteners: 3\nwaf: {}\n",
    r#"{"listeners": [{"bind": ":80", "plaintext": true}], "routes": [{"require": "none", "upstream": "app"}],
 "upstreams": {"app": {"targets": "http://127.0.0.1:9000"}}, "packet_limits": {"untrusted": "5000/s", "burst": "2s"}}"#,
];

const GRAMMAR: &[&str] = &[
    "10.0.0.0/8",
    "2001:db8::/32",
    "192.0.2.1",
    "::ffff:10.0.0.0/104",
    "0.0.0.0/0",
    "::/0",
    "1000/minute",
    "5000/s",
    "10/5m",
    "unlimited",
    "1h30m",
    "500ms",
    "7d",
    "64KiB",
    "1MB",
    "2x",
    "1.5x",
    "GET /api/**",
    "* /**",
    "GET,POST /a/*/b",
    "*.example.com",
    "/api/*/items",
    "reader",
    "18446744073709551615/s",
    "0.1s",
    "fe80::1%eth0",
];

const PATHS: &[&str] = &[
    "/",
    "/a/../b",
    "/a/./b//c",
    "/%2e%2e/%2F",
    "/a%20b?c",
    "/caf%C3%A9",
    "/%",
    "/a;b=c/d",
    "//",
    "/\\..",
];

const IMPORTS: &[&str] = &[
    "\x00203.0.113.0/24 # new\n198.51.100.7\n2001:db8::/32\n",
    "\x01198.51.100.1-198.51.100.9\n198.51.100.0/255.255.255.0\n; nothing\n",
    "\x02network,asn\n192.0.2.0/24,1\n\"198.51.100.0/24\",\"2\"\n",
    "\x03[{\"cidr\": \"192.0.2.0/24\"}, {\"cidr\": \"2001:db8::/48\"}]",
    "\x03[\"192.0.2.0/24\", \"192.0.2.1\"]",
    "\x04create bad hash:net family inet hashsize 1024 maxelem 65536 timeout 300\nadd bad 192.0.2.0/24 timeout 299\n",
    "\x05table inet filter {\n\tset bad {\n\t\ttype ipv4_addr\n\t\tflags interval,timeout\n\t\telements = { 192.0.2.0/24 timeout 1h expires 59m, 198.51.100.1-198.51.100.7 }\n\t}\n}\n",
    "\x05{\"nftables\": [{\"set\": {\"name\": \"bad\", \"elem\": [{\"prefix\": {\"addr\": \"192.0.2.0\", \"len\": 24}}, {\"range\": [\"198.51.100.1\", \"198.51.100.7\"]}]}}]}",
];

const HEADS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /a?b HTTP/1.1\r\nHOST: a\r\nContent-Length: 5\r\nX-b:\t1 \r\n\r\n",
    "GET / HTTP/1.0\n\n",
    "\r\n\r\nPUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET /a b HTTP/3.0\r\nno colon\r\n folded\r\n\tagain\r\n: nameless\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
];

/// The last one is the example of RFC 7515, appendix A.3.
const TOKENS: &[&str] = &[
    "Bearer a.b.c",
    "bearer  eyJhbGciOiJub25lIn0.e30.",
    "Basic YTpi",
    "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjIn0.eyJpc3MiOiJqb2UiLCJhdWQiOiJhcGkiLCJleHAiOjEzMDA4MTkzODB9.AAAA",
    "Bearer eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
];

const RULES: &[&str] = &[
    "SecRuleEngine On\nSecRequestBodyAccess On\nSecRule ARGS \"@rx (?i)union\\s+select\" \"id:1,phase:2,deny,status:403,t:urlDecodeUni,t:lowercase,msg:'a %{MATCHED_VAR}'\"\n",
    "SecRule REQUEST_HEADERS:Host|!REQUEST_HEADERS:/^x-/ \"!@streq a\" \"id:2,phase:1,pass,chain\"\n  SecRule &ARGS \"@gt 0\" \"setvar:tx.a=+1,setvar:'tx.b=%{tx.a}'\"\n",
    "SecAction \"id:3,phase:1,nolog,pass,initcol:ip=%{REMOTE_ADDR},setvar:ip.n=+1,expirevar:ip.n=60\"\nSecRule IP:n \"@ge 3\" \"id:4,phase:1,deny\"\nSecMarker END\n",
    "SecRule ARGS \"@pm a b c\" \"id:5,phase:2,block,capture,multiMatch,skipAfter:END,ctl:ruleRemoveById=1-4\"\nSecRuleRemoveById 5\nSecRuleUpdateTargetById 1 \"!ARGS:x\"\nInclude t.conf\n",
    "SecRule REMOTE_ADDR \"@ipMatch 192.0.2.0/24,2001:db8::/32\" \"id:6,phase:1,pass,log\"\nSecRule ARGS \"@detectSQLi\" \"id:7,phase:2,deny\"\nSecRule ARGS \"@validateByteRange 1-255\" \"id:8,phase:2,pass\"\n",
    "SecDefaultAction \"phase:2,log,auditlog,deny\"\nSecRule XML:/* \"@detectXSS\" \"id:9,phase:2\"\nSecRule FILES \"@rx \\.php$\" \"id:10,phase:2\"\n",
];

const BODIES: &[&str] = &[
    "\x00a=1&b=%27+or+1%3d1--&c[]=%u0027&=&a",
    "\x01--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.php\"\r\nContent-Type: text/plain\r\n\r\n<?php\r\n--x--\r\n",
    "\x02{\"a\": [1, -2.5e3, true, null, \"\\ud83d\\ude00 <script>\"], \"b\": {\"c\": \"' or 1=1--\"}}",
    "\x03<?xml version=\"1.0\"?><a b=\"c\"><![CDATA[x]]><!-- d --><e>&lt;script&gt;&#39;</e></a>",
    "\x03<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
    "\x04union select",
    "\x05--a b\nContent-Disposition: form-data; name=a\n\n1\n--a b--",
];

const VALUES: &[&str] = &[
    "%3cscript%3e",
    "%u003c&#x3c;&lt;",
    "PHNjcmlwdD4=",
    "\\x3c\\u003c\\74",
    "/a/../b/./c\\d",
    "c^a\"t /etc/passwd",
    "/* a */ b -- c",
    "3c736372697074",
    "a\x00b\tc  d",
    "\u{e9}\u{ff1c}",
    "\\3c \\00003c",
];

const REQUESTS: &[&str] = &[
    "/\nHost: shop.example\nUser-Agent: Mozilla/5.0 (X11)\nAccept: */*\n\n",
    "/?q=1%27%20UNION%20SELECT%20password%20FROM%20users--%20\nHost: shop.example\nUser-Agent: curl/8\n\n",
    "/a?x=%3cscript%3ealert(1)%3c/script%3e&y=../../etc/passwd\nHost: shop.example\nUser-Agent: sqlmap\n\n",
    "/login\nHost: shop.example\nContent-Type: application/x-www-form-urlencoded\n\nuser=a%27+or+%271%27=%271&password=;cat+/etc/passwd",
    "/api\nHost: shop.example\nContent-Type: application/json\n\n{\"a\": \"${jndi:ldap://x}\", \"b\": [\"<?php system('id')\"]}",
    "/up\nHost: 127.0.0.1\nContent-Type: multipart/form-data; boundary=x\nCookie: a=b; c=%0d%0aSet-Cookie:x\n\n--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.php\"\r\n\r\n<?php\r\n--x--\r\n",
];
