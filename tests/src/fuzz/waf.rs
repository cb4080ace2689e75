//! The WAF: rule files, bodies, transformations, whole requests.

use std::{fmt::Write, sync::LazyLock};

use gateway_waf::{
    DEFAULT_RULES, Embedded, SourceError, Sources, Transaction, TxContext, UnixMillis, Waf,
};

/// What the bodies are said to be.
const TYPES: [&str; 6] = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json",
    "text/xml",
    "text/plain",
    "multipart/form-data; boundary=\"a b\"",
];

static RULES: LazyLock<Waf> = LazyLock::new(default_rules);

static UNFILTERED: LazyLock<Waf> = LazyLock::new(|| {
    let mut waf = default_rules();
    waf.set_prefilter(false);
    waf
});

/// Every transformation, on a parameter and on the body.
static TRANSFORMING: LazyLock<Waf> = LazyLock::new(|| {
    let names = "base64Decode base64DecodeExt base64Encode cmdLine compressWhitespace cssDecode \
                 escapeSeqDecode hexDecode hexEncode htmlEntityDecode jsDecode length lowercase \
                 md5 normalizePath normalizePathWin removeComments removeCommentsChar removeNulls \
                 removeWhitespace replaceComments replaceNulls sha1 sqlHexDecode trim trimLeft \
                 trimRight uppercase urlDecode urlDecodeUni urlEncode utf8toUnicode";
    let mut rules = String::new();
    for (id, name) in (1..).zip(names.split_whitespace()) {
        let _written = writeln!(
            rules,
            "SecRule ARGS|ARGS_NAMES|REQUEST_BODY \"@rx .\" \"id:{id},phase:2,pass,t:{name}\""
        );
    }
    Waf::load(&["t.conf"], &Text(rules.into_bytes())).expect("rules with transformations")
});

/// A rule file; what can be loaded is run as well.
pub(super) fn rules(data: &[u8]) {
    match Waf::load(&["t.conf"], &Text(data.to_vec())) {
        Ok(waf) => {
            let request = Request {
                target: b"/a?b=1%27--",
                headers: vec![(b"Host", b"shop.example")],
                content_type: Some(TYPES[0]),
                body: b"c=2&d=%3cscript",
            };
            let _ids = request.ids(&waf);
        }
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
}

/// A body, behind a byte that says of which type it is.
pub(super) fn bodies(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    let request = Request {
        target: b"/",
        headers: vec![(b"Host", b"shop.example")],
        content_type: Some(TYPES[usize::from(*kind) % TYPES.len()]),
        body,
    };
    let _ids = request.ids(&RULES);
}

/// A value, as it is in a body and percent-encoded in a parameter.
pub(super) fn transformations(data: &[u8]) {
    let mut target = String::from("/?a=");
    for byte in data {
        let _written = write!(target, "%{byte:02x}");
    }
    let request = Request {
        target: target.as_bytes(),
        headers: Vec::new(),
        content_type: Some(TYPES[4]),
        body: data,
    };
    let _ids = request.ids(&TRANSFORMING);
}

/// A request: its target, a line for each field, an empty line, a body. The prefilter must not
/// change which rules match.
pub(super) fn requests(data: &[u8]) {
    let (head, body) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let target = lines.next().unwrap_or_default();
    let fields = lines.map(|line| match line.iter().position(|byte| *byte == b':') {
        Some(colon) => (&line[..colon], line[colon + 1..].trim_ascii()),
        None => (line, &[][..]),
    });
    let request = Request {
        target,
        headers: fields.collect(),
        content_type: None,
        body,
    };
    assert_eq!(
        request.ids(&RULES),
        request.ids(&UNFILTERED),
        "with the prefilter, and without"
    );
}

/// A request in its parts.
struct Request<'r> {
    target: &'r [u8],
    headers: Vec<(&'r [u8], &'r [u8])>,
    content_type: Option<&'r str>,
    body: &'r [u8],
}

impl Request<'_> {
    /// The ids of the rules that match, in order.
    fn ids(&self, waf: &Waf) -> Vec<u64> {
        let mut transaction = waf.transaction(&TxContext {
            now: UnixMillis(1_700_000_000_000),
            request_id: "1",
            client: [192, 0, 2, 7].into(),
            client_port: 40_000,
            server: [192, 0, 2, 1].into(),
            server_port: 443,
        });
        self.run(&mut transaction);
        transaction.matches().iter().map(|m| m.rule_id).collect()
    }

    fn run(&self, transaction: &mut Transaction<'_>) {
        let method: &[u8] = if self.body.is_empty() {
            b"GET"
        } else {
            b"POST"
        };
        transaction.request_line(method, self.target, b"HTTP/1.1");
        for (name, value) in &self.headers {
            transaction.request_header(name, value);
        }
        if let Some(content_type) = self.content_type {
            transaction.request_header(b"Content-Type", content_type.as_bytes());
        }
        if transaction.phase1().is_pass() {
            transaction.append_body(self.body);
            let _decision = transaction.phase2();
        }
    }
}

fn default_rules() -> Waf {
    let names: Vec<_> = DEFAULT_RULES.iter().map(|(name, _)| *name).collect();
    Waf::load(&names, &Embedded).expect("the default rules")
}

/// One file, whatever its name.
struct Text(Vec<u8>);

impl Sources for Text {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        // A file that includes itself would be read for ever.
        if path == "t.conf" {
            Ok(self.0.clone())
        } else {
            Err(SourceError::NotFound)
        }
    }

    fn glob(&self, _: &str) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }
}
