//! Waiting for a condition, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The pause between two looks at the condition.
const PAUSE: Duration = Duration::from_millis(2);

/// Asks `condition` until it yields a value, and returns that.
///
/// The condition is asked at once, and once more after the deadline has passed, so that a slow
/// machine is not taken for a fault.
///
/// # Errors
///
/// After `deadline`, with a message that names `what` was waited for.
pub fn until<T>(
    deadline: Duration,
    what: &str,
    mut condition: impl FnMut() -> Option<T>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        let late = started.elapsed() >= deadline;
        if let Some(value) = condition() {
            return Ok(value);
        }
        if late {
            bail!("waited {deadline:?} in vain for {what}");
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_ends_the_wait() {
        let mut asked = 0;
        let got = until(Duration::from_secs(5), "three", || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(got.unwrap(), 3);
    }

    #[test]
    fn the_message_names_what_did_not_come() {
        let error = until(Duration::ZERO, "a bus", || None::<()>).unwrap_err();
        assert_eq!(error.to_string(), "waited 0ns in vain for a bus");
    }
}
