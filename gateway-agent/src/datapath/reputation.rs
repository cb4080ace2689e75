//! Who is known to be good, and whether it matters.

use std::net::IpAddr;

use gateway_common::{
    limiter::{identity4, identity6},
    settings::Attack,
    time::Nanos,
};

use super::{
    Datapath,
    error::{DatapathError, is_absent},
};

/// What the packet filter holds a source to account by: its address, or its /64.
#[must_use]
pub fn identity(source: IpAddr) -> u64 {
    match source.to_canonical() {
        IpAddr::V4(address) => identity4(address.octets()),
        IpAddr::V6(address) => identity6(address.octets()),
    }
}

impl Datapath {
    /// Puts attack mode in force, or ends it.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the write.
    pub fn set_attack(&mut self, attack: Attack) -> Result<(), DatapathError> {
        let mut settings = self.settings;
        settings.attack = attack;
        self.maps.write_settings(&settings)?;
        self.settings = settings;
        Ok(())
    }

    /// Makes a source known until then.
    ///
    /// # Errors
    ///
    /// When the map is full, or the kernel refuses the write.
    pub fn remember(&mut self, identity: u64, until: Nanos) -> Result<(), DatapathError> {
        self.maps
            .known
            .insert(identity, until, 0)
            .map_err(DatapathError::kernel("adding a known source"))
    }

    /// Makes a source unknown again, if it is known.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn forget(&mut self, identity: u64) -> Result<(), DatapathError> {
        match self.maps.known.remove(&identity) {
            Err(error) if !is_absent(&error) => {
                Err(DatapathError::kernel("removing a known source")(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Until when a source is known; it may have passed.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn known_until(&self, identity: u64) -> Result<Option<Nanos>, DatapathError> {
        match self.maps.known.get(&identity, 0) {
            Ok(until) => Ok(Some(until)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(DatapathError::kernel("reading a known source")(error)),
        }
    }

    /// Every known source, with its end.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn known(&self) -> Result<Vec<(u64, Nanos)>, DatapathError> {
        self.maps
            .known
            .iter()
            .collect::<Result<_, _>>()
            .map_err(DatapathError::kernel("reading the known sources"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_is_the_ipv4_host() {
        let of = |text: &str| identity(text.parse().unwrap());
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    }
}
