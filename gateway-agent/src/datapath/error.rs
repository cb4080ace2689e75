//! What can be wrong with the data plane, each with what to do about it.

use aya::{maps::MapError, sys::SyscallError};
use std::{io, path::PathBuf};

use gateway_common::{abi::ABI_VERSION, tables::List};
use gateway_policy::grammar::Prefix;
use thiserror::Error;

/// A fault of the data plane, in one sentence that says what to do.
#[derive(Debug, Error)]
pub enum DatapathError {
    /// No agent ever loaded a data plane here.
    #[error(
        "no data plane is loaded under {}: start the agent with `gateway run`, or name its pins \
         with --pins", pins.display()
    )]
    NotThere {
        /// Where the pins were looked for.
        pins: PathBuf,
    },

    /// The caller may not use bpf(2).
    #[error(
        "not permitted to load or read the data plane: run as root, or with CAP_BPF, \
         CAP_NET_ADMIN and CAP_PERFMON"
    )]
    NotPermitted,

    /// The pin directory is not on a bpffs and none could be mounted.
    #[error("{} is not on a bpf file system: {reason}", path.display())]
    NoBpffs {
        /// The pin directory.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },

    /// The kernel lacks something that the program needs.
    #[error("kernel {release} is too old for the data plane: it needs Linux 5.18 or later")]
    KernelTooOld {
        /// `uname -r`.
        release: String,
    },

    /// The pins belong to another version of the gateway.
    #[error(
        "the pins under {} have ABI version {found}, this gateway has {ABI_VERSION} and cannot \
         read them: start the version that made them, or run `gateway detach` and start this one, \
         which fills new maps from the store (what the old ones counted is lost, and nothing is \
         filtered in between)", pins.display()
    )]
    OtherAbi {
        /// Where the pins are.
        pins: PathBuf,
        /// The version found.
        found: u32,
    },

    /// The pins are not the gateway's.
    #[error(
        "{} is not a map of this gateway ({reason}): remove it, or name another directory with \
         paths.pins", path.display()
    )]
    ForeignPin {
        /// The pin.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The interface does not exist.
    #[error("interface {name} does not exist: `ip link` lists those that do")]
    NoInterface {
        /// The name asked for.
        name: String,
    },

    /// A bond and one of its members are both to be filtered.
    #[error(
        "interface {member} is a member of {bond}, which is filtered too: name only one of them \
         (the bond filters what comes in by any member)"
    )]
    BondMember {
        /// The bond.
        bond: String,
        /// Its member.
        member: String,
    },

    /// Another program filters the interface.
    #[error(
        "interface {name}, or the bond that it is a member of, already runs an XDP program that is \
         not this gateway's: detach it (`ip link set dev {name} xdp off`, or the tool that put it \
         there), then try again"
    )]
    ForeignProgram {
        /// The interface.
        name: String,
    },

    /// The driver runs no XDP program in the mode asked for.
    #[error(
        "interface {name} refuses {mode} mode ({source}): set `mode: auto` to fall back to \
         generic mode"
    )]
    ModeRefused {
        /// The interface.
        name: String,
        /// The mode asked for.
        mode: &'static str,
        /// What the kernel said.
        source: io::Error,
    },

    /// The kernel attached without a link object, which cannot be pinned.
    #[error("interface {name} takes no XDP link: the kernel is too old (5.9 is the first with it)")]
    NoLink {
        /// The interface.
        name: String,
    },

    /// Every counter block is taken.
    #[error("{max} interfaces are filtered already, which is the most")]
    TooManyInterfaces {
        /// How many.
        max: u32,
    },

    /// A list is full; the entry was not added and nothing was evicted.
    #[error(
        "the {} list is full ({capacity} {family} entries): {prefix} was not added; remove \
         entries or merge them into prefixes", name_of(*list)
    )]
    ListFull {
        /// The list.
        list: List,
        /// The prefix that found no room.
        prefix: Prefix,
        /// Entries that fit.
        capacity: u32,
        /// `IPv4` or `IPv6`.
        family: &'static str,
    },

    /// Something the kernel refused, in its own words.
    #[error("{what}: {source}")]
    Kernel {
        /// What was being done.
        what: String,
        /// What the kernel or the loader said.
        #[source]
        source: anyhow::Error,
    },
}

impl DatapathError {
    /// Wraps what the kernel said while doing `what`; a refused privilege gets its own variant.
    pub(super) fn kernel<E>(what: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |error| {
            let source = anyhow::Error::new(error);
            match errno(&source) {
                Some(nix::libc::EPERM | nix::libc::EACCES) => Self::NotPermitted,
                _ => Self::Kernel {
                    what: what.into(),
                    source,
                },
            }
        }
    }
}

/// The system error at the root of an error chain, if there is one.
pub(super) fn errno(error: &anyhow::Error) -> Option<i32> {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<io::Error>()?.raw_os_error())
}

/// Whether the kernel says that there is no such element.
pub(super) fn is_absent(error: &MapError) -> bool {
    let is_gone = |error: &SyscallError| error.io_error.raw_os_error() == Some(nix::libc::ENOENT);
    matches!(error, MapError::KeyNotFound)
        || matches!(error, MapError::SyscallError(error) if is_gone(error))
}

/// The name of a list, as the command line has it.
#[must_use]
pub fn name_of(list: List) -> &'static str {
    match list {
        List::Deny => "deny",
        List::Allow => "allow",
        List::Zone => "zone",
    }
}
