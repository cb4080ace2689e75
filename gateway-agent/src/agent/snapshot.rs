//! From the checked configuration to what the HTTP side is given.

use std::sync::Arc;

use gateway_policy::access::{Route, RouteTable};
use gateway_waf::Waf;
use gateway_waf::leaks::{Action, Kind, Search};

use crate::{
    agent::load_rules,
    config::{Config, FailMode, HttpLimits, LeakAction, Leaks, ResponseHeaders, WafMode},
    http::{
        self, Answers, BodyLimits, ConnectionLimits, Destination, FailModes, Guard, Hardening,
        Identification, Keep, Quotas, Settings, Target, TrustedProxies, Upstream, UpstreamTimes,
        default_logged,
    },
    identity::Verifier,
    validation::Contract,
};

/// Requests at once over which 503 is answered, per connection that may be open.
const REQUESTS_PER_CONNECTION: usize = 4;

/// How long browsers are told to insist on TLS.
const HSTS: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);

/// Everything a request is judged and served by. Reads the key files and the rules.
///
/// # Errors
/// The first file that cannot be used, in words.
pub(super) fn settings(config: &Config) -> anyhow::Result<Settings> {
    let verifier = match config.identity.issuers.is_empty() {
        true => None,
        false => Some(Verifier::new(config.identity.settings())?),
    };
    let body_limit = config.waf.body_limit.as_usize();
    Ok(Settings {
        proxies: TrustedProxies::new(config.networks.proxies.clone()),
        zones: config.networks.zones(),
        quotas: Quotas {
            trusted: config.rate_limits.trusted,
            untrusted: config.rate_limits.untrusted,
        },
        requests: config.limits.connections.get() as usize * REQUESTS_PER_CONNECTION,
        identity: Identification {
            verifier,
            ..Identification::default()
        },
        roles: config.access.roles().clone(),
        routes: routes(config)?,
        waf: waf(config)?.into(),
        guard: guard(config.waf.mode),
        keep: config.waf.keep.map(|keep| Keep {
            body: keep.body.as_usize(),
            one_in: keep.one_in,
        }),
        bodies: BodyLimits {
            inspected: body_limit,
            piece: config.limits.body_timeout.as_duration(),
            ..BodyLimits::default()
        },
        fail: FailModes {
            waf: fail_mode(config.waf.fail),
            ..FailModes::default()
        },
        answers: Answers {
            hsts: Answers::hsts_value(HSTS, false),
            hardening: Arc::new(hardening(&config.response_headers)),
            announce_limits: true,
        },
        logged: default_logged(),
    })
}

/// What a connection may take.
pub(super) fn connection_limits(limits: &HttpLimits) -> ConnectionLimits {
    ConnectionLimits {
        total: limits.connections.get() as usize,
        per_client: limits.connections_per_client.get() as usize,
        handshake: limits.header_timeout.as_duration(),
        headers: limits.header_timeout.as_duration(),
        idle: limits.idle_timeout.as_duration(),
        stall: limits.body_timeout.as_duration(),
        header_bytes: limits.header_size.as_usize(),
        streams: limits.concurrent_streams.get(),
        ..ConnectionLimits::default()
    }
}

fn waf(config: &Config) -> anyhow::Result<Option<Arc<Waf>>> {
    if !config.is_waf_used() {
        return Ok(None);
    }
    let rules = load_rules(config)?;
    rules.tell();
    Ok(Some(Arc::new(rules.waf)))
}

/// Lets the rules go on with what those that they replace have learnt of clients. `new` is not
/// in force yet.
pub(super) fn carry_over(new: &Settings, old: &Settings) {
    let (waf, replaced) = (new.waf.swap(None), old.waf.load_full());
    let carried = waf.map(|mut waf| {
        if let (Some(waf), Some(replaced)) = (Arc::get_mut(&mut waf), replaced) {
            waf.carry_over(&replaced);
        }
        waf
    });
    new.waf.store(carried);
}

fn guard(mode: WafMode) -> Guard {
    match mode {
        WafMode::Block => Guard::Block,
        WafMode::Detect => Guard::Detect,
        WafMode::Off => Guard::Off,
    }
}

fn routes(config: &Config) -> anyhow::Result<RouteTable<Arc<Destination>>> {
    let upstreams = config
        .access
        .upstreams()
        .iter()
        .map(|upstream| {
            let targets = upstream
                .targets
                .iter()
                .map(|target| format!("http://{}", target.authority()).parse::<Target>())
                .collect::<Result<Vec<_>, _>>()?;
            let times = UpstreamTimes {
                connect: upstream.connect_timeout.as_duration(),
                response: upstream.timeout.as_duration(),
                piece: upstream.timeout.as_duration(),
                ..UpstreamTimes::default()
            };
            Ok(Arc::new(Upstream::new(&upstream.name, targets, times)))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let routes = config
        .access
        .routes()
        .iter()
        .map(|route| {
            let upstream = upstreams
                .get(route.target.upstream.index())
                .map(Arc::clone)
                .ok_or_else(|| anyhow::anyhow!("a route leads to no upstream"))?;
            let validation = route.target.validation.as_ref();
            let contract = validation
                .map(|validation| Contract::load(&validation.terms).map(Arc::new))
                .transpose()?;
            Ok(Route {
                matches: route.matches.clone(),
                require: route.require.clone(),
                target: Arc::new(Destination {
                    route: route.matches.to_string().into(),
                    upstream,
                    guard: route.target.waf.map(guard),
                    contract,
                    leaks: leaks(&route.target.leaks)?.map(Arc::new),
                    hardening: route.target.headers.as_ref().map(hardening).map(Arc::new),
                }),
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    RouteTable::new(routes, config.access.roles())
        .map_err(|faults| anyhow::anyhow!("{}", sentences(&faults)))
}

fn hardening(headers: &ResponseHeaders) -> Hardening {
    Hardening::new(headers.fields(), headers.remove.clone(), headers.overrides)
}

fn leaks(leaks: &Leaks) -> anyhow::Result<Option<http::Leaks>> {
    let search = Search::new(|kind| {
        let action = match kind {
            Kind::Card => leaks.cards,
            Kind::Key => leaks.keys,
            Kind::StackTrace => leaks.stack_traces,
            Kind::SqlError => leaks.sql_errors,
        };
        match action {
            LeakAction::Off => Action::Off,
            LeakAction::Log => Action::Log,
            LeakAction::Mask => Action::Mask,
            LeakAction::Block => Action::Block,
        }
    })?;
    Ok(search.map(|search| http::Leaks {
        search,
        types: leaks.types.clone(),
        fail: fail_mode(leaks.fail),
    }))
}

fn fail_mode(mode: FailMode) -> http::FailMode {
    match mode {
        FailMode::Open => http::FailMode::FailOpen,
        FailMode::Closed => http::FailMode::FailClosed,
    }
}

fn sentences(faults: &[impl ToString]) -> String {
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
