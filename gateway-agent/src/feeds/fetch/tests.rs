//! Servers that are well, and servers that are not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// What a server does with a connection once it has read a request's head.
type Answer = dyn Fn(&str, &mut dyn Write) -> std::io::Result<()> + Send + Sync;

/// A server on this host, with or without TLS, that remembers the heads it has read.
struct Server {
    address: SocketAddr,
    secure: bool,
    heads: Arc<Mutex<Vec<String>>>,
    folder: tempfile::TempDir,
}

impl Server {
    fn plain(
        answer: impl Fn(&str, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start(None, tempfile::tempdir().unwrap(), Arc::new(answer))
    }

    fn tls(
        answer: impl Fn(&str, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                key.serialize_der().try_into().unwrap(),
            )
            .unwrap();
        Self::start(Some(Arc::new(config)), folder, Arc::new(answer))
    }

    fn start(
        tls: Option<Arc<ServerConfig>>,
        folder: tempfile::TempDir,
        answer: Arc<Answer>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            secure: tls.is_some(),
            heads: Arc::default(),
            folder,
        };
        let heads = Arc::clone(&server.heads);
        // It lives as long as the process of the tests.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (heads, tls) = (Arc::clone(&heads), tls.clone());
                let answer = Arc::clone(&answer);
                thread::spawn(move || {
                    // Clients go away as they please.
                    let _ = serve(stream.unwrap(), tls, &heads, answer.as_ref());
                });
            }
        });
        server
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn fetch(&self) -> Fetch {
        let scheme = if self.secure { "https" } else { "http" };
        let url = format!("{scheme}://{}/lists/drop.txt?key=1", self.address);
        Fetch {
            url: url.parse().unwrap(),
            tls: self.secure.then(|| trusting(Some(&self.ca())).unwrap()),
            timeout: Duration::from_secs(10),
            max_size: 1_000,
            known: Validators::default(),
        }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    heads: &Mutex<Vec<String>>,
    answer: &Answer,
) -> std::io::Result<()> {
    let Some(tls) = tls else {
        let head = head(&mut stream)?;
        heads.lock().unwrap().push(head.clone());
        return answer(&head, &mut stream);
    };
    let connection = ServerConnection::new(tls).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let head = head(&mut stream)?;
    heads.lock().unwrap().push(head.clone());
    answer(&head, &mut stream)?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn head(stream: &mut impl Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8(head).unwrap())
}

fn run(fetch: &Fetch) -> Result<Fetched, FetchError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(fetch.run())
}

fn refused(fetch: &Fetch) -> String {
    run(fetch).unwrap_err().to_string()
}

#[test]
fn one_that_has_not_changed_costs_no_body() {
    let server = Server::tls(|head, out| match head.contains("if-none-match: \"v1\"") {
        true => write!(out, "HTTP/1.1 304 Not Modified\r\netag: \"v1\"\r\n\r\n"),
        false => write!(
            out,
            "HTTP/1.1 200 OK\r\netag: \"v1\"\r\nlast-modified: Sun, 22 Nov 2026 22:00:00 GMT\r\n\
             content-length: 10\r\n\r\n192.0.2.1\n"
        ),
    });
    let mut fetch = server.fetch();
    let Fetched::New { body, validators } = run(&fetch).unwrap() else {
        panic!("nothing was known");
    };
    assert_eq!(body, b"192.0.2.1\n");
    fetch.known = validators;
    assert_eq!(run(&fetch).unwrap(), Fetched::Unchanged);
    let heads = server.heads();
    assert!(
        heads[0].starts_with("GET /lists/drop.txt?key=1 HTTP/1.1\r\n"),
        "{}",
        heads[0]
    );
    assert!(
        heads[0].contains(&format!("host: {}\r\n", server.address)),
        "{}",
        heads[0]
    );
    assert!(!heads[0].contains("if-"), "{}", heads[0]);
    let since = "if-modified-since: Sun, 22 Nov 2026 22:00:00 GMT\r\n";
    assert!(heads[1].contains(since), "{}", heads[1]);
}

#[test]
fn who_is_not_trusted_is_not_heard() {
    let server = Server::tls(|_, out| write!(out, "HTTP/1.1 200 OK\r\n\r\n"));
    let other = Server::tls(|_, _| Ok(()));
    let fetch = Fetch {
        tls: Some(trusting(Some(&other.ca())).unwrap()),
        ..server.fetch()
    };
    let said = refused(&fetch);
    assert!(
        said.contains("no secure connection") && said.contains("invalid peer certificate"),
        "{said}"
    );
    assert_eq!(server.heads(), [""; 0]);
    // Nor is one that speaks no TLS at all, or has another name.
    let plain = Server::plain(|_, _| Ok(()));
    let fetch = Fetch {
        url: format!("https://{}/", plain.address).parse().unwrap(),
        timeout: Duration::from_millis(300),
        ..server.fetch()
    };
    assert!(refused(&fetch).contains("was not here within"));
    let fetch = Fetch {
        url: format!("https://localhost:{}/", server.address.port())
            .parse()
            .unwrap(),
        ..server.fetch()
    };
    assert!(refused(&fetch).contains("no secure connection"));
}

#[test]
fn an_authority_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    assert!(
        trusting(Some(&file))
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );
    std::fs::write(&file, "hello").unwrap();
    assert!(
        trusting(Some(&file))
            .unwrap_err()
            .to_string()
            .contains("has no certificate")
    );
}

#[test]
fn half_of_a_feed_is_none() {
    let server = Server::tls(|_, out| {
        write!(
            out,
            "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n192.0.2.1\n"
        )
    });
    let said = refused(&server.fetch());
    assert!(said.contains("broke off"), "{said}");
    let server = Server::plain(|_, out| {
        write!(
            out,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n192.0.2.1\n\r\n"
        )
    });
    assert!(refused(&server.fetch()).contains("broke off"));
    let nonsense = Server::plain(|_, out| write!(out, "SSH-2.0-OpenSSH\r\n"));
    assert!(refused(&nonsense.fetch()).contains("is no HTTP"));
    let silent = Server::plain(|_, _| Ok(()));
    assert!(refused(&silent.fetch()).contains("broke off"));
}

#[test]
fn no_more_is_read_than_may_be() {
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let server = Server::plain(move |_, out| {
        write!(out, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
        loop {
            count.fetch_add(out.write(&[b'x'; 4096])?, Ordering::Relaxed);
        }
    });
    let said = refused(&server.fetch());
    assert!(said.contains("more than 1000 bytes; `max_size`"), "{said}");
    let exact = Server::plain(|_, out| {
        write!(
            out,
            "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{}",
            "x".repeat(1_000)
        )
    });
    assert!(matches!(run(&exact.fetch()), Ok(Fetched::New { body, .. }) if body.len() == 1_000));
}

#[test]
fn one_that_dribbles_comes_to_an_end() {
    for pieces in [&["HTTP/1.1 200 OK\r\n\r\n"][..], &["HTTP/1.1 200 OK\r\n"]] {
        let server = Server::plain(move |_, out| {
            for piece in pieces {
                out.write_all(piece.as_bytes())?;
            }
            loop {
                thread::sleep(Duration::from_millis(50));
                out.write_all(b"x")?;
                out.flush()?;
            }
        });
        let fetch = Fetch {
            timeout: Duration::from_millis(400),
            ..server.fetch()
        };
        assert!(refused(&fetch).contains("was not here within"));
    }
}

#[test]
fn redirects_are_followed_and_end() {
    let server = Server::tls(|head, out| match head.starts_with("GET /lists/new.txt ") {
        true => write!(out, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        false => write!(
            out,
            "HTTP/1.1 302 Found\r\nlocation: new.txt\r\ncontent-length: 0\r\n\r\n"
        ),
    });
    assert!(matches!(run(&server.fetch()), Ok(Fetched::New { body, .. }) if body == b"ok"));
    let circle = Server::tls(|_, out| {
        write!(
            out,
            "HTTP/1.1 307 Again\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n"
        )
    });
    assert!(refused(&circle.fetch()).contains("more than 5 times"));
    assert_eq!(circle.heads().len(), 6);
    let down = Server::tls(|_, out| {
        write!(
            out,
            "HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n"
        )
    });
    assert!(refused(&down.fetch()).contains("not encrypted"));
}

#[test]
fn other_answers_are_no_feed() {
    for (answer, why) in [
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "answers 404 Not Found",
        ),
        (
            "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",
            "answers 503",
        ),
        (
            "HTTP/1.1 206 Partial\r\ncontent-length: 1\r\n\r\nx",
            "answers 206",
        ),
        // Nobody said that anything was known.
        ("HTTP/1.1 304 Not Modified\r\n\r\n", "answers 304"),
        (
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
            "in the coding \"gzip\"",
        ),
    ] {
        let server = Server::plain(move |_, out| out.write_all(answer.as_bytes()));
        let said = refused(&server.fetch());
        assert!(said.contains(why), "{said}");
    }
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = Server::plain(|_, _| Ok(()));
    let fetch = Fetch {
        url: format!("http://{gone}/").parse().unwrap(),
        ..server.fetch()
    };
    assert!(refused(&fetch).contains("takes no connection"));
}
