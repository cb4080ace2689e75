//! A gateway with everything around it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use gateway_policy::access::{
    MethodPattern, Requirement, RoleSpec, Roles, Route, RouteMatch, RouteTable,
};
use gateway_policy::bans::Offence;
use gateway_policy::zones::Zones;
use gateway_waf::{SourceError, Sources, Waf};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::client::{Raw, Reply, ask_tls};
use super::origin::Origin;
use crate::clock;
use crate::http::*;
use crate::identity::testing::{Signer, key_set};
use crate::identity::{Algorithm, IssuerSettings, KeyFile, Verifier};

/// What observers were told.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) outcomes: Mutex<Vec<Outcome>>,
    pub(crate) offences: Mutex<Vec<Offence>>,
}

impl Observer for Seen {
    fn offence(&self, offence: &Offence) {
        self.offences.lock().unwrap().push(offence.clone());
    }

    fn outcome(&self, outcome: &Arc<Outcome>) {
        self.outcomes.lock().unwrap().push(Outcome::clone(outcome));
    }
}

impl Seen {
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.outcomes.lock().unwrap().clone()
    }

    pub(crate) fn offences(&self) -> Vec<Offence> {
        self.offences.lock().unwrap().clone()
    }

    /// The `n`-th outcome, once it is there.
    pub(crate) fn outcome(&self, n: usize) -> Outcome {
        super::until("the outcome", || self.outcomes().len() > n);
        self.outcomes()[n].clone()
    }
}

/// What a test may change before the gateway starts.
pub(crate) struct Setup {
    origin: SocketAddr,
    pub(crate) settings: Settings,
    pub(crate) limits: ConnectionLimits,
    pub(crate) banned: Arc<dyn Banned>,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
}

impl Setup {
    /// Where the upstream listens.
    pub(crate) fn origin(&self) -> SocketAddr {
        self.origin
    }

    /// Changes how long upstreams may take.
    pub(crate) fn upstream_times(&mut self, change: impl FnOnce(&mut UpstreamTimes)) {
        let mut times = times();
        change(&mut times);
        self.settings.routes = routes(self.origin, times, &self.settings.roles);
    }
}

pub(crate) struct World {
    server: Option<Server>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) tls: SocketAddr,
    pub(crate) plain: SocketAddr,
    pub(crate) roots: Arc<rustls::RootCertStore>,
    pub(crate) origin: Origin,
    pub(crate) seen: Arc<Seen>,
    pub(crate) signer: Arc<Signer>,
    _dir: tempfile::TempDir,
}

pub(crate) const ISSUER: &str = "https://id.example";

/// A limit that a test waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
/// The limits that it does not wait for, however loaded the machine is.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// By when what has a short limit must have ended.
pub(crate) const SOON: Duration = Duration::from_secs(25);

/// The times of upstreams, unless a test changes them.
pub(crate) fn times() -> UpstreamTimes {
    UpstreamTimes {
        connect: LONG,
        response: LONG,
        piece: LONG,
        idle: LONG,
        idle_connections: 8,
        rest: LONG,
    }
}

/// A route for a path and all below it.
pub(crate) fn route(
    path: &str,
    require: Requirement,
    to: &Arc<Upstream>,
) -> Route<Arc<Destination>> {
    Route {
        matches: RouteMatch {
            host: None,
            path: path.parse().unwrap(),
            methods: MethodPattern::ANY,
        },
        require,
        target: Arc::new(Destination::to(path, Arc::clone(to))),
    }
}

pub(crate) fn upstream(name: &str, targets: &[SocketAddr], times: UpstreamTimes) -> Arc<Upstream> {
    let targets = targets
        .iter()
        .map(|addr| format!("http://{addr}").parse().unwrap())
        .collect();
    Arc::new(Upstream::new(name, targets, times))
}

/// A rule set from text.
pub(crate) fn waf(rules: &'static str) -> Arc<Waf> {
    struct One(&'static str);
    impl Sources for One {
        fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
            let _ = path;
            Ok(self.0.as_bytes().to_vec())
        }
        fn glob(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
            Ok(vec![pattern.to_owned()])
        }
    }
    Arc::new(Waf::load(&["test.conf"], &One(rules)).unwrap())
}

/// `/open/**` for all, `/token/**` with a token, `/admin/**` for admins, `/read/**` for readers,
/// and what the origin answers in a way of its own.
fn routes(origin: SocketAddr, times: UpstreamTimes, roles: &Roles) -> RouteTable<Arc<Destination>> {
    let app = upstream("app", &[origin], times);
    let role = |name: &str| Requirement::Role(name.parse().unwrap());
    let mut routes = vec![
        route("/open/**", Requirement::None, &app),
        route("/token/**", Requirement::Token, &app),
        route("/admin/**", role("admin"), &app),
        route("/read/**", role("reader"), &app),
    ];
    for path in ["/slow", "/reset", "/stuck", "/cut", "/big", "/empty"] {
        routes.push(route(path, Requirement::None, &app));
    }
    RouteTable::new(routes, roles).unwrap()
}

/// As the configuration has it by default.
fn hardening() -> Hardening {
    let headers = crate::config::ResponseHeaders::default();
    Hardening::new(headers.fields(), headers.remove.clone(), false)
}

/// Settings with [`routes`], where readers may `GET /read/**` and admins may do everything.
pub(crate) fn settings(origin: SocketAddr, verifier: Option<Verifier>) -> Settings {
    let specs = [("reader", "GET /read/**"), ("admin", "* /**")]
        .into_iter()
        .map(|(name, allow)| {
            let allow = vec![allow.parse().unwrap()];
            let spec = RoleSpec {
                allow,
                ..RoleSpec::default()
            };
            (name.parse().unwrap(), spec)
        })
        .collect();
    let roles = Roles::resolve(&specs).unwrap();
    Settings {
        proxies: TrustedProxies::default(),
        zones: Zones::default(),
        quotas: Quotas::default(),
        requests: 1000,
        identity: Identification {
            verifier,
            ..Identification::default()
        },
        routes: routes(origin, times(), &roles),
        roles,
        waf: None.into(),
        guard: Guard::default(),
        keep: None,
        bodies: BodyLimits {
            size: 1 << 20,
            inspected: 64 << 10,
            piece: LONG,
            whole: LONG,
            ..BodyLimits::default()
        },
        fail: FailModes::default(),
        answers: Answers {
            hsts: Answers::hsts_value(Duration::from_secs(3600), true),
            hardening: Arc::new(hardening()),
            announce_limits: false,
        },
        logged: default_logged(),
    }
}

impl World {
    pub(crate) fn start(change: impl FnOnce(&mut Setup)) -> Self {
        Self::start_at(Origin::start(), change)
    }

    pub(crate) fn start_at(origin: Origin, change: impl FnOnce(&mut Setup)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let signer = Arc::new(Signer::new(Algorithm::Es256, "key-1"));
        let jwks = dir.path().join("jwks.json");
        std::fs::write(&jwks, key_set(&[&signer])).unwrap();
        let verifier = Verifier::new([IssuerSettings {
            issuer: ISSUER.into(),
            audiences: vec!["api".into()],
            algorithms: vec![Algorithm::Es256],
            keys: KeyFile::Jwks(jwks),
            roles: Default::default(),
            leeway: Duration::from_secs(5),
        }])
        .unwrap();
        let mut setup = Setup {
            origin: origin.addr,
            settings: settings(origin.addr, Some(verifier)),
            limits: ConnectionLimits {
                handshake: LONG,
                headers: LONG,
                idle: LONG,
                stall: LONG,
                header_bytes: 16 << 10,
                ..ConnectionLimits::default()
            },
            banned: Arc::new(|_: IpAddr| false),
            observers: Vec::new(),
        };
        change(&mut setup);
        let seen = Arc::new(Seen::default());
        // The test sees an outcome after everybody else has.
        let mut observers = setup.observers;
        observers.push(seen.clone());
        let gate = Arc::new(Gate::new(setup.settings, 1024, setup.banned, observers));
        let (config, roots) = tls_config();
        let bind = "127.0.0.1:0".parse().unwrap();
        let listens = [
            Listen {
                bind,
                transport: Transport::Tls(Arc::new(ArcSwap::new(config))),
            },
            Listen {
                bind,
                transport: Transport::Plain,
            },
        ];
        let server = Server::start(&listens, setup.limits, 2, Arc::clone(&gate)).unwrap();
        let [tls, plain] = *server.addrs() else {
            panic!("two addresses")
        };
        Self {
            server: Some(server),
            gate,
            tls,
            plain,
            roots,
            origin,
            seen,
            signer,
            _dir: dir,
        }
    }

    /// A request to be changed further.
    pub(crate) fn request(method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "gateway.example")
    }

    /// Sends a request over TLS and HTTP/1.1.
    pub(crate) fn ask(&self, request: http::request::Builder, body: &'static str) -> Reply {
        ask_tls(
            self.tls,
            &self.roots,
            "http/1.1",
            request.body(Full::from(body)).unwrap(),
        )
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask(Self::request("GET", path), "")
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let request = headers
            .iter()
            .fold(Self::request("GET", path), |request, (name, value)| {
                request.header(*name, *value)
            });
        self.ask(request, "")
    }

    /// Sends a request over TLS and HTTP/2.
    pub(crate) fn ask_h2(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://gateway.example{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        ask_tls(
            self.tls,
            &self.roots,
            "h2",
            request.body(Full::new(Bytes::new())).unwrap(),
        )
    }

    /// A plain connection.
    pub(crate) fn raw(&self) -> Raw {
        Raw::connect(self.plain)
    }

    /// `Authorization` with a token of these roles.
    pub(crate) fn token(&self, roles: &[&str]) -> String {
        self.token_with(|claims| claims["roles"] = json!(roles))
    }

    pub(crate) fn token_with(&self, change: impl FnOnce(&mut Value)) -> String {
        let now = clock::unix_millis() / 1000;
        let mut claims = json!({"iss": ISSUER, "aud": "api", "sub": "ann", "exp": now + 60});
        change(&mut claims);
        format!("Bearer {}", self.signer.sign(&claims))
    }

    pub(crate) fn shutdown(&mut self, drain: Duration) -> Drained {
        self.server.take().unwrap().shutdown(drain)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown(Duration::ZERO);
        }
    }
}

fn tls_config() -> (Arc<rustls::ServerConfig>, Arc<rustls::RootCertStore>) {
    let made = rcgen::generate_simple_self_signed(["gateway.example".to_owned()]).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (Arc::new(config), Arc::new(roots))
}
