//! A program that says on its standard output where it listens, and ends with its owner.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take until it listens.
const START: Duration = Duration::from_secs(60);

/// How often a program is started that finds its port taken.
const MOST_STARTS: usize = 10;

/// A running program, killed when dropped.
pub(super) struct Program(Child);

impl Program {
    /// Starts a program and returns it with what it says after `announcement`, on the same line.
    pub(super) fn start(command: &mut Command, announcement: &str) -> (Self, String) {
        let (program, [said]) = Self::start_saying(command, [announcement]);
        (program, said)
    }

    /// The same with a program that may find its port taken: it takes one port twice, for IPv4 and
    /// for IPv6, and somebody may have the second. Then it ends, and is started again.
    pub(super) fn start_again_if_taken(
        command: &mut Command,
        announcement: &str,
        taken: &str,
    ) -> (Self, String) {
        for _ in 0..MOST_STARTS {
            match Self::try_start(command, [announcement]) {
                Ok((program, [said])) => return (program, said),
                Err(said) if said.contains(taken) => {}
                Err(said) => panic!("{command:?} did not say \"{announcement}\", only: {said}"),
            }
        }
        panic!("{command:?} found no port in {MOST_STARTS} attempts");
    }

    /// The same with several announcements, in the order in which they come.
    pub(super) fn start_saying<const N: usize>(
        command: &mut Command,
        announcements: [&str; N],
    ) -> (Self, [String; N]) {
        Self::try_start(command, announcements).unwrap_or_else(|said| {
            panic!("{command:?} did not say all of {announcements:?}, only: {said}")
        })
    }

    /// Returns what it said when it did not say all of it.
    fn try_start<const N: usize>(
        command: &mut Command,
        announcements: [&str; N],
    ) -> Result<(Self, [String; N]), String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let lines = lines(&mut child);
        let program = Self(child);

        let deadline = Instant::now() + START;
        let mut said = String::new();
        let mut announced = announcements.map(|_| String::new());
        for (announcement, announced) in announcements.into_iter().zip(&mut announced) {
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                let Ok(line) = lines.recv_timeout(left) else { return Err(said) };
                if let Some((_, rest)) = line.split_once(announcement) {
                    rest.trim().clone_into(announced);
                    break;
                }
                said.push_str(&line);
                said.push('\n');
            }
        }
        Ok((program, announced))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads to the end, listened to or not, so that the program never waits for a reader.
fn lines(child: &mut Child) -> Receiver<String> {
    let stdout = child.stdout.take().expect("stdout is piped");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}
