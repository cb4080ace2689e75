//! The machine that figures are taken on.

/// What the figures were taken on.
pub struct Machine {
    /// Its release, as `uname -r` has it.
    pub kernel: String,
    /// Its name, as /proc/cpuinfo has it.
    pub processor: String,
}

impl Machine {
    /// Asks this machine.
    #[must_use]
    pub fn read() -> Self {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = processors
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map_or("unknown processor", |(_, name)| name.trim());
        Self {
            kernel: kernel.trim().to_owned(),
            processor: processor.to_owned(),
        }
    }
}
