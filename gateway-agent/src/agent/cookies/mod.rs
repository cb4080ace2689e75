//! Keeps the filter's SYN cookies and the stack's in step.
//!
//! The filter may answer only what the stack will take up: SYNs to where somebody listens, and
//! only while the stack believes cookies. Both change while the agent runs, so both are looked at
//! again every few seconds. That the stack believes them costs clients without TCP timestamps
//! their window scaling, so unless the configuration wants it always, it is arranged when a flood
//! begins and undone when it has been over for a while.

mod endpoints;
mod knock;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gateway_common::{
    lists::{MODE_ENFORCE, MODE_SHADOW},
    settings::Limit,
    time::Nanos,
};

use gateway_policy::reputation::{AttackMode, AttackPolicy, Change, Order, Seen, Trigger};

use self::{endpoints::Endpoints, knock::knock};
use super::limits::per_second;
use crate::{
    clock,
    config::{Config, CookieMode, CookieWhen, SynCookies},
    control::{Kernel, api::SynCookieStatus},
    datapath::{StackCookies, makes_syn_cookies},
};

/// How far SYNs may run ahead of the threshold before they are answered.
const BURST: Nanos = Nanos::from_secs(1);

/// The SYN cookies of a running agent.
pub(super) struct Cookies {
    kernel: Arc<Kernel>,
    stack: StackCookies,
    state: Mutex<State>,
}

/// For how long there must be few SYNs before a flood is over.
const HOLD: Nanos = Nanos::from_secs(60);

/// How often listening sockets are reminded of a flood, which they remember for two minutes.
const REMIND: Nanos = Nanos::from_secs(30);

struct State {
    /// What is wanted; nothing before the listeners are there and after they are gone.
    wanted: Option<Wanted>,
    /// Whether there is a flood.
    flood: AttackMode,
    /// What is in force.
    endpoints: Endpoints,
    /// When the listening sockets were last reminded, since they had to be.
    reminded: Option<Nanos>,
    /// Why nothing is in force that is wanted.
    why: Option<String>,
    /// Whether it was said that there are too many endpoints.
    overflowed: bool,
}

/// What the configuration asks for.
#[derive(Clone)]
struct Wanted {
    settings: SynCookies,
    interfaces: Vec<String>,
    /// Where the agent listens.
    bound: Vec<SocketAddr>,
}

impl Cookies {
    pub(super) fn new(kernel: Arc<Kernel>, config: &Config) -> Self {
        // A flood that an earlier agent died in may not be over.
        let goes_on = kernel.datapath().settings().cookies != Limit::default();
        Self {
            kernel,
            stack: StackCookies::beside(&config.paths.store),
            state: Mutex::new(State {
                wanted: None,
                flood: AttackMode::new(policy(&config.syn_cookies), goes_on),
                endpoints: Endpoints::default(),
                reminded: None,
                why: None,
                overflowed: false,
            }),
        }
    }

    /// Puts what `config` wants in force, for listeners at `bound`. What cannot be is said in the
    /// log and in the status; the limits hold without it.
    pub(super) fn apply(&self, config: &Config, bound: &[SocketAddr]) {
        let mut state = self.state();
        state.wanted = Some(Wanted {
            settings: config.syn_cookies.clone(),
            interfaces: config
                .interfaces
                .iter()
                .map(|interface| interface.name.to_string())
                .collect(),
            bound: bound.to_vec(),
        });
        state.flood.set_policy(policy(&config.syn_cookies));
        self.look(&mut state);
        self.put_in_force(&mut state);
    }

    /// Looks whether a flood begins or ends.
    pub(super) fn watch(&self) {
        let mut state = self.state();
        let mode = state.wanted.as_ref().map(|wanted| wanted.settings.mode);
        if mode != Some(CookieMode::Enforce) {
            return;
        }
        match self.look(&mut state) {
            None => return,
            Some(Change::Begins(cause)) => {
                tracing::warn!("a flood of SYNs: {cause}; those above the threshold are answered");
            }
            Some(Change::Ends) => tracing::warn!("the flood of SYNs is over"),
        }
        self.put_in_force(&mut state);
    }

    /// Tells the watch how many SYNs there were. While the counters cannot be read, nothing
    /// changes.
    fn look(&self, state: &mut State) -> Option<Change> {
        let counted = self.kernel.datapath().openings();
        let connections = match counted {
            Ok(connections) => connections,
            Err(error) => {
                tracing::debug!("SYN cookies: {error}");
                return None;
            }
        };
        let seen = Seen {
            dropped: 0,
            connections,
        };
        state.flood.look(clock::monotonic(), seen, Order::Auto)
    }

    /// Puts in force what is wanted now.
    fn put_in_force(&self, state: &mut State) {
        let Some(wanted) = &state.wanted else {
            return;
        };
        let before = state.why.take();
        let prepared = match wanted.settings.mode {
            CookieMode::Off => self.rest(),
            CookieMode::Shadow if makes_syn_cookies() => self.rest(),
            CookieMode::Enforce if makes_syn_cookies() && state.is_ready() => self.force(),
            CookieMode::Enforce if makes_syn_cookies() => self.rest(),
            CookieMode::Enforce | CookieMode::Shadow => {
                Err("the kernel makes none for packet filters, which Linux 6.0 is the first to do: only the limits hold".to_owned())
            }
        };
        match prepared {
            Ok(()) => self.bring_in_step(state),
            Err(why) => self.stop(state, why, before),
        }
    }

    /// Looks at addresses and the stack's setting again.
    pub(super) fn refresh(&self) {
        let mut state = self.state();
        let Some(wanted) = &state.wanted else {
            return;
        };
        let mode = wanted.settings.mode;
        let enforced = mode == CookieMode::Enforce && makes_syn_cookies() && state.is_ready();
        if enforced && !self.stack.is_forced() {
            if state.why.is_some() {
                return;
            }
            let why = "net.ipv4.tcp_syncookies is not 2 any more, and the stack would refuse the clients that come back; they are in force again when it is".to_owned();
            self.stop(&mut state, why, None);
        } else if mode == CookieMode::Off || (state.why.is_some() && !enforced) {
            // Nothing that could have changed by itself.
        } else {
            if state.why.take().is_some() {
                tracing::info!("SYN cookies are in force again");
            }
            self.bring_in_step(&mut state);
        }
    }

    /// The listeners are going: nothing is answered any more, and the stack's setting is what it
    /// was.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.wanted = None;
        if let Err(why) = self.rest() {
            tracing::error!("SYN cookies: {why}");
        }
        if let Err(error) = self.kernel.datapath().set_listening(&Endpoints::new()) {
            tracing::error!("SYN cookies: {error}");
        }
    }

    /// How things stand.
    pub(super) fn status(&self) -> SynCookieStatus {
        let state = self.state();
        let settings = state.wanted.as_ref().map(|wanted| &wanted.settings);
        let rests = state.why.is_some();
        let mode = settings.map_or(CookieMode::Off, |settings| settings.mode);
        let mode = if rests { CookieMode::Off } else { mode };
        SynCookieStatus {
            mode: mode.name().to_owned(),
            threshold: settings.map(|settings| settings.threshold.to_string()),
            ready: self.kernel.datapath().settings().cookies != Limit::default(),
            endpoints: match mode {
                CookieMode::Off => 0,
                CookieMode::Enforce | CookieMode::Shadow => state.endpoints.len(),
            },
            why: state.why.clone(),
        }
    }

    /// The stack makes cookies for every SYN.
    fn force(&self) -> Result<(), String> {
        if let Some(before) = self.stack.force().map_err(|error| error.to_string())? {
            tracing::info!(
                before,
                "net.ipv4.tcp_syncookies set to 2, so that the stack takes up connections that \
                 the filter has answered; it is set back when the agent ends"
            );
        }
        Ok(())
    }

    /// Nothing is answered, and the stack's setting is what it was.
    fn rest(&self) -> Result<(), String> {
        let off = self.kernel.datapath().set_cookies(Limit::default());
        off.map_err(|error| error.to_string())?;
        let back = self.stack.give_back().map_err(|error| error.to_string())?;
        if let Some(value) = back {
            tracing::info!(value, "net.ipv4.tcp_syncookies set back");
        }
        Ok(())
    }

    /// Nothing is answered, for a reason that is said once.
    fn stop(&self, state: &mut State, why: String, before: Option<String>) {
        if let Err(error) = self.kernel.datapath().set_cookies(Limit::default()) {
            tracing::error!("SYN cookies: {error}");
        }
        if before.as_ref() != Some(&why) {
            tracing::warn!("SYNs are not answered with cookies: {why}");
        }
        state.why = Some(why);
    }

    /// Makes the endpoints and the threshold those that are wanted.
    fn bring_in_step(&self, state: &mut State) {
        let Some(Wanted {
            settings,
            interfaces,
            bound,
        }) = state.wanted.clone()
        else {
            return;
        };
        if settings.mode == CookieMode::Off {
            state.endpoints.clear();
            if let Err(error) = self.kernel.datapath().set_listening(&Endpoints::new()) {
                tracing::error!("SYN cookies: {error}");
            }
            return;
        }
        let local = match endpoints::local() {
            Ok(local) => local,
            // Those of the last time are still the likeliest.
            Err(error) => {
                tracing::error!("SYN cookies: the host's addresses cannot be read: {error}");
                return;
            }
        };
        let is_ready = state.is_ready();
        let mtu = endpoints::mtu(interfaces.iter().map(String::as_str));
        let (wanted, all) = endpoints::of(&bound, &settings.ports, &local, mtu);
        let overflows = all > wanted.len();
        if overflows && !state.overflowed {
            tracing::warn!(
                endpoints = all,
                most = wanted.len(),
                "there are more addresses and ports than SYNs can be answered at; the last of \
                 them reach the stack"
            );
        }
        state.overflowed = overflows;
        if is_ready && settings.mode == CookieMode::Enforce {
            remind(state, &wanted);
        } else {
            state.reminded = None;
        }
        let mut datapath = self.kernel.datapath();
        let written = datapath.set_listening(&wanted).and_then(|(new, gone)| {
            if new + gone > 0 {
                let threshold = settings.threshold.to_string();
                let mode = settings.mode.name();
                let endpoints = wanted.len();
                tracing::info!(mode, threshold, endpoints, new, gone, "SYN cookies");
            }
            datapath.set_cookies(if is_ready {
                threshold(&settings)
            } else {
                Limit::default()
            })
        });
        match written {
            Ok(()) => state.endpoints = wanted,
            Err(error) => tracing::error!("SYN cookies: {error}"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether SYNs above the threshold are to be answered, or counted, now.
    fn is_ready(&self) -> bool {
        let mode = self.wanted.as_ref().map(|wanted| wanted.settings.mode);
        mode == Some(CookieMode::Shadow) || self.flood.cause().is_some()
    }
}

/// Has the sockets at these endpoints answer with a cookie, unless they have just done so.
fn remind(state: &mut State, endpoints: &Endpoints) {
    let now = clock::monotonic();
    let is_due = state.reminded.is_none_or(|at| now.since(at) >= REMIND);
    let are_new = || {
        endpoints
            .keys()
            .any(|one| !state.endpoints.contains_key(one))
    };
    if !is_due && !are_new() {
        return;
    }
    state.reminded = Some(now);
    if let Some((failed, error)) = knock(endpoints.keys()) {
        tracing::debug!(failed, "SYN cookies: no connection to an endpoint: {error}");
    }
}

/// When there is a flood: the threshold is that of one endpoint, and the watch sees all SYNs, so
/// none is above it before.
fn policy(settings: &SynCookies) -> AttackPolicy {
    AttackPolicy {
        trigger: match settings.when {
            CookieWhen::Flood => Trigger::Auto,
            CookieWhen::Always => Trigger::On,
        },
        dropped: None,
        connections: Some(per_second(settings.threshold)),
        hold: HOLD,
    }
}

/// The threshold in the filter's units.
fn threshold(settings: &SynCookies) -> Limit {
    let rate = settings.threshold;
    let limit = |mode| Limit::new(rate.count().get(), rate.per().as_nanos(), BURST, mode);
    match settings.mode {
        CookieMode::Enforce => limit(MODE_ENFORCE),
        CookieMode::Shadow => limit(MODE_SHADOW),
        CookieMode::Off => Limit::default(),
    }
}
