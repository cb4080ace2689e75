//! What each test starts from: a lab, an origin, a gateway that is configured and not started.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gateway_lab::agent::{self, Agent};
use gateway_lab::curl::Response;
use gateway_lab::{Certificate, Curl, Flood, Host, Lab, Node, Origin, Sources, wait};
use serde_json::{Value, json};

/// How long anything may take that takes a moment on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// How many tests run at a time, whatever the number of threads: each has an agent and clients.
const AT_ONCE: usize = 2;

/// A request that the default rules of the WAF refuse.
pub(crate) const INJECTION: &str = "/?q=1%27%20UNION%20SELECT%20password%20FROM%20users--%20";

/// Everything of one test. Fields are dropped in this order.
pub(crate) struct World {
    pub(crate) agent: Agent,
    pub(crate) origin: Origin,
    pub(crate) certificate: Certificate,
    pub(crate) lab: Lab,
    _turn: Turn,
}

impl World {
    /// A gateway with the base configuration and `over` laid over it, running.
    pub(crate) fn running(name: &str, over: &Value) -> Self {
        let mut world = Self::prepared(name, over);
        world.agent.start().unwrap();
        world
    }

    /// The same, not started.
    pub(crate) fn prepared(name: &str, over: &Value) -> Self {
        Self::made(name, |_| over.clone())
    }

    /// A gateway that is not started, with what `over` makes of the lab laid over the base
    /// configuration.
    pub(crate) fn made(name: &str, over: impl FnOnce(&Lab) -> Value) -> Self {
        let turn = Turn::take();
        let lab = Lab::up(name).unwrap();
        let origin = lab.origin(9000).unwrap();
        let certificate = Certificate::make(lab.state(), "gateway").unwrap();
        let config = agent::merge(agent::base(&lab, "gateway", &certificate), &over(&lab));
        let agent = Agent::prepare(&lab, "gateway", &binary(), &config).unwrap();
        Self {
            agent,
            origin,
            certificate,
            lab,
            _turn: turn,
        }
    }

    /// Another gateway of the same lab: its own pins, store and socket.
    pub(crate) fn another(&self, name: &str, over: &Value) -> Agent {
        let config = agent::merge(agent::base(&self.lab, name, &self.certificate), over);
        Agent::prepare(&self.lab, name, &binary(), &config).unwrap()
    }

    /// The base configuration with `over` laid over it.
    pub(crate) fn config(&self, over: &Value) -> Value {
        agent::merge(agent::base(&self.lab, "gateway", &self.certificate), over)
    }

    pub(crate) fn host(&self, host: Host) -> &Node {
        self.lab.host(host)
    }

    /// A request over TLS to the gateway's IPv4 address.
    pub(crate) fn https(&self, target: &str) -> Curl {
        self.https_at(Host::Gateway.ip4().into(), target)
    }

    /// A request over TLS to an address of the gateway.
    pub(crate) fn https_at(&self, address: IpAddr, target: &str) -> Curl {
        let authority = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        Curl::get(format!("https://{authority}{target}")).trusting(&self.certificate.cert)
    }

    /// What the client gets for `request`.
    pub(crate) fn client(&self, request: &Curl) -> Response {
        request.run(self.host(Host::Client)).unwrap()
    }

    /// What the attacker gets for `request`.
    pub(crate) fn attacker(&self, request: &Curl) -> Response {
        request.run(self.host(Host::Attacker)).unwrap()
    }

    /// Lets the attacker send packets from `source` and returns how many of them were counted
    /// with `verdict`; waits for all of them at most until the deadline.
    pub(crate) fn counted(&self, source: IpAddr, packets: u64, verdict: &str) -> u64 {
        let before = self.agent.stats().unwrap().packets(verdict);
        self.send(source, packets);
        let now = || self.agent.stats().unwrap().packets(verdict) - before;
        let all = wait::until(SOON, verdict, || {
            Some(now()).filter(|seen| *seen >= packets)
        });
        all.unwrap_or_else(|_| now())
    }

    /// Sends connection attempts from `source`, by the attacker.
    pub(crate) fn send(&self, source: IpAddr, packets: u64) {
        let to = match source {
            IpAddr::V4(_) => (Host::Gateway.ip4(), 443).into(),
            IpAddr::V6(_) => (Host::Gateway.ip6(), 443).into(),
        };
        let flood = Flood::syn(to)
            .from(Sources::only(source))
            .packets(packets)
            .per_second(2_000);
        flood.run(self.host(Host::Attacker)).unwrap();
    }

    /// What `gateway explain --json` says of an address.
    pub(crate) fn explain(&self, address: &str) -> Value {
        self.agent.json(["explain", address]).unwrap()
    }

    /// Waits until the loaded program's verdict on an address is `verdict`.
    pub(crate) fn until_verdict(&self, address: &str, verdict: &str) -> Value {
        let mut seen = Value::Null;
        let found = wait::until(SOON, verdict, || {
            seen = self.explain(address);
            (seen["verdict"] == verdict).then(|| seen.clone())
        });
        found.unwrap_or_else(|error| panic!("{error}: {seen}\n{}", self.agent.log_tail()))
    }

    /// Which XDP program is on an interface of the gateway host, as `ip` has it.
    pub(crate) fn xdp(&self, interface: &str) -> Option<Value> {
        let mut ip = self.host(Host::Gateway).command("ip");
        let out = ip
            .args(["-json", "-details", "link", "show", "dev", interface])
            .output();
        let links: Value = serde_json::from_slice(&out.unwrap().stdout).unwrap();
        links.pointer("/0/xdp").cloned()
    }
}

/// The entry for `prefix` in a list that the command line has printed.
pub(crate) fn entry<'a>(list: &'a Value, prefix: &str) -> Option<&'a Value> {
    list["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["prefix"] == prefix)
}

/// A ban rule for `bans` that one offence breaks.
pub(crate) fn at_once(ban: &str) -> Value {
    json!({"limit": "1/minute", "ban": ban, "max": "1h"})
}

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    match env::var_os("GATEWAY_BIN") {
        Some(path) => path.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/release/gateway"),
    }
}

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// One of the turns that tests wait for.
struct Turn;

impl Turn {
    fn take() -> Self {
        let full = |running: &mut usize| *running >= AT_ONCE;
        let waited = ENDED.wait_while(running(), full);
        *waited.unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *running() -= 1;
        ENDED.notify_one();
    }
}

/// A test that failed has given its turn back all the same.
fn running() -> MutexGuard<'static, usize> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}
