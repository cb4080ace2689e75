//! Rules from strings, requests from a few words.

use std::collections::BTreeMap;

use gateway_waf::{Decision, SourceError, Sources, Transaction, TxContext, UnixMillis, Waf};

/// Files held in memory.
#[derive(Default)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(
            files
                .iter()
                .map(|(n, t)| ((*n).to_owned(), t.as_bytes().to_vec()))
                .collect(),
        )
    }
}

impl Sources for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        self.0.get(path).cloned().ok_or(SourceError::NotFound)
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        let (head, tail) = pattern.split_once('*').unwrap_or((pattern, ""));
        let matches = |p: &&String| p.starts_with(head) && p.ends_with(tail);
        Ok(self.0.keys().filter(matches).cloned().collect())
    }
}

/// Loads one file named `t.conf`.
pub(crate) fn load(text: &str) -> Waf {
    match Waf::load(&["t.conf"], &Files::of(&[("t.conf", text)])) {
        Ok(waf) => waf,
        Err(errors) => panic!("{errors}"),
    }
}

/// A request in the making.
#[derive(Clone, Default)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: &'a [u8],
}

impl<'a> Request<'a> {
    pub(crate) fn get(uri: &'a str) -> Self {
        let headers = vec![
            ("Host", "shop.example"),
            ("User-Agent", "Mozilla/5.0 (X11)"),
        ];
        Self {
            method: "GET",
            uri,
            headers,
            body: b"",
        }
    }

    pub(crate) fn post(uri: &'a str, content_type: &'a str, body: &'a [u8]) -> Self {
        let mut request = Self::get(uri).header("Content-Type", content_type);
        request.method = "POST";
        request.body = body;
        request
    }

    pub(crate) fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Runs phases 1 and 2; the transaction comes back for its matches.
    pub(crate) fn run<'w>(&self, waf: &'w Waf) -> (Decision, Transaction<'w>) {
        self.run_on(waf, None)
    }

    /// The same, on a route.
    pub(crate) fn run_on<'w>(
        &self,
        waf: &'w Waf,
        route: Option<&str>,
    ) -> (Decision, Transaction<'w>) {
        let mut transaction = waf.transaction(&TxContext {
            now: UnixMillis(1_700_000_000_000),
            request_id: "req-1",
            client: [192, 0, 2, 7].into(),
            client_port: 40_000,
            server: [192, 0, 2, 1].into(),
            server_port: 443,
        });
        if let Some(route) = route {
            transaction.set_route(route);
        }
        transaction.request_line(self.method.as_bytes(), self.uri.as_bytes(), b"HTTP/1.1");
        for (name, value) in &self.headers {
            transaction.request_header(name.as_bytes(), value.as_bytes());
        }
        let mut decision = transaction.phase1();
        if decision.is_pass() {
            transaction.append_body(self.body);
            decision = transaction.phase2();
        }
        (decision, transaction)
    }

    /// The ids of the rules that matched, in order.
    pub(crate) fn ids(&self, waf: &Waf) -> Vec<u64> {
        let (_, transaction) = self.run(waf);
        transaction.matches().iter().map(|m| m.rule_id).collect()
    }
}
