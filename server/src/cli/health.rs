//! `hubbub health`.

use crate::net::ListenAddr;
use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    time::Duration,
};

/// The longest time that the server may take to accept, and then for each piece of its answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of the status line, at most.
const MAX_STATUS_BYTES: u64 = 256;

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Asks the server that listens at `address` whether it is alive.
pub(super) fn run(address: &ListenAddr) -> Result<String, String> {
    let status =
        status_line(address).map_err(|error| format!("the server at {address} does not answer: {error}"))?;
    if status.starts_with("HTTP/1.1 200 ") {
        Ok(format!("The server at {address} is alive."))
    } else {
        Err(format!("the server at {address} answers: {status}"))
    }
}

fn status_line(address: &ListenAddr) -> io::Result<String> {
    match address {
        ListenAddr::Tcp(address) => ask_by_tcp(*address),
        ListenAddr::EveryInterface(port) => ask_by_tcp((Ipv4Addr::LOCALHOST, *port).into()),
        ListenAddr::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            ask(stream)
        }
    }
}

fn ask_by_tcp(address: SocketAddr) -> io::Result<String> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    ask(stream)
}

/// Sends the request and returns the status line of the answer.
fn ask(mut stream: impl Read + Write) -> io::Result<String> {
    stream.write_all(REQUEST)?;
    let mut line = String::new();
    BufReader::new(stream.take(MAX_STATUS_BYTES)).read_line(&mut line).map_err(|error| {
        match error.kind() {
            // What a timeout of a socket is called.
            ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
            _ => error,
        }
    })?;
    Ok(line.trim_end().to_owned())
}
