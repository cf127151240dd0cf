//! Redis: the server is measured, `redis-benchmark` asks.

use super::{Job, scaled};
use crate::measured::{Program, Stopwatch, Usage};
use crate::setup::places::Places;
use anyhow::{Result, bail};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server on a socket, and who asks it.
#[derive(Debug)]
struct Redis {
    socket: PathBuf,
    server: Program,
    client: Program,
}

pub(super) fn prepare(places: &Places, scale: f64) -> Result<Box<dyn Job>> {
    // In the folder for temporary files: the path of a socket has to be short.
    let socket = std::env::temp_dir().join(format!("hmm-bench-{}.sock", std::process::id()));
    let path = super::word(&socket);
    let folder = super::word(&places.scratch());
    let server = Program::new(
        "redis-server",
        [
            "--port",
            "0",
            "--unixsocket",
            &path,
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no",
            "--dir",
            &folder,
        ],
    );
    let requests = scaled(60_000, scale).to_string();
    let mut questions = vec!["-s", &path, "-n", &requests, "-q", "-P", "16", "-c", "20", "-r", "50000", "-d", "200"];
    questions.extend(["-t", "set,get,incr,lpush,rpush,lpop,sadd,hset,zadd,mset"]);
    let client = Program::new("redis-benchmark", questions);
    Ok(Box::new(Redis { socket, server, client }))
}

impl Job for Redis {
    fn run(&self, stopwatch: &Stopwatch, preload: Option<&Path>) -> Result<Usage> {
        _ = std::fs::remove_file(&self.socket);
        let server = stopwatch.start(&self.server, preload)?;
        let asked = self.wait_until_ready().and_then(|()| self.ask(stopwatch));
        // Without an answer it has ended already, and tells why.
        _ = self.send("SHUTDOWN NOSAVE");
        let usage = stopwatch.finish(server);
        _ = std::fs::remove_file(&self.socket);
        // What is wrong with the server comes first: the client only suffers.
        let usage = usage?;
        Ok(Usage { wall_ns: asked?, ..usage })
    }
}

impl Redis {
    /// How many nanoseconds the questions took. The client runs under a
    /// stopwatch, too: without its server it would go on for ever.
    fn ask(&self, stopwatch: &Stopwatch) -> Result<u64> {
        let stopwatch = Stopwatch { tool: stopwatch.tool.clone(), report: stopwatch.report.with_extension("client") };
        Ok(stopwatch.run(&self.client, None)?.wall_ns)
    }

    fn wait_until_ready(&self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            if self.send("PING").is_ok_and(|answer| answer.starts_with("+PONG")) {
                return Ok(());
            }
            sleep(Duration::from_millis(5));
        }
        bail!("redis-server does not answer")
    }

    fn send(&self, word: &str) -> Result<String> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("{word}\r\n").as_bytes())?;
        let mut answer = [0; 64];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}
