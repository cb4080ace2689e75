//! The thread that writes proofs down and watches for attacks.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use gateway_common::{Verdict, settings::Attack, verdict::Action};
use gateway_policy::reputation::{Change, Seen};

use super::{Shared, Written, order_of};
use crate::{
    clock,
    datapath::{Datapath, DatapathError},
};

/// How often the counters are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// How often those whose time has ended are cleared away. The kernel itself counts them no more.
const SWEEP: Duration = Duration::from_secs(10);

pub(super) struct Watch {
    shared: Arc<Shared>,
    written: Receiver<Written>,
    /// Whether the last look failed, so that a lasting fault is told once.
    failing: bool,
}

impl Watch {
    pub(super) fn new(shared: Arc<Shared>, written: Receiver<Written>) -> Self {
        Self {
            shared,
            written,
            failing: false,
        }
    }

    /// Works until the agent stops.
    pub(super) fn run(mut self) {
        let mut next_look = Instant::now();
        let mut next_sweep = next_look + SWEEP;
        while !self.shared.stopping.load(Ordering::Acquire) {
            let now = Instant::now();
            if now >= next_look {
                self.look();
                next_look = now + LOOK;
            }
            if now >= next_sweep {
                self.sweep();
                next_sweep = now + SWEEP;
            }
            match self
                .written
                .recv_timeout(next_look.saturating_duration_since(now))
            {
                Ok(written) => self.write(written),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    }

    fn write(&self, written: Written) {
        let mut datapath = self.shared.kernel.datapath();
        let gone = written
            .instead_of
            .map_or(Ok(()), |gone| datapath.forget(gone));
        let done = gone.and_then(|()| datapath.remember(written.source, written.until));
        drop(datapath);
        if let Err(fault) = done {
            // Who is not in the kernel must not count as known: it will prove itself again.
            self.shared.known().forget(written.source);
            self.shared.metrics.failed();
            tracing::error!("a good client is not known to the packet filter: {fault}");
        }
    }

    fn look(&mut self) {
        let looked = self.follow();
        match (looked, self.failing) {
            (Ok(()), _) => self.failing = false,
            (Err(_), true) => {}
            (Err(fault), false) => {
                self.failing = true;
                tracing::error!("attack mode stays as it is: {fault}");
            }
        }
    }

    /// Makes the kernel's attack mode what counters and orders want.
    fn follow(&self) -> Result<(), DatapathError> {
        let mut datapath = self.shared.kernel.datapath();
        let seen = seen(&datapath)?;
        let now = clock::monotonic();
        let attack = datapath.settings().attack;
        let (change, cause) = {
            let mut mode = self.shared.mode();
            (mode.look(now, seen, order_of(&attack)), mode.cause())
        };
        let on = u32::from(cause.is_some());
        if attack.on != on {
            let since = now;
            datapath.set_attack(Attack {
                on,
                since,
                ..attack
            })?;
        }
        drop(datapath);
        self.shared.metrics.mode(cause.is_some());
        self.shared.metrics.known(self.shared.known().len());
        match change {
            Some(Change::Begins(cause)) => {
                self.shared.metrics.begins();
                tracing::warn!(
                    "attack mode begins: {cause}; untrusted sources that are not known get less"
                );
            }
            Some(Change::Ends) => tracing::warn!("attack mode ends"),
            None => {}
        }
        Ok(())
    }

    fn sweep(&self) {
        let ended = self.shared.known().expire(clock::monotonic());
        for source in ended {
            if let Err(fault) = self.shared.kernel.datapath().forget(source) {
                tracing::error!("clearing away known sources: {fault}");
                return;
            }
        }
    }
}

/// What the packet filter has counted on all interfaces.
fn seen(datapath: &Datapath) -> Result<Seen, DatapathError> {
    let mut seen = Seen {
        dropped: 0,
        connections: datapath.openings()?,
    };
    for counted in datapath.counters()? {
        let verdicts = counted.verdicts.iter();
        seen.dropped += verdicts
            .filter(|count| is_hostile(count.verdict))
            .map(|count| count.packets)
            .sum::<u64>();
    }
    Ok(seen)
}

/// Whether a packet with this verdict tells of an attack: it was dropped, and not because its
/// source was denied long ago.
fn is_hostile(verdict: Verdict) -> bool {
    use Verdict::{Banned, DeniedExact, DeniedPrefix};
    verdict.action() == Action::Drop && !matches!(verdict, Banned | DeniedExact | DeniedPrefix)
}
