//! A client that means no harm, and what it waits for.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use gateway_lab::{Host, Lab, visitor::Visits};

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause from the beginning of one request to that of the next, when it is over by then.
const EVERY: Duration = Duration::from_millis(4);
/// The most that is read of an answer, in bytes.
const LONGEST: u64 = 1 << 20;

/// Makes requests for so long, each over a TCP connection of its own: what a flood of SYNs would
/// spoil first is getting one.
pub(crate) fn visit(lab: &Lab, length: Duration) -> Result<Visits> {
    lab.host(Host::Client).in_ns(|| {
        let mut visits = Visits::default();
        let started = Instant::now();
        while started.elapsed() < length {
            let asked = Instant::now();
            match ask() {
                Ok(()) => visits.took.push(asked.elapsed()),
                Err(error) => visits.failures.push(format!("{error:#}")),
            }
            thread::sleep(EVERY.saturating_sub(asked.elapsed()));
        }
        visits
    })
}

fn ask() -> Result<()> {
    let to = SocketAddr::from((Host::Gateway.ip4(), 80));
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE).context("connecting")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        to.ip()
    )?;
    let mut answer = Vec::new();
    stream
        .take(LONGEST)
        .read_to_end(&mut answer)
        .context("waiting for the answer")?;
    ensure!(answer.starts_with(b"HTTP/1.1 200 "), "no 200");
    Ok(())
}
