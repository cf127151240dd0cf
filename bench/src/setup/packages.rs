//! Debian packages: who is missing, and getting them if that is possible
//! without asking anyone.

use crate::setup::command;
use anyhow::{Result, anyhow, bail};
use std::process::Command;

/// The version of an installed package.
pub(crate) fn version(package: &str) -> Option<String> {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status} ${Version}", package]);
    let answer = command::run(&mut query).ok()?;
    answer.strip_prefix("installed ").map(str::to_owned)
}

/// Installs packages, as root or by a `sudo` that needs no password. Gives
/// those that could not be had, and why.
pub(crate) fn install<'a>(packages: &[&'a str]) -> Vec<(&'a str, anyhow::Error)> {
    let apt = match Apt::find() {
        Ok(apt) => apt,
        Err(error) => return packages.iter().map(|&package| (package, anyhow!("{error:#}"))).collect(),
    };
    // One by one: a package that this system does not have spoils no other.
    let install = |&package: &&'a str| {
        let done = apt.run(&["install", "-y", "--no-install-recommends", package]);
        Some((package, done.err()?))
    };
    packages.iter().filter_map(install).collect()
}

/// `apt-get`, with the right to install.
struct Apt {
    is_root: bool,
}

impl Apt {
    /// Brings the lists of packages up to date, too.
    fn find() -> Result<Self> {
        if !command::exists("apt-get") {
            bail!("there is no apt-get here");
        }
        let is_root = command::run(Command::new("id").arg("-u"))?.trim() == "0";
        if !is_root && command::run(Command::new("sudo").args(["-n", "true"])).is_err() {
            bail!("installing needs root, or a sudo without a password");
        }
        let apt = Self { is_root };
        apt.run(&["update"])?;
        Ok(apt)
    }

    fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = if self.is_root { Command::new("env") } else { Command::new("sudo") };
        if !self.is_root {
            command.args(["-n", "env"]);
        }
        command::run(command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]).args(arguments))
    }
}
