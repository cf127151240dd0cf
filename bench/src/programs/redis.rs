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

fn on_socket(places: &Places, settings: &[&str]) -> Redis {
    // In the folder for temporary files: the path of a socket has to be short.
    let socket = std::env::temp_dir().join(format!("hmm-bench-{}.sock", std::process::id()));
    let path = super::word(&socket);
    let folder = super::word(&places.scratch());
    let mut server = Program::new(
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
    server.arguments.extend(settings.iter().map(|&word| word.to_owned()));
    let ask = ["-s", &path, "-q", "-P", "16", "-c", "20"];
    let client = Program::new("redis-benchmark", ask);
    Redis { socket, server, client }
}

pub(super) fn prepare(places: &Places, scale: f64) -> Result<Box<dyn Job>> {
    let mut redis = on_socket(places, &[]);
    let requests = scaled(60_000, scale).to_string();
    let questions = ["-n", &requests, "-r", "50000", "-d", "200"].map(str::to_owned);
    redis.client.arguments.extend(questions);
    redis.client.arguments.extend(["-t", "set,get,incr,lpush,rpush,lpop,sadd,hset,zadd,mset"].map(str::to_owned));
    Ok(Box::new(redis))
}

/// As a cache: it may hold less than it is given, and drops what was not asked for lately.
pub(super) fn prepare_cache(places: &Places, scale: f64) -> Result<Box<dyn Job>> {
    let most = format!("{}mb", scaled(100, scale));
    let mut redis = on_socket(places, &["--maxmemory", &most, "--maxmemory-policy", "allkeys-lru"]);
    let requests = scaled(300_000, scale).to_string();
    let questions = ["-n", &requests, "-r", "10000000", "-d", "700", "-t", "set,lpush,hset,sadd"];
    redis.client.arguments.extend(questions.map(str::to_owned));
    Ok(Box::new(redis))
}

impl Job for Redis {
    fn run(&self, stopwatch: &Stopwatch, preload: Option<&Path>) -> Result<Usage> {
        _ = std::fs::remove_file(&self.socket);
        let server = stopwatch.start(&self.server, preload)?;
        let asked = self.wait_until_ready().and_then(|()| self.ask(stopwatch));
        let settled_kib = self.settled(stopwatch.settle_s);
        // Without an answer it has ended already, and tells why.
        _ = self.send("SHUTDOWN NOSAVE");
        let usage = stopwatch.finish(server);
        _ = std::fs::remove_file(&self.socket);
        // What is wrong with the server comes first: the client only suffers.
        let usage = usage?;
        Ok(Usage { wall_ns: asked?, settled_kib, ..usage })
    }
}

impl Redis {
    /// How many nanoseconds the questions took. The client runs under a
    /// stopwatch, too: without its server it would go on for ever.
    fn ask(&self, stopwatch: &Stopwatch) -> Result<u64> {
        let stopwatch = Stopwatch { report: stopwatch.report.with_extension("client"), ..stopwatch.clone() };
        Ok(stopwatch.run(&self.client, None)?.wall_ns)
    }

    /// The server's memory after so many seconds, in KiB.
    fn settled(&self, seconds: f64) -> Option<u64> {
        if seconds <= 0.0 {
            return None;
        }
        sleep(Duration::from_secs_f64(seconds));
        let answer = self.send("INFO server").ok()?;
        let process = answer.lines().find_map(|line| line.strip_prefix("process_id:"))?.trim();
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        resident.split_whitespace().next()?.parse().ok()
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
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}
