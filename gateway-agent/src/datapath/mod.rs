//! The kernel's half, seen from the agent: loading, pinning, attaching, and the maps.
//!
//! Nothing outside this folder knows how the maps are laid out, and nothing in it knows HTTP.
//! Every change to the lists goes through a [`Mirror`]: it holds the full lists in memory and
//! says which words of the kernel's summary change, in an order that never lets a denied source
//! through.

mod attach;
mod audit;
mod bpffs;
mod bulk;
mod counters;
mod error;
mod events;
mod hits;
mod index;
mod links;
mod lists;
pub mod mirror;
mod object;
mod pins;
mod probe;
mod reputation;
mod stack_cookies;
mod syncookies;

pub use attach::{Attached, Mode};
pub use audit::{Drift, Keys, SummaryWalk};
pub use counters::{InterfaceCounters, VerdictCount};
pub use error::{DatapathError, name_of};
pub use events::{Events, Sampled};
pub use hits::RuleHits;
pub use links::{Standing, refuse_bond_members};
pub use mirror::Mirror;
pub use object::{BENCH_OBJECT, FLOOD_OBJECT, XDP_OBJECT};
pub use pins::Pins;
pub use probe::{LONGEST_FRAME, Probe, Program, Questions};
pub use reputation::identity;
pub use stack_cookies::{StackCookies, StackCookiesError};
pub use syncookies::are_made as makes_syn_cookies;

use std::path::Path;

use gateway_common::{
    abi::ABI_VERSION,
    settings::{Further, Limit, Settings},
};

use self::object::Maps;
use crate::clock;

/// The data plane behind a pin directory: the maps, and the lists mirrored in memory.
pub struct Datapath {
    pins: Pins,
    maps: Maps,
    settings: Settings,
    /// Read back when the lists are first looked at: counters and probes need none of it.
    mirror: Option<Mirror>,
    /// Changes to the lists so far.
    changes: u64,
}

impl Datapath {
    /// Loads the data plane of `pins`, making its maps if they are not there yet. Lists, limits
    /// and counters that an earlier agent left are taken over as they are.
    ///
    /// # Errors
    ///
    /// Says in words what is missing: privilege, bpffs, a kernel new enough, or pins of this
    /// program's ABI. Nothing is attached by this.
    pub fn load(pins: &Path) -> Result<Self, DatapathError> {
        let pins = Pins::at(pins);
        pins.prepare()?;
        pins.refuse_foreign()?;
        object::create_maps(&pins)?;
        let mut datapath = Self::over(pins)?;
        if datapath.settings.abi == ABI_VERSION {
            datapath.rewrite_summary()?;
        } else {
            // Fresh maps: empty lists, and a summary of zeros that says so.
            let seed = object::random_seed()?;
            datapath.settings = Settings {
                abi: ABI_VERSION,
                jiffy: clock::jiffy(),
                seed,
                ..Settings::default()
            };
            let mirror = Mirror::new(seed);
            datapath.settings.index_shift = mirror.index_shift();
            datapath.maps.write_settings(&datapath.settings)?;
            datapath.mirror = Some(mirror);
        }
        Ok(datapath)
    }

    /// Opens the data plane that an agent left in `pins`.
    ///
    /// # Errors
    ///
    /// [`DatapathError::NotThere`] when there is none, or what makes its pins unreadable.
    pub fn open(pins: &Path) -> Result<Self, DatapathError> {
        let pins = Pins::at(pins);
        let absent = DatapathError::NotThere {
            pins: pins.root().to_owned(),
        };
        if !pins.exist() {
            return Err(absent);
        }
        pins.refuse_foreign()?;
        let datapath = Self::over(pins)?;
        // An agent that died before it wrote its settings left maps without a seed: what was
        // added to them now would be lost to the next one.
        if datapath.settings.abi != ABI_VERSION {
            return Err(absent);
        }
        Ok(datapath)
    }

    fn over(pins: Pins) -> Result<Self, DatapathError> {
        let maps = Maps::open(&pins)?;
        let settings = maps.settings()?;
        Ok(Self {
            pins,
            maps,
            settings,
            mirror: None,
            changes: 0,
        })
    }

    /// Puts packet limits in force: class 0 for untrusted sources, the others for zones.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the write.
    pub fn set_limits(&mut self, limits: &[Limit]) -> Result<(), DatapathError> {
        self.settings.limits = Default::default();
        for (slot, limit) in self.settings.limits.iter_mut().zip(limits) {
            *slot = *limit;
        }
        self.maps.write_settings(&self.settings)
    }

    /// Puts the limits besides the packet rates in force.
    ///
    /// # Errors
    ///
    /// When the kernel does not take them.
    pub fn set_further(&mut self, further: &Further) -> Result<(), DatapathError> {
        self.settings.further = further.settled();
        self.maps.write_settings(&self.settings)
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the pins stand.
    #[must_use]
    pub fn pins(&self) -> &Pins {
        &self.pins
    }
}
