//! Child processes, each on one core, ended when dropped.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running child.
pub struct Pinned {
    child: Child,
    pub address: SocketAddr,
}

impl Pinned {
    /// Starts a role of this very program; it prints its address as its first line.
    pub fn role(core: usize, arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("own path");
        let mut command = taskset(core, program.to_str().expect("own path"));
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().expect("taskset of util-linux");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("first line");
        let address = line.trim().parse().unwrap_or_else(|_| panic!("{arguments:?} printed {line:?} for an address"));
        Self { child, address }
    }

    /// Starts a command that serves at `address`, and waits until it takes connections.
    pub fn server(core: usize, command: &str, address: SocketAddr) -> Self {
        let mut words = command.split_whitespace();
        let mut started = taskset(core, words.next().expect("a command"));
        let child = started.args(words).stdout(Stdio::null()).spawn().expect("taskset of util-linux");
        let mut pinned = Self { child, address };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "{command:?} does not serve at {address}");
            assert!(pinned.child.try_wait().expect("own child").is_none(), "{command:?} ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        pinned
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command on a core to its end.
pub fn run(core: usize, command: &str) -> std::process::ExitStatus {
    let mut words = command.split_whitespace();
    let mut started = taskset(core, words.next().expect("a command"));
    started.args(words).stdout(Stdio::null()).status().expect("taskset of util-linux")
}

/// Puts this process, and the threads it will start, on one core.
pub fn pin_self(core: usize) {
    let pid = std::process::id().to_string();
    let status = Command::new("taskset").args(["-cp", &core.to_string(), &pid]).stdout(Stdio::null()).status();
    assert!(status.expect("taskset of util-linux").success(), "cannot pin to core {core}");
}

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound port")
}

fn taskset(core: usize, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program);
    command
}
