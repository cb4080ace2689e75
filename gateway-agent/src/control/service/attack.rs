//! Attack mode: whether it is on, and orders about it.
//!
//! An order stands in the kernel's settings, so it outlives the agent and can be given without
//! one. On and off take effect at once; what is left to the agent, the agent decides at its next
//! look.

use gateway_common::settings::{Attack, ORDER_NONE, ORDER_OFF, ORDER_ON};
use gateway_common::time::Nanos;

use super::Service;
use crate::control::api::{AttackStatus, OrderName};
use crate::control::{Actor, Fault};
use crate::store::{Action, Change, Durability};

impl From<OrderName> for u32 {
    fn from(order: OrderName) -> Self {
        match order {
            OrderName::Auto => ORDER_NONE,
            OrderName::On => ORDER_ON,
            OrderName::Off => ORDER_OFF,
        }
    }
}

/// What was ordered; a number that no version of this program wrote is no order.
pub(crate) const fn order_of(attack: &Attack) -> OrderName {
    match attack.order {
        ORDER_ON => OrderName::On,
        ORDER_OFF => OrderName::Off,
        _ => OrderName::Auto,
    }
}

impl Service {
    pub(super) fn attack_status(&self) -> Result<AttackStatus, Fault> {
        let attack = self.lists.attack()?;
        let since = Some(attack.since).filter(|since| *since != Nanos::ZERO);
        Ok(AttackStatus {
            on: attack.on != 0,
            order: order_of(&attack),
            since_unix_ms: since.and_then(|since| self.now().to_wall(since)),
            agent: self.hooks.attack(),
        })
    }

    pub(super) fn order(&self, actor: &Actor, order: OrderName) -> Result<AttackStatus, Fault> {
        let now = self.now();
        let change = Change {
            at: now.wall,
            actor: actor.to_string(),
            action: Action::Attack,
            list: None,
            prefix: None,
            rule: None,
            note: format!("attack mode: {}", order.name()),
        };
        {
            let mut store = self.store();
            let before = self.lists.attack()?;
            let on = match order {
                OrderName::On => true,
                OrderName::Off => false,
                // The agent looks at once. Without one nobody ever would.
                OrderName::Auto => before.on != 0 && self.hooks.agent().is_some(),
            };
            let since = match on == (before.on != 0) {
                true => before.since,
                false => now.monotonic,
            };
            self.lists.set_attack(Attack {
                on: on.into(),
                order: order.into(),
                since,
            })?;
            if let Err(error) = store.write(Durability::Synced, |writer| writer.log(&change)) {
                self.lists.set_attack(before)?;
                return Err(error.into());
            }
        }
        tracing::warn!(%actor, order = order.name(), "attack mode ordered");
        self.attack_status()
    }
}
