//! Imports through the agent: rolled back unless confirmed, and whole or not at all.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use gateway_lab::Host;
use serde_json::json;

use super::world::World;

impl World {
    /// A file in the lab's folder.
    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.lab.state().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn import(&self, file: &Path, options: &[&str]) -> String {
        let mut args = vec!["deny", "import", file.to_str().unwrap()];
        args.extend(options);
        self.agent.gateway(args).unwrap().done().unwrap().out
    }

    fn denied(&self) -> usize {
        let list = self.agent.json(["deny", "list"]).unwrap();
        list["entries"].as_array().unwrap().len()
    }
}

#[test]
fn an_import_that_nobody_confirms_is_taken_back() {
    let world = World::running("importtrial", &json!({}));
    let first = world.file("drop.txt", "198.18.0.1\n198.18.0.2\n");
    world.import(&first, &[]);
    let second = world.file("other.txt", "198.18.0.2\n198.19.0.0/24 # new\n");
    let trial = ["--replace", "drop.txt", "--confirm", "3s"];
    let said = world.import(&second, &trial);
    assert!(said.contains("unless you type: gateway confirm"), "{said}");
    for (address, verdict) in [("198.18.0.1", "pass"), ("198.19.0.9", "denied-prefix")] {
        assert_eq!(world.explain(address)["verdict"], verdict, "{address}");
    }
    world.until_verdict("198.19.0.9", "pass");
    world.until_verdict("198.18.0.1", "denied-exact");
    assert_eq!(world.denied(), 2);
    let late = world.agent.gateway(["confirm"]).unwrap();
    assert!(
        late.code == 1 && late.err.contains("has been taken back"),
        "{late:?}"
    );

    world.import(&second, &trial);
    world.agent.gateway(["confirm"]).unwrap().done().unwrap();
    let explained = world.explain("198.19.0.9");
    assert_eq!(explained["decided_by"]["import"]["line"], 2, "{explained}");
    assert_eq!(explained["decided_by"]["expires_unix_ms"], json!(null));
}

#[test]
fn a_trial_ends_though_the_agent_was_killed() {
    let mut world = World::running("importkilled", &json!({}));
    let file = world.file("drop.txt", "198.19.0.0/24\n");
    world.import(&file, &["--confirm", "4s"]);
    assert_eq!(world.explain("198.19.0.9")["verdict"], "denied-prefix");
    world.agent.kill().unwrap();
    // Nobody is there to take it back; the kernel ends it by itself.
    world.until_verdict("198.19.0.9", "pass");
    world.agent.start().unwrap();
    assert_eq!(world.denied(), 0);
    assert_eq!(world.explain("198.19.0.9")["verdict"], "pass");
}

#[test]
fn an_agent_killed_in_the_middle_of_an_import_has_all_of_it_or_nothing() {
    const MANY: usize = 60_000;
    let mut world = World::running("importcrash", &json!({}));
    let mut content = String::new();
    for n in 0..MANY {
        writeln!(content, "11.{}.{}.{}", n >> 16, (n >> 8) & 255, n & 255).unwrap();
    }
    let file = world.file("many.txt", &content);
    let last = format!("11.0.{}.{}", ((MANY - 1) >> 8) & 255, (MANY - 1) & 255);
    for pause in [30, 120, 400, 900] {
        let mut import = world
            .host(Host::Gateway)
            .command(world.agent.binary())
            .args(["deny", "import"])
            .arg(&file)
            .arg("--config")
            .arg(world.agent.config())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // When the agent dies is not to be foreseen, and shall not be.
        thread::sleep(Duration::from_millis(pause));
        world.agent.kill().unwrap();
        import.wait().unwrap();
        world.agent.start().unwrap();
        let denied = world.denied();
        assert!(denied == 0 || denied == MANY, "{denied} after {pause} ms");
        for address in ["11.0.0.0", last.as_str()] {
            let why = world.explain(address);
            let action = if denied == 0 { "pass" } else { "drop" };
            assert_eq!(why["action"], action, "after {pause} ms");
            // The entries fill their blocks, so the program names none; the store still does.
            let decided_by = why["decided_by"]["prefix"].as_str();
            assert_eq!(decided_by, (denied > 0).then_some(address), "{why}");
        }
    }
}
