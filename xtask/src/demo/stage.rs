//! What the steps play on: the lab, the gateway in it, and those who talk to it.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gateway_lab::agent::{self, Stats};
use gateway_lab::token::{self, Algorithm, Key};
use gateway_lab::visitor::Visits;
use gateway_lab::{
    Agent, Certificate, Curl, Flood, Flooded, Host, Lab, Node, Origin, Sources, Visitor, wait,
};
use serde_json::{Value, json};

/// How long anything may take that takes a moment.
pub(super) const SOON: Duration = Duration::from_secs(10);

/// How long the first ban lasts: long enough for the steps between, short enough to wait for.
pub(super) const BAN_SECONDS: u64 = 25;

const ISSUER: &str = "https://id.lab";
const AUDIENCE: &str = "api";
/// Tokens outlive the demo.
const TOKEN_SECONDS: i64 = 600;
/// How often the client asks.
const EVERY: Duration = Duration::from_millis(40);

/// Everything. Fields are dropped in this order: who asks goes before who answers.
pub(super) struct Stage {
    /// The legitimate client, once it has begun.
    pub(super) visitor: Option<Visitor>,
    /// The gateway.
    pub(super) agent: Agent,
    /// The upstream.
    pub(super) origin: Origin,
    /// How the client fared before the attacks.
    pub(super) before: Visits,
    /// The ban of the attacker, once there is one.
    pub(super) ban: Option<Ban>,
    key: Key,
    certificate: Certificate,
    lab: Lab,
}

/// What a later step has to know of the attacker's ban.
#[derive(Clone, Debug)]
pub(super) struct Ban {
    /// The request that led to it.
    pub(super) request: String,
    /// When it ends, milliseconds since the Unix epoch.
    pub(super) until_unix_ms: u64,
}

impl Stage {
    /// Makes the lab, the certificate, the keys and the configuration; starts nothing.
    pub(super) fn set(gateway: &Path) -> Result<Self> {
        let lab = Lab::up("demo")?;
        let origin = lab.origin(9000)?;
        let certificate = Certificate::make(lab.state(), "gateway")?;
        let key = Key::make(lab.state(), Algorithm::Es256, "demo")?;
        let jwks = lab.state().join("jwks.json");
        fs::write(&jwks, token::jwks(&[&key])?.to_string())?;
        let config = agent::merge(agent::base(&lab, "gateway", &certificate), &overlay(&jwks));
        let agent = Agent::prepare(&lab, "gateway", gateway, &config)?;
        let before = Visits::default();
        Ok(Self {
            visitor: None,
            agent,
            origin,
            before,
            ban: None,
            key,
            certificate,
            lab,
        })
    }

    /// A host of the lab.
    pub(super) fn host(&self, host: Host) -> &Node {
        self.lab.host(host)
    }

    /// A request over TLS to the gateway's address of the family of `like`.
    pub(super) fn request(&self, like: IpAddr, target: &str) -> Curl {
        let authority = match like {
            IpAddr::V4(_) => Host::Gateway.ip4().to_string(),
            IpAddr::V6(_) => format!("[{}]", Host::Gateway.ip6()),
        };
        Curl::get(format!("https://{authority}{target}")).trusting(&self.certificate.cert)
    }

    /// A token that is good for `seconds`.
    pub(super) fn token(&self, subject: &str, seconds: i64) -> Result<String> {
        self.key.sign(&self.claims(subject, seconds))
    }

    /// The claims of such a token.
    pub(super) fn claims(&self, subject: &str, seconds: i64) -> Value {
        let mut claims = token::claims(ISSUER, AUDIENCE, subject, seconds);
        if let Some(claims) = claims.as_object_mut() {
            claims.insert("roles".into(), json!(["reader"]));
        }
        claims
    }

    /// What the legitimate client asks for, over IPv4 and IPv6.
    pub(super) fn visits(&self) -> Result<Vec<Curl>> {
        let token = self.token("alice", TOKEN_SECONDS)?;
        let ask = |like: IpAddr| {
            self.request(like, "/api/items?page=1")
                .tls13()
                .bearer(&token)
        };
        Ok(vec![
            ask(Host::Client.ip4().into()),
            ask(Host::Client.ip6().into()),
        ])
    }

    /// Starts the client that goes on through the whole demo.
    pub(super) fn begin_visits(&mut self) -> Result<()> {
        let requests = self.visits()?;
        self.visitor = Some(Visitor::start(self.host(Host::Client), requests, EVERY)?);
        Ok(())
    }

    /// The client that goes on.
    pub(super) fn visitor(&self) -> Result<&Visitor> {
        self.visitor.as_ref().context("the client has not begun")
    }

    /// Waits until the client has made `more` visits, and returns those.
    pub(super) fn next_visits(&self, more: usize) -> Result<Visits> {
        let visitor = self.visitor()?;
        let before = visitor.visits();
        let wanted = before.count() + more;
        wait::until(SOON, "the client's visits", || {
            (visitor.count() >= wanted).then_some(())
        })?;
        Ok(visitor.visits().since(&before))
    }

    /// Lets the attacker send `packets` connection attempts from `source`, which must all get
    /// `verdict`, and returns how many did.
    pub(super) fn expect_verdict(
        &self,
        source: IpAddr,
        packets: u64,
        verdict: &str,
    ) -> Result<u64> {
        let before = self.agent.stats()?.packets(verdict);
        self.attack(source, packets, 10_000)?;
        let counted = || {
            Some(
                self.agent
                    .stats()
                    .ok()?
                    .packets(verdict)
                    .saturating_sub(before),
            )
        };
        let what = format!("{packets} packets of {source} counted as {verdict}");
        wait::until(SOON, &what, || {
            counted().filter(|counted| *counted >= packets)
        })
        .with_context(|| format!("{:?} of {packets} were counted", counted()))
    }

    /// Sends connection attempts from `source`, by the attacker.
    pub(super) fn attack(&self, source: IpAddr, packets: u64, per_second: u64) -> Result<Flooded> {
        Self::fire(source, packets, per_second).run(self.host(Host::Attacker))
    }

    /// Connection attempts from `source`, to be made.
    pub(super) fn fire(source: IpAddr, packets: u64, per_second: u64) -> Flood {
        let to = match source {
            IpAddr::V4(_) => (Host::Gateway.ip4(), 443).into(),
            IpAddr::V6(_) => (Host::Gateway.ip6(), 443).into(),
        };
        Flood::syn(to)
            .from(Sources::only(source))
            .packets(packets)
            .per_second(per_second)
    }

    /// The counters now.
    pub(super) fn stats(&self) -> Result<Stats> {
        self.agent.stats()
    }
}

/// Fails unless every visit was answered with 200.
pub(super) fn all_well(visits: &Visits, when: &str) -> Result<()> {
    let failed = visits.failures.len();
    let first = visits.failures.first().map_or("", String::as_str);
    ensure!(
        failed == 0,
        "{failed} of {} requests {when} failed: {first}",
        visits.count()
    );
    Ok(())
}

/// What the demo's gateway is told beyond the lab's usual configuration.
fn overlay(jwks: &Path) -> Value {
    json!({
        // A client on a new connection for each request sends some 400 packets a second.
        "packet_limits": {"untrusted": "1000/s", "burst": "500ms"},
        "rate_limits": {"untrusted": "6000/minute"},
        "identity": {"jwt": [{
            "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["ES256"], "jwks": jwks,
        }]},
        "roles": {"reader": {"allow": ["GET /api/**"]}},
        "routes": [
            {"match": {"path": "/api/**"}, "require": {"role": "reader"}, "upstream": "app"},
            {"require": "none", "upstream": "app"},
        ],
        "bans": {"waf_block": {"limit": "1/minute", "ban": format!("{BAN_SECONDS}s")}},
    })
}
