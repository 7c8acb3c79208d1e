//! Servers whose database lies on a disk of its own, which nobody else sees.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::sandbox::{Sandbox, Server};

/// A server whose database lies on what this shell command mounts at a folder, and what leads there; nothing where it
/// may not be mounted.
pub(crate) fn on_a_disk(user: &Sandbox, mount: impl Fn(&Path) -> String) -> Option<(Server, PathBuf)> {
    let disk = user.path("disk");
    fs::create_dir_all(&disk).unwrap();
    let mount = mount(&disk);
    let ways = [&["-m"][..], &["-U", "-r", "-m"]];
    let may = |way: &&[&str]| {
        let tried = Command::new("unshare").args(*way).args(["sh", "-c", &mount]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let way = ways.into_iter().find(may)?;
    let database = format!("sqlite:{}", disk.join("pmks.db").display());
    let plain = user.command(&["serve", "--listen", "127.0.0.1:0", "--database", &database]);
    let inside = format!("{mount} && exec \"$0\" \"$@\"");
    let mut command = Command::new("unshare");
    command.args(way).args(["sh", "-c", &inside]).arg(plain.get_program()).args(plain.get_args());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(user.path("")).stdin(Stdio::null());
    let server = user.served(command);
    // The disk is seen by the server alone, and through its process.
    let seen = format!("/proc/{}/root{}", server.pid(), disk.display());
    Some((server, seen.into()))
}

/// An image of a disk with a file system that turns read-only by itself when it meets an error, and the command that
/// mounts it; nothing where none can be made.
pub(crate) fn fragile_disk(user: &Sandbox) -> Option<impl Fn(&Path) -> String + use<>> {
    let image = user.path("image");
    fs::File::create(&image).unwrap().set_len(32 << 20).unwrap();
    let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).status();
    made.is_ok_and(|status| status.success()).then_some(move |disk: &Path| {
        format!("mount -o loop,errors=remount-ro {} {}", image.display(), disk.display())
    })
}

/// The file system under that server's database meets an error: from now on it is read-only, files that are open too.
pub(crate) fn break_disk(user: &Sandbox, server: &Server) {
    let namespace = format!("--mount=/proc/{}/ns/mnt", server.pid());
    let mut command = Command::new("nsenter");
    command.arg(namespace).args(["mount", "-o", "remount,abort"]).arg(user.path("disk"));
    assert!(command.status().unwrap().success());
}
