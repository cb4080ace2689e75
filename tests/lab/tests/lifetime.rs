//! How labs end: by drop, by signal, by a crash that the next lab cleans up after.
//!
//! Root is needed; without it these tests fail and say so.
#![cfg(test)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use gateway_lab::{Host, Lab, probe, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Where a lab with this id leaves traces.
fn traces(id: &str) -> Vec<String> {
    let mut all: Vec<_> = ["client", "attacker", "gateway", "upstream", "switch"]
        .map(|host| format!("/run/netns/gateway-lab-{id}-{host}"))
        .into();
    all.push(format!("/sys/fs/bpf/gateway-lab-{id}"));
    all.push(format!("/run/gateway-lab/{id}"));
    all.push(format!("/run/gateway-lab/{id}.lock"));
    all
}

#[track_caller]
fn assert_whole(id: &str) {
    for path in traces(id) {
        assert!(Path::new(&path).exists(), "{path} is missing");
    }
}

#[track_caller]
fn assert_gone(id: &str) {
    for path in traces(id) {
        assert!(!Path::new(&path).exists(), "{path} is still there");
    }
}

/// Another process that holds a lab until it is killed or its standard input ends.
struct Holder {
    child: Child,
    id: String,
    inhabitant: Pid,
    // Held here, where waiting for the child does not close it.
    stdin: Option<ChildStdin>,
    // Kept open: the child prints more, and would fail when nobody reads.
    _said: BufReader<ChildStdout>,
}

impl Holder {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "holds_a_lab", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let holding = said
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (id, pid) = line.split_once("HOLDING ")?.1.split_once(' ')?;
                Some((id.to_owned(), Pid::from_raw(pid.parse().ok()?)))
            });
        let (id, inhabitant) = holding.expect("the child should hold a lab");
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            id,
            inhabitant,
            _said: said,
        }
    }

    fn signal(&mut self, signal: Signal) -> Option<i32> {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
        self.child.wait().unwrap().signal()
    }
}

/// Run by the other tests in a process of its own.
#[test]
#[ignore = "waits to be killed"]
fn holds_a_lab() {
    let lab = Lab::up("held").unwrap();
    let mut inhabitant = settle(&lab, Host::Gateway);
    // Two writers to one pipe: the line is written at once, so that it stays whole.
    let line = format!("HOLDING {} {}\n", lab.id(), inhabitant.id());
    std::io::stdout().write_all(line.as_bytes()).unwrap();
    let _ended = std::io::stdin().read(&mut [0]);
    drop(lab);
    inhabitant.wait().unwrap();
}

/// A process inside a host, once `nsenter` has entered and become it.
fn settle(lab: &Lab, host: Host) -> Child {
    let child = lab
        .host(host)
        .command("cat")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    wait::until(Duration::from_secs(10), "the process to enter", || {
        std::fs::read_to_string(format!("/proc/{}/comm", child.id()))
            .is_ok_and(|name| name == "cat\n")
            .then_some(())
    })
    .unwrap();
    child
}

fn lives(pid: Pid) -> bool {
    // A process that ended and was not waited for yet is a zombie: state Z in proc_pid_stat(5).
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().unwrap_or("Z").starts_with('Z'))
}

#[test]
fn dropping_a_lab_removes_everything_and_whoever_lives_in_it() {
    let lab = Lab::up("drop").unwrap();
    let id = lab.id().to_owned();
    assert_whole(&id);
    std::fs::create_dir_all(lab.pins().join("deep/er")).unwrap();
    std::fs::write(lab.state().join("note"), "x").unwrap();
    let mut inside = settle(&lab, Host::Client);
    let mut outside = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    drop(lab);
    assert_gone(&id);
    assert_eq!(inside.wait().unwrap().signal(), Some(9));
    assert!(
        outside.try_wait().unwrap().is_none(),
        "a process outside was ended"
    );
    outside.kill().unwrap();
    outside.wait().unwrap();
}

#[test]
fn a_panic_removes_the_lab() {
    let mut id = String::new();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let lab = Lab::up("panic").unwrap();
        id = lab.id().to_owned();
        lab.host(Host::Client).in_ns(|| panic!("inside")).unwrap();
    }));
    assert!(outcome.is_err(), "a panic inside a host goes on outside");
    assert_gone(&id);
}

#[test]
fn signals_remove_the_lab_before_they_end_the_process() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut holder = Holder::start();
        assert_whole(&holder.id);
        assert_eq!(holder.signal(signal), Some(signal as i32));
        assert_gone(&holder.id);
        assert!(!lives(holder.inhabitant));
    }
}

#[test]
fn the_next_lab_removes_what_a_killed_run_left() {
    let mut holder = Holder::start();
    assert_whole(&holder.id);
    std::fs::create_dir(format!("/sys/fs/bpf/gateway-lab-{}/pin", holder.id)).unwrap();
    assert_eq!(holder.signal(Signal::SIGKILL), Some(9));

    let lab = Lab::up("after").unwrap();
    assert_gone(&holder.id);
    assert!(!lives(holder.inhabitant), "its process lives on");
    assert_whole(lab.id());
}

#[test]
fn labs_that_live_at_once_do_not_disturb_each_other() {
    let mut holder = Holder::start();
    let one = Lab::up("twins").unwrap();
    let two = Lab::up("twins").unwrap();
    assert_ne!(one.id(), two.id());
    assert_whole(&holder.id);
    assert!(lives(holder.inhabitant));

    two.down().unwrap();
    assert_whole(one.id());
    let pings = probe::ping(one.host(Host::Client), Host::Gateway.ip4().into(), 1).unwrap();
    assert_eq!(pings.received, 1);

    drop(holder.stdin.take());
    assert!(holder.child.wait().unwrap().success());
    assert_gone(&holder.id);
}
