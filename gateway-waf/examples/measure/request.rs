//! A request on its way through all phases.

use std::hint::black_box;

use gateway_waf::{Transaction, TxContext, UnixMillis, Waf};

/// What a client sends beside the usual header fields.
pub(crate) struct Request {
    /// The target of a GET, or where the body goes.
    pub(crate) target: &'static str,
    /// A GET where there is none.
    pub(crate) body: Option<Body>,
    /// Whether it is recorded as the gateway does for `waf explain` and `replay`.
    pub(crate) recorded: bool,
}

pub(crate) struct Body {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// What the rules made of a request.
pub(crate) struct Outcome {
    pub(crate) blocked: bool,
    /// How many rules matched.
    pub(crate) matches: usize,
}

const HEADERS: [(&str, &str); 6] = [
    ("Host", "shop.example"),
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    ),
    (
        "Accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("Accept-Language", "en-GB,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Connection", "keep-alive"),
];

/// The longest body that is kept with a record.
const KEPT_BODY: usize = 16 * 1024;

/// Takes a request through all five phases; one that passes is answered with an empty 200.
pub(crate) fn inspect(waf: &Waf, request: &Request) -> Outcome {
    let mut transaction = waf.transaction(&TxContext {
        now: UnixMillis(1_700_000_000_000),
        request_id: "01890000-0000-7000-8000-000000000000",
        client: [192, 0, 2, 7].into(),
        client_port: 40_000,
        server: [192, 0, 2, 1].into(),
        server_port: 443,
    });
    let passed = permits(&mut transaction, request);
    if passed {
        transaction.response_status(200, b"HTTP/1.1");
        transaction.response_header(b"Content-Type", b"text/html");
        transaction.response_header(b"Content-Length", b"0");
        black_box(transaction.phase3());
        black_box(transaction.phase4());
    }
    transaction.phase5();
    if request.recorded {
        // The gateway's defaults; the names of its own secrets are among the engine's.
        let copy = transaction.copy(KEPT_BODY, &|_| false);
        black_box((copy, transaction.explain(&|_| false)));
        black_box(transaction.matches().to_vec());
    }
    Outcome {
        blocked: !passed,
        matches: transaction.matches().len(),
    }
}

fn permits(transaction: &mut Transaction<'_>, request: &Request) -> bool {
    let method: &[u8] = match request.body {
        None => b"GET",
        Some(_) => b"POST",
    };
    transaction.request_line(method, request.target.as_bytes(), b"HTTP/1.1");
    for (name, value) in HEADERS {
        transaction.request_header(name.as_bytes(), value.as_bytes());
    }
    if let Some(body) = &request.body {
        let length = body.bytes.len().to_string();
        transaction.request_header(b"Content-Type", body.content_type.as_bytes());
        transaction.request_header(b"Content-Length", length.as_bytes());
    }
    if !transaction.phase1().is_pass() {
        return false;
    }
    if let Some(body) = &request.body {
        transaction.append_body(&body.bytes);
    }
    transaction.phase2().is_pass()
}
