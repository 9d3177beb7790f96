"""A cargo workspace of two small crates without dependencies, sick in every way cargo tests are."""

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from regreen_agents.domain.runs import RunSpec, SuiteRun
from regreen_agents.runners.cargo_runner import CargoRunner
from regreen_agents.runners.policy import RunnerPolicy, allowed_environment
from regreen_agents.runners.process import Stopper
from regreen_agents.runners.pytest_runner import Door, Meter
from regreen_agents.runners.suites import Suite
from regreen_agents.runners.target import Target
from target_projects import OWNER

NO_CARGO = "cargo is not installed here"

WORKSPACE = """[workspace]
members = ["crates/till", "crates/shop"]
resolver = "2"

[profile.dev]
debug = "line-tables-only"
incremental = false
"""
LOCK = """version = 4

[[package]]
name = "shop"
version = "0.1.0"
dependencies = ["till"]

[[package]]
name = "till"
version = "0.1.0"
"""
TILL = """//! A till.

use std::sync::atomic::{AtomicBool, AtomicUsize};

pub static OPEN: AtomicBool = AtomicBool::new(false);
pub static RATE: AtomicUsize = AtomicUsize::new(0);

/// Adds two prices.
///
/// ```
/// assert_eq!(till::add(1, 2), 3);
/// ```
///
/// ```
/// assert_eq!(till::add(1, 2), 4);
/// ```
pub fn add(a: u32, b: u32) -> u32 {
    a + b
}

pub fn round_up(cents: u32) -> u32 {
    if cents % 10 > 10 {
        panic!("no price ends in {}", cents % 10);
    }
    cents / 10 * 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::SeqCst;

    #[test]
    fn a_customer_opens_it() {
        OPEN.store(true, SeqCst);
    }

    #[test]
    fn b_it_is_closed_at_first() {
        assert!(!OPEN.load(SeqCst), "the till is open");
    }

    #[test]
    fn c_the_rate_is_set() {
        RATE.store(19, SeqCst);
    }

    #[test]
    fn d_the_rate_is_read() {
        assert_eq!(RATE.load(SeqCst), 19);
    }

    #[test]
    fn e_prices_are_rounded_up() {
        println!("asked for 15");
        assert_eq!(round_up(15), 20, "a price");
    }

    #[test]
    #[ignore = "needs a printer"]
    fn f_receipts_are_printed() {
        panic!("no printer");
    }

    #[test]
    #[should_panic(expected = "negative")]
    fn g_negative_prices_are_refused() {
        panic!("negative price");
    }
}
"""
ORDERS = """use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

static KEYS: AtomicUsize = AtomicUsize::new(0);

struct Key;

impl Key {
    fn take() -> Key {
        KEYS.fetch_add(1, SeqCst);
        Key
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        KEYS.fetch_sub(1, SeqCst);
    }
}

fn alone_with_the_key() {
    let _key = Key::take();
    for _ in 0..40 {
        assert_eq!(KEYS.load(SeqCst), 1, "somebody else has the key");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn an_order_is_opened() {
    alone_with_the_key();
}

#[test]
fn an_order_is_shipped() {
    alone_with_the_key();
}

#[test]
fn cargo_tells_where_it_is() {
    assert_eq!(std::env::var("CARGO_PKG_NAME").unwrap(), "shop");
    assert!(std::path::Path::new("src/lib.rs").exists());
    assert_eq!(till::add(1, 1), 2);
}
"""
CHANCE = """use std::fs;

#[test]
fn every_second_time_it_rains() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("weather");
    let times: u32 = fs::read_to_string(&path).map_or(0, |text| text.parse().unwrap());
    fs::write(&path, (times + 1).to_string()).unwrap();
    assert!(times % 2 == 0, "rain");
}
"""
CRATE = '[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n'
SICK_WORKSPACE = {
    "Cargo.toml": WORKSPACE,
    "Cargo.lock": LOCK,
    ".gitignore": "target/\n",
    "crates/till/Cargo.toml": CRATE.format(name="till"),
    "crates/till/src/lib.rs": TILL,
    "crates/shop/Cargo.toml": CRATE.format(name="shop")
    + '\n[dependencies]\ntill = { path = "../till" }\n',
    "crates/shop/src/lib.rs": "",
    "crates/shop/tests/orders.rs": ORDERS,
    "crates/shop/tests/chance.rs": CHANCE,
}


CARGO_ENVIRONMENT = allowed_environment(os.environ, (), {})
"""What the runs here get: taken before any test could change the process's own."""


@functools.cache
def has_cargo() -> bool:
    if shutil.which("cargo") is None:
        return False
    # rustup's stand-in is on PATH even where nothing a run gets leads to a toolchain
    command = ["cargo", "--version"]
    asked = subprocess.run(command, env=CARGO_ENVIRONMENT, capture_output=True, check=False)
    return asked.returncode == 0


def toolchain_homes() -> dict[str, str]:
    """Where rustup keeps toolchains, for a test whose HOME is another."""
    home = Path(CARGO_ENVIRONMENT.get("HOME", Path.home()))
    return {
        name: CARGO_ENVIRONMENT.get(name, str(home / folder))
        for name, folder in (("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo"))
    }


@dataclass
class CargoProject:
    """A workspace to run."""

    path: Path
    builds: Path
    logs: Path
    stopper: Stopper = field(default_factory=Stopper)

    def write(self, files: Mapping[str, str]) -> "CargoProject":
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return self

    def runner(self, **limits: object) -> CargoRunner:
        target = Target(
            python="cargo", version="cargo", pytest_version="", plugins=(), chosen_by="a test"
        )
        policy = RunnerPolicy(
            target=target,
            env=dict(CARGO_ENVIRONMENT),
            suite=Suite(runner="cargo"),
            test_timeout_seconds=30,
        ).model_copy(update=limits)
        return CargoRunner(Door(policy, self.path, OWNER, self.stopper, Meter()), self.builds)

    def run(self, spec: RunSpec | None = None, **limits: object) -> SuiteRun:
        log = self.logs / "run.log"
        return self.runner(**limits).run(self.path, spec or RunSpec(), log)


def cargo_project(folder: Path, files: Mapping[str, str]) -> CargoProject:
    path = folder / "wörkspace of ours"
    path.mkdir(parents=True)
    return CargoProject(path, folder / "builds", folder / "logs").write(files)
