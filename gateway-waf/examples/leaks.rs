//! What it costs to look for leaks in responses: `cargo run --release -p gateway-waf --example leaks`.

use std::time::Duration;

use anyhow::Context;
use gateway_waf::leaks::{Action, Framing, Kind, Screen, Search};
use nix::time::{ClockId, clock_gettime};

/// The size of a body, and of the pieces that it comes in.
const BODY: usize = 16 << 20;
const PIECE: usize = 16 << 10;
const ROUNDS: usize = 7;

fn main() -> anyhow::Result<()> {
    println!(
        "MB/s, the median of {ROUNDS} rounds over {} MiB in pieces of {} KiB\n",
        BODY >> 20,
        PIECE >> 10
    );
    println!(
        "{:<12}{:>8}{:>8}{:>14}{:>12}{:>8}",
        "", "card", "key", "stack-trace", "sql-error", "all"
    );
    let bodies = [
        ("json", json()),
        ("html", "<li class=\"item\"><a href=\"/a/b\">We met at noon, at the end of the line.</a></li>\n".to_owned()),
        ("base64", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ".to_owned()),
        ("digits", "4111111111111112".to_owned()),
        ("cards", "4111 1111 1111 1111\n".to_owned()),
        ("traces", "\tat com.shop.Cart.total(Cart.java:42)\n".to_owned()),
        ("nearly", "at a at b at c.d.e.f at (at x(at y".to_owned()),
    ];
    for (name, text) in bodies {
        let body = text.repeat(BODY / text.len());
        print!("{name:<12}");
        for (kind, width) in Kind::ALL
            .into_iter()
            .map(Some)
            .chain([None])
            .zip([8, 8, 14, 12, 8])
        {
            let action = |found| match kind {
                Some(kind) if kind != found => Action::Off,
                Some(_) | None => Action::Mask,
            };
            let search = Search::new(action)?.context("nothing to look for")?;
            print!("{:>width$.0}", speed(&search, body.as_bytes()));
        }
        println!();
    }
    Ok(())
}

/// Millions of bytes a second.
fn speed(search: &Search, body: &[u8]) -> f64 {
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = cpu_time();
            let mut screen = Screen::new(Framing::Text);
            let mut sent = 0;
            for piece in body.chunks(PIECE) {
                sent += screen.push(search, piece).map_or(0, |bytes| bytes.len());
            }
            sent += screen.finish(search).map_or(0, |bytes| bytes.len());
            assert_eq!(sent, body.len(), "a body keeps its length");
            cpu_time().saturating_sub(begin).as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(ROUNDS / 2).copied().unwrap_or(f64::INFINITY);
    body.len() as f64 / 1e6 / median
}

/// The CPU time of this thread, which other work on the machine does not lengthen.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

fn json() -> String {
    let item = |n: u64| {
        serde_json::json!({
            "id": 1_577_836_800_000_000 + n * 7919, "order": format!("{:016}", n * 104_729_000_003),
            "trace": "67e55044-10b1-426f-9247-bb680e5fe0c8", "total": 12.5, "paid": true,
            "note": "the customer asked for delivery at noon, at the back door", "tags": ["a", "b"],
        })
    };
    (0..1000).map(|n| item(n).to_string()).collect()
}
