//! What the program needs to answer SYNs with cookies.

use std::{collections::BTreeMap, sync::OnceLock};

use aya::{
    programs::ProgramType,
    sys::{BpfHelper, is_helper_supported},
};
use gateway_common::{settings::Limit, syncookie::Endpoint};

use super::{Datapath, error::DatapathError};

/// Whether the kernel makes SYN cookies for XDP programs: Linux 6.0 and later, built with
/// `CONFIG_SYN_COOKIES`.
#[must_use]
pub fn are_made() -> bool {
    /// The kernel is asked once, by loading a program.
    static MADE: OnceLock<bool> = OnceLock::new();
    let helpers = [
        BpfHelper::BPF_FUNC_tcp_raw_gen_syncookie_ipv4,
        BpfHelper::BPF_FUNC_tcp_raw_gen_syncookie_ipv6,
    ];
    // When the kernel does not even tell, loading the program fails for the same reason.
    let supported = |helper| is_helper_supported(ProgramType::Xdp, helper).unwrap_or(false);
    *MADE.get_or_init(|| helpers.into_iter().all(supported))
}

impl Datapath {
    /// Puts the threshold in force above which SYNs to one endpoint are answered with cookies.
    /// No limit: none is.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the write.
    pub fn set_cookies(&mut self, threshold: Limit) -> Result<(), DatapathError> {
        if self.settings.cookies == threshold {
            return Ok(());
        }
        let settings = gateway_common::settings::Settings {
            cookies: threshold,
            ..self.settings
        };
        self.maps.write_settings(&settings)?;
        self.settings = settings;
        Ok(())
    }

    /// Makes `wanted` the endpoints whose SYNs may be answered, each with the maximum segment size
    /// to announce. Only what differs is written. Says how many are new and how many are gone.
    ///
    /// # Errors
    ///
    /// When the kernel refuses; what was written until then stays.
    pub fn set_listening(
        &mut self,
        wanted: &BTreeMap<Endpoint, u16>,
    ) -> Result<(usize, usize), DatapathError> {
        let map = &mut self.maps.listening;
        let mut present = BTreeMap::new();
        for item in map.iter() {
            let (endpoint, mss) = item.map_err(DatapathError::kernel("reading the endpoints"))?;
            present.insert(endpoint, mss);
        }
        let (mut new, mut gone) = (0, 0);
        // Removals first, so that what comes finds room.
        for endpoint in present.keys().filter(|one| !wanted.contains_key(one)) {
            map.remove(endpoint)
                .map_err(DatapathError::kernel("removing an endpoint"))?;
            gone += 1;
        }
        for (endpoint, mss) in wanted {
            let mss = u32::from(*mss);
            if present.get(endpoint) != Some(&mss) {
                map.insert(endpoint, mss, 0)
                    .map_err(DatapathError::kernel("adding an endpoint"))?;
                new += usize::from(!present.contains_key(endpoint));
            }
        }
        Ok((new, gone))
    }
}
