//! The tests over the wire: each request is sent to a running gateway as its client writes it, and
//! what it logged is read back between two marks, as the rule set's own test client does.
//!
//! The gateway promises that whoever reads an answer finds the lines in the log, so nothing is
//! waited for here; a line that comes later is counted.

use std::{
    fmt,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    drive::Outcome,
    options::Options,
    origin,
    suite::{Case, Response, Stage},
    wire,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer that is read.
const LONGEST: u64 = 4 << 20;

/// What the origin is to answer next, where a test says so.
type Wanted = Arc<Mutex<Option<Response>>>;

/// A gateway and its log.
pub(crate) struct Server {
    address: SocketAddr,
    log: File,
    wanted: Wanted,
    marks: u64,
    pub(crate) tally: Tally,
}

/// How its answers compare with those of the engine alone.
#[derive(Default)]
pub(crate) struct Tally {
    stages: usize,
    differing: usize,
    late: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stages,
            differing,
            late,
        } = self;
        write!(
            f,
            "{stages} requests over the wire: {differing} logged otherwise than in process, {late} \
             with lines after the answer"
        )
    }
}

impl Server {
    /// The server that the options name, if they do.
    pub(crate) fn find(options: &Options) -> Result<Option<Self>> {
        let Some(address) = options.agent else {
            return Ok(None);
        };
        let log = options.log.as_ref().context("--agent needs --log")?;
        let mut log = File::open(log).with_context(|| log.display().to_string())?;
        log.seek(SeekFrom::End(0)).context("--log")?;
        let wanted = Wanted::default();
        if let Some(origin) = options.origin {
            let listener = TcpListener::bind(origin).context("--origin")?;
            let wanted = Arc::clone(&wanted);
            std::thread::spawn(move || serve(&listener, &wanted));
        }
        Ok(Some(Self {
            address,
            log,
            wanted,
            marks: 0,
            tally: Tally::default(),
        }))
    }

    /// Runs every stage of a test.
    pub(crate) fn all_stages(&mut self, case: &Case) -> Result<Vec<Outcome>> {
        let stages = case
            .stages
            .iter()
            .map(|stage| self.stage(&case.name, stage));
        stages
            .collect::<Result<_>>()
            .with_context(|| case.name.clone())
    }

    /// Tells where the server logged other rules, or in another order, than the engine alone.
    pub(crate) fn compare(&mut self, case: &Case, alone: &[Outcome], live: &[Outcome]) {
        for (alone, live) in alone.iter().zip(live) {
            self.tally.stages += 1;
            if alone.logged != live.logged {
                self.tally.differing += 1;
                println!(
                    "differs: {}: in process {} {:?}, over the wire {} {:?}",
                    case.name, alone.status, alone.logged, live.status, live.logged
                );
            }
        }
    }

    fn stage(&mut self, name: &str, stage: &Stage) -> Result<Outcome> {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = stage.input.response.clone();
        let mut status = 0;
        self.mark()?;
        for target in stage.input.targets() {
            status = self.ask(&wire::write(&stage.input, target)?)?;
        }
        let log = self.news()?;
        let late = self.mark()?;
        if !late.is_empty() {
            self.tally.late += 1;
            let ids: Vec<u64> = late.lines().filter_map(id).collect();
            println!("late: {name}: after the answer came {ids:?}");
        }
        let log = log + &late;
        Ok(Outcome {
            status,
            logged: log.lines().filter_map(id).collect(),
            log,
        })
    }

    /// Sets a mark into the log; returns the lines before it that were not read yet.
    fn mark(&mut self) -> Result<String> {
        self.marks += 1;
        let mark = format!("mark-{}", self.marks);
        let request = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: regression\r\nAccept: */*\r\n\
             X-CRS-Test: {mark}\r\nConnection: close\r\n\r\n"
        );
        self.ask(request.as_bytes())?;
        let news = self.news()?;
        let named = format!("X-CRS-Test {mark}\"");
        let at = news.find(&named);
        let at = at.with_context(|| format!("the answer came before {mark} was in the log"))?;
        let before = news.get(..at).and_then(|head| head.rfind('\n'));
        Ok(before
            .and_then(|end| news.get(..=end))
            .unwrap_or_default()
            .to_owned())
    }

    /// What was written to the log since the last time.
    fn news(&mut self) -> Result<String> {
        let mut bytes = Vec::new();
        self.log.read_to_end(&mut bytes).context("--log")?;
        ensure!(
            bytes.is_empty() || bytes.ends_with(b"\n"),
            "the log ends in the middle of a line"
        );
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends bytes and returns the status of the answer, 0 where there is none.
    fn ask(&self, bytes: &[u8]) -> Result<u16> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE).context("--agent")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // A server may refuse before it has read all.
        let _ = stream.write_all(bytes);
        Ok(answer(&mut stream))
    }
}

/// Reads an answer to its end, as far as its head tells where that is.
fn answer(stream: &mut TcpStream) -> u16 {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    let mut stream = stream.take(LONGEST);
    while !is_whole(&bytes) {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(length) => bytes.extend_from_slice(piece.get(..length).unwrap_or_default()),
        }
    }
    let status = bytes.get(9..12).map(String::from_utf8_lossy);
    status.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let body = bytes.len() - end - 4;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse::<usize>().ok());
    let empty = head.starts_with("http/1.1 204") || head.starts_with("http/1.1 304");
    empty || length.is_some_and(|length| body >= length) || bytes.ends_with(b"\r\n0\r\n\r\n")
}

/// The rule that a line names.
fn id(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("[id \"")?;
    rest.split_once('"')?.0.parse().ok()
}

/// Answers what the gateway sends on, one connection after the other.
fn serve(listener: &TcpListener, wanted: &Wanted) {
    for stream in listener.incoming().flatten() {
        let wanted = wanted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let _ = serve_one(stream, wanted.as_ref());
    }
}

fn serve_one(mut stream: TcpStream, wanted: Option<&Response>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    let request = loop {
        let length = stream.read(&mut piece)?;
        bytes.extend_from_slice(piece.get(..length).unwrap_or_default());
        let whole = wire::is_whole(&bytes);
        if whole || length == 0 || bytes.len() as u64 > LONGEST {
            break wire::read(&bytes).unwrap_or_default();
        }
    };
    let answer = origin::answer(&request, wanted);
    let mut head = format!(
        "HTTP/1.1 {} Answer\r\nContent-Length: {}\r\nConnection: close\r\n",
        answer.status,
        answer.body.len()
    );
    let framed = ["content-length", "connection", "transfer-encoding"];
    for (name, value) in &answer.headers {
        if !framed.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    // The answer to HEAD has none.
    if request.method != b"HEAD" {
        stream.write_all(&answer.body)?;
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    let _ = stream.read(&mut piece);
    Ok(())
}
