//! The registry of metrics, to which every part of the agent adds its own.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// All metrics of the agent; their names begin with `gateway_`.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            registry: Mutex::new(Registry::with_prefix("gateway")),
        }
    }
}

impl Metrics {
    /// Lets somebody add metrics, or a collector, which is asked at each scrape.
    pub fn register<T>(&self, add: impl FnOnce(&mut Registry) -> T) -> T {
        add(&mut self.lock())
    }

    /// All metrics in the OpenMetrics text format.
    ///
    /// # Errors
    /// When a collector fails.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.lock())?;
        Ok(text)
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
    }
}
