//! How many connections each client has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use gateway_policy::client::ClientKey;
use gateway_policy::limits::Shards;

/// The counts, of clients with at least one connection.
#[derive(Debug)]
pub(super) struct Clients {
    counts: Shards<Mutex<HashMap<ClientKey, usize>>>,
}

/// One connection of a client, until it is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    clients: Arc<Clients>,
    client: ClientKey,
}

impl Clients {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            counts: Shards::new(16, Mutex::default),
        })
    }

    /// Counts one more connection; `None` when the client has `most` already.
    pub(super) fn enter(self: &Arc<Self>, client: ClientKey, most: usize) -> Option<Counted> {
        let mut counts = self.lock(client);
        let count = counts.get(&client).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        counts.insert(client, count + 1);
        drop(counts);
        Some(Counted {
            clients: Arc::clone(self),
            client,
        })
    }

    fn lock(&self, client: ClientKey) -> MutexGuard<'_, HashMap<ClientKey, usize>> {
        self.counts
            .of(client)
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.clients.lock(self.client);
        match counts.get_mut(&self.client) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => {
                counts.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn each_client_has_its_own_count_and_gets_it_back() {
        let clients = Clients::new();
        let key = |addr: &str| ClientKey::from(addr.parse::<IpAddr>().unwrap());
        let first = clients.enter(key("2001:db8::1"), 2).unwrap();
        let second = clients.enter(key("2001:db8::2"), 2).unwrap();
        assert!(
            clients.enter(key("2001:db8::3"), 2).is_none(),
            "the same /64"
        );
        assert!(clients.enter(key("192.0.2.1"), 2).is_some());
        drop(first);
        let third = clients.enter(key("2001:db8::3"), 2).unwrap();
        drop((second, third));
        assert!(
            clients
                .counts
                .iter()
                .all(|shard| shard.lock().unwrap().is_empty())
        );
    }
}
