//! Files and pipes that lines are appended to, by a thread of their own.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Opens a file to append to it. What is new is for the owner and its group (0640). With
/// [`OFlags::NOFOLLOW`] no link is followed.
///
/// # Errors
/// What the system says; of a link, what to do about it.
pub fn open(options: &mut OpenOptions, flags: OFlags, path: &Path) -> io::Result<File> {
    options.create(true).append(true).mode(0o640).custom_flags(flags.bits().cast_signed());
    options.open(path).map_err(|error| {
        if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
            return io::Error::new(error.kind(), "it is a link; name the file that it leads to");
        }
        error
    })
}

/// Writes all of it, however long it takes: a reader of a pipe is waited for that another process
/// made non-blocking. So it is for a thread that may wait.
///
/// # Errors
/// What the system says.
pub fn write_all(output: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(FULL),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// How long a full pipe is waited for.
const FULL: Duration = Duration::from_millis(20);
