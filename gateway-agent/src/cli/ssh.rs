//! From where somebody is logged in over SSH.

use std::fs;
use std::net::IpAddr;

/// The variable that sshd(8) sets: client address and port, server address and port.
const VARIABLE: &str = "SSH_CONNECTION";

/// Processes between this one and the login shell that are looked at: sudo, scripts, multiplexers.
const ANCESTORS: usize = 16;

/// The client's address of the SSH session that this process belongs to.
///
/// sudo takes the variable away, so the environments of the processes above are looked at too.
pub(super) fn session() -> Option<IpAddr> {
    if let Some(client) = std::env::var(VARIABLE).ok().as_deref().and_then(client) {
        return Some(client);
    }
    let mut pid = std::os::unix::process::parent_id();
    for _ in 0..ANCESTORS {
        if pid <= 1 {
            return None;
        }
        if let Some(client) = environment(pid).as_deref().and_then(client) {
            return Some(client);
        }
        pid = parent(pid)?;
    }
    None
}

/// The variable in the environment that a process was started with (proc(5)).
fn environment(pid: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).ok()?;
    find(&bytes)
}

fn find(environ: &[u8]) -> Option<String> {
    environ.split(|b| *b == 0).find_map(|pair| {
        let value = pair.strip_prefix(VARIABLE.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

fn parent(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok()
}

/// The address in the variable's value; a link-local one carries its interface, which goes.
fn client(value: &str) -> Option<IpAddr> {
    let address = value.split_ascii_whitespace().next()?;
    let address = address.split_once('%').map_or(address, |(a, _)| a);
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_client_comes_first() {
        let is = |value, expected: &str| {
            assert_eq!(client(value), expected.parse().ok(), "{value}");
        };
        is("203.0.113.9 52144 198.51.100.1 22", "203.0.113.9");
        is("2001:db8::9 52144 2001:db8::1 22", "2001:db8::9");
        is("fe80::1%eth0 52144 fe80::2%eth0 22", "fe80::1");
        for value in ["", "nobody 1 2 3"] {
            assert_eq!(client(value), None);
        }
    }

    #[test]
    fn the_variable_is_found_among_others() {
        let environ = b"HOME=/root\0SSH_CONNECTIONS=x\0SSH_CONNECTION=203.0.113.9 1 2 3\0A=";
        assert_eq!(find(environ).as_deref(), Some("203.0.113.9 1 2 3"));
        assert_eq!(find(b"HOME=/root\0"), None);
    }

    #[test]
    fn another_process_is_looked_into() {
        let mut child = Command::new("cat")
            .env(VARIABLE, "203.0.113.9 1 2 3")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A process that answers has the environment it was given.
        let mut byte = [0];
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut byte)
            .unwrap();
        assert_eq!(
            environment(child.id()).as_deref().and_then(client),
            "203.0.113.9".parse().ok()
        );
        assert_eq!(parent(child.id()), Some(std::process::id()));
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
