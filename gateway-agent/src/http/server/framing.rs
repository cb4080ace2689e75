//! Where requests begin and end in the bytes of an HTTP/1.1 connection.
//!
//! hyper frames messages by itself and well, but it drops a `Content-Length` that stands beside
//! a `Transfer-Encoding` before anybody sees it, and it does not tell a connection that sends
//! half a header section from an idle one. Both are seen here. Nothing is decided by this
//! reading but refusals: where it loses track it goes blind, and hyper goes on alone.

/// The reading of one connection.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    line: Line,
    head: Head,
    /// Requests whose header section was complete.
    heads: u32,
    tangled: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first byte of a request.
    Start,
    /// In the request line.
    RequestLine,
    /// In the header section.
    Fields,
    /// In a body with a known rest.
    Fixed(u64),
    ChunkSize,
    ChunkData(u64),
    /// At the line end behind a chunk.
    ChunkEnd,
    Trailers,
    /// Lost, or behind a request that is refused and closes the connection.
    Blind,
}

/// What the header section says of the body so far.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    lengths: u32,
    codings: u32,
    length: u64,
    /// A length or coding that cannot be followed here.
    strange: bool,
}

/// The beginning of the line being read.
#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
    cut: bool,
}

/// The longest line kept; the fields that matter are shorter.
const MAX_LINE: usize = 256;

impl Framing {
    pub(super) fn new() -> Self {
        Self {
            state: State::Start,
            line: Line::default(),
            head: Head::default(),
            heads: 0,
            tangled: None,
        }
    }

    /// Reads on.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Blind => return,
                State::Fixed(left) => self.skip(rest, left, State::Fixed, State::Start),
                State::ChunkData(left) => self.skip(rest, left, State::ChunkData, State::ChunkEnd),
                State::Start
                | State::RequestLine
                | State::Fields
                | State::ChunkSize
                | State::ChunkEnd
                | State::Trailers => self.line(rest),
            };
        }
    }

    /// Whether a header section has begun and not ended.
    pub(super) fn in_head(&self) -> bool {
        matches!(self.state, State::RequestLine | State::Fields)
    }

    /// Whether the client is, or may be, in the middle of something.
    pub(super) fn in_message(&self) -> bool {
        self.state != State::Start
    }

    /// The number, from 0, of the first request whose length is given in two ways.
    pub(super) fn tangled(&self) -> Option<u32> {
        self.tangled
    }

    fn skip<'b>(
        &mut self,
        bytes: &'b [u8],
        left: u64,
        more: fn(u64) -> State,
        done: State,
    ) -> &'b [u8] {
        let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left.saturating_sub(skipped as u64);
        self.state = if left == 0 { done } else { more(left) };
        bytes.get(skipped..).unwrap_or_default()
    }

    /// Takes up to the end of the line, and reads the line when it is whole.
    fn line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let (piece, rest, whole) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let (piece, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
                (piece, rest.get(1..).unwrap_or_default(), true)
            }
            None => (bytes, &[][..], false),
        };
        self.line.push(piece);
        if self.state == State::Start && !self.line.is_blank() {
            self.state = State::RequestLine;
        }
        if whole {
            let mut line = std::mem::take(&mut self.line);
            self.state = self.next(&line);
            line.bytes.clear();
            // The buffer is kept for the next line.
            self.line.bytes = line.bytes;
        }
        rest
    }

    fn next(&mut self, line: &Line) -> State {
        let text = line.text();
        match self.state {
            // Empty lines before a request are skipped (RFC 9112 section 2.2).
            State::Start => State::Start,
            State::RequestLine => {
                self.head = Head::default();
                State::Fields
            }
            State::Fields if text.is_empty() => self.body(),
            State::Fields => {
                self.head.field(text, line.cut);
                State::Fields
            }
            State::ChunkSize => match chunk_size(text) {
                Some(0) => State::Trailers,
                Some(size) => State::ChunkData(size),
                None => State::Blind,
            },
            State::ChunkEnd if text.is_empty() => State::ChunkSize,
            State::ChunkEnd => State::Blind,
            State::Trailers if text.is_empty() => State::Start,
            State::Trailers => State::Trailers,
            state @ (State::Fixed(_) | State::ChunkData(_) | State::Blind) => state,
        }
    }

    /// What follows a complete header section.
    fn body(&mut self) -> State {
        let number = self.heads;
        self.heads = self.heads.saturating_add(1);
        let Head {
            lengths,
            codings,
            length,
            strange,
        } = self.head;
        if lengths + codings > 1 {
            self.tangled = Some(number);
            return State::Blind;
        }
        match (strange, codings, length) {
            (true, _, _) => State::Blind,
            (false, 1, _) => State::ChunkSize,
            (false, _, 0) => State::Start,
            (false, _, length) => State::Fixed(length),
        }
    }
}

impl Head {
    fn field(&mut self, line: &[u8], cut: bool) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return;
        };
        let (name, value) = line.split_at_checked(colon).unwrap_or_default();
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
            match std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse().ok())
            {
                Some(length) if !cut => self.length = length,
                _ => self.strange = true,
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.codings += 1;
            self.strange |= cut || !value.eq_ignore_ascii_case(b"chunked");
        }
    }
}

impl Line {
    fn push(&mut self, piece: &[u8]) {
        let room = MAX_LINE.saturating_sub(self.bytes.len());
        self.cut |= piece.len() > room;
        self.bytes
            .extend_from_slice(piece.get(..room).unwrap_or(piece));
    }

    fn is_blank(&self) -> bool {
        self.bytes.iter().all(|byte| *byte == b'\r')
    }

    /// The line without its end.
    fn text(&self) -> &[u8] {
        self.bytes.strip_suffix(b"\r").unwrap_or(&self.bytes)
    }
}

/// The size of a chunk, before its extensions (RFC 9112 section 7.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line
        .iter()
        .position(|byte| b"; \t".contains(byte))
        .unwrap_or(line.len());
    let digits = std::str::from_utf8(line.get(..end)?).ok()?;
    u64::from_str_radix(digits, 16)
        .ok()
        .filter(|_| !digits.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], step: usize) -> Framing {
        let mut framing = Framing::new();
        for piece in bytes.chunks(step) {
            framing.feed(piece);
        }
        framing
    }

    const FIXED: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab\r\nc";
    const CHUNKED: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n\
        5;x=\"y\"\r\n\r\n\r\n0\r\n1\nz\r\n0\r\nTrailer: Content-Length: 1\r\n\r\n";
    const GET: &str = "\r\n\r\nGET / HTTP/1.1\nHost: a\n\n";

    #[test]
    fn bodies_are_not_taken_for_requests() {
        for step in [1, 2, 3, 7, 1000] {
            let all = [FIXED, CHUNKED, GET, FIXED, GET].concat();
            let framing = read(all.as_bytes(), step);
            assert_eq!((framing.heads, framing.state), (5, State::Start), "{step}");
            assert_eq!(framing.tangled(), None);
            assert!(!framing.in_message());
        }
    }

    #[test]
    fn a_length_given_twice_is_seen_at_its_request() {
        for fields in [
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "content-length: 5\r\nX: y\r\nTRANSFER-ENCODING: chunked",
            "Content-Length: 5\r\nContent-Length: 5",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Content-Length: 5\r\nTransfer-Encoding:\tx",
        ] {
            let all = format!("{GET}{FIXED}POST / HTTP/1.1\r\n{fields}\r\n\r\n{GET}");
            for step in [1, 5, 1000] {
                assert_eq!(read(all.as_bytes(), step).tangled(), Some(2), "{fields}");
            }
        }
    }

    #[test]
    fn what_cannot_be_followed_makes_it_blind() {
        for fields in [
            "Transfer-Encoding: gzip, chunked",
            "Content-Length: 5x",
            "Content-Length:",
        ] {
            let framing = read(format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n").as_bytes(), 4);
            assert_eq!(
                (framing.state, framing.tangled()),
                (State::Blind, None),
                "{fields}"
            );
        }
        for chunk in [
            "x\r\n",
            "-1\r\n",
            "+1\r\n",
            "1\r\nab\r\n",
            "fffffffffffffffff\r\n",
        ] {
            let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
            let framing = read(format!("{head}{chunk}").as_bytes(), 4);
            assert_eq!(framing.state, State::Blind, "{chunk}");
        }
    }

    #[test]
    fn half_a_head_is_told_from_a_pause() {
        let mut framing = Framing::new();
        assert!(!framing.in_head());
        framing.feed(b"\r\n");
        assert!(!framing.in_head());
        framing.feed(b"G");
        assert!(framing.in_head());
        framing.feed(b"ET / HTTP/1.1\r\nHost: a\r\n\r");
        assert!(framing.in_head());
        framing.feed(b"\n");
        assert!(!framing.in_head() && !framing.in_message());
        framing.feed(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na");
        assert!(!framing.in_head() && framing.in_message());
        framing.feed(b"b");
        assert!(!framing.in_message());
    }

    #[test]
    fn long_lines_take_no_memory() {
        let mut framing = read(b"GET / HTTP/1.1\r\n", 99);
        for _ in 0..1000 {
            framing.feed(&[b'x'; 1000]);
        }
        assert!(framing.line.bytes.len() <= MAX_LINE);
        framing.feed(b"\r\nContent-Length: 1\r\n\r\nx");
        assert!(!framing.in_message());
    }
}
