//! What Linux says of the machine and of this process, from its files. Elsewhere, and where a file cannot be read, nothing
//! is said.
//!
//! Sources: <https://docs.kernel.org/filesystems/proc.html>, <https://docs.kernel.org/admin-guide/iostats.html>,
//! <https://www.freedesktop.org/software/systemd/man/latest/os-release.html>

use std::collections::BTreeSet;
use std::fs::read_to_string;

/// What stays as it is while the machine runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) hostname: String,
    pub(super) platform: String,
    pub(super) platform_version: String,
    pub(super) architecture: String,
    pub(super) kernel: String,
    pub(super) uptime_seconds: u64,
    pub(super) cpu_model: String,
    pub(super) physical_cores: usize,
    pub(super) logical_cores: usize,
    pub(super) clock_mhz: Option<f64>,
    pub(super) memory_bytes: u64,
    pub(super) swap_bytes: u64,
    /// Where each is mounted, and its size in bytes.
    pub(super) disks: Vec<(String, u64)>,
}

/// What counts up, and what is in use now.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) cpu: Option<Ticks>,
    pub(super) cores: Vec<Ticks>,
    pub(super) memory_bytes: u64,
    pub(super) available_bytes: u64,
    pub(super) disk_read: u64,
    pub(super) disk_written: u64,
    pub(super) net_sent: u64,
    pub(super) net_received: u64,
    pub(super) own_name: String,
    pub(super) own_ticks: u64,
    pub(super) own_memory_bytes: u64,
    pub(super) own_read: u64,
    pub(super) own_written: u64,
}

/// Time of processors, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticks {
    pub(super) all: u64,
    pub(super) idle: u64,
}

impl Ticks {
    /// How busy it was since then, in percent.
    pub(super) fn busy_since(self, before: &Self) -> Option<f64> {
        let all = self.all.checked_sub(before.all)?;
        self.part_of(before, all.checked_sub(self.idle.saturating_sub(before.idle))?)
    }

    /// What part of the time since then these ticks are, in percent.
    #[expect(clippy::cast_precision_loss, reason = "two digits of it are told")]
    pub(super) fn part_of(self, before: &Self, ticks: u64) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        Some(ticks as f64 / all as f64 * 100.0)
    }
}

pub(super) fn facts() -> Facts {
    let release = read("/etc/os-release");
    let of_release = |key: &str| {
        let value = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().trim_matches('"').to_owned()
    };
    let processors = read("/proc/cpuinfo");
    let memory = read("/proc/meminfo");
    let kernel = |what: &str| read(&format!("/proc/sys/kernel/{what}")).trim().to_owned();
    let uptime = read("/proc/uptime");
    let cpu_model = field(&processors, "model name").next().unwrap_or_default();
    Facts {
        hostname: kernel("hostname"),
        platform: of_release("ID"),
        platform_version: of_release("VERSION_ID"),
        architecture: std::env::consts::ARCH.to_owned(),
        kernel: kernel("osrelease"),
        uptime_seconds: uptime.split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or_default(),
        cpu_model: cpu_model.to_owned(),
        physical_cores: physical_cores(&processors),
        logical_cores: field(&processors, "processor").count(),
        clock_mhz: field(&processors, "cpu MHz").next().and_then(|mhz| mhz.parse().ok()),
        memory_bytes: kibibytes(&memory, "MemTotal"),
        swap_bytes: kibibytes(&memory, "SwapTotal"),
        disks: disks(&read("/proc/filesystems"), &read("/proc/self/mounts")),
    }
}

pub(super) fn counted() -> Counted {
    let (stat, memory, own) = (read("/proc/stat"), read("/proc/meminfo"), read("/proc/self/stat"));
    let is_whole = |name: &str| std::path::Path::new("/sys/block").join(name).join("device").exists();
    let (disk_read, disk_written) = of_disks(&read("/proc/diskstats"), is_whole);
    let (net_received, net_sent) = of_network(&read("/proc/net/dev"));
    let (status, own_io) = (read("/proc/self/status"), read("/proc/self/io"));
    let number =
        |key: &str| field(&own_io, key).next().and_then(|text| text.parse().ok()).unwrap_or_default();
    let mut cpus = stat.lines().filter(|line| line.starts_with("cpu")).map(ticks);
    Counted {
        cpu: cpus.next(),
        cores: cpus.collect(),
        memory_bytes: kibibytes(&memory, "MemTotal"),
        available_bytes: kibibytes(&memory, "MemAvailable"),
        disk_read,
        disk_written,
        net_sent,
        net_received,
        own_name: field(&status, "Name").next().unwrap_or_default().to_owned(),
        own_ticks: own_ticks(&own),
        own_memory_bytes: kibibytes(&status, "VmRSS"),
        own_read: number("read_bytes"),
        own_written: number("write_bytes"),
    }
}

fn read(path: &str) -> String {
    read_to_string(path).unwrap_or_default()
}

/// The values of each line `key : value`.
fn field<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

/// `MemTotal:  16384 kB` in bytes.
fn kibibytes(text: &str, key: &str) -> u64 {
    let told = field(text, key).next().and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    told.unwrap_or_default().saturating_mul(1024)
}

/// Each core of each processor once; where they are not numbered, as on ARM, all.
fn physical_cores(processors: &str) -> usize {
    let numbered: BTreeSet<(&str, &str)> =
        field(processors, "physical id").zip(field(processors, "core id")).collect();
    if numbered.is_empty() { field(processors, "processor").count() } else { numbered.len() }
}

/// `cpu  user nice system idle iowait …`: guests are counted as users already.
fn ticks(line: &str) -> Ticks {
    let numbers: Vec<u64> = numbers(line).take(8).collect();
    Ticks { all: numbers.iter().sum(), idle: numbers.iter().skip(3).take(2).sum() }
}

/// The 14th and the 15th field, of user and system; the second, in brackets, may hold anything.
fn own_ticks(stat: &str) -> u64 {
    let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum()
}

/// Bytes read and written of all disks: partitions and what is made of disks are counted with them. A sector has 512
/// bytes here, whatever the disk's own have.
fn of_disks(stats: &str, is_whole: impl Fn(&str) -> bool) -> (u64, u64) {
    let disks = stats.lines().filter(|line| line.split_whitespace().nth(2).is_some_and(&is_whole));
    disks.fold((0, 0), |(read, written), line| {
        let of = |place: usize| line.split_whitespace().nth(place).and_then(|text| text.parse::<u64>().ok());
        let bytes = |place| of(place).unwrap_or_default().saturating_mul(512);
        (read + bytes(5), written + bytes(9))
    })
}

/// Bytes received and sent of all interfaces.
fn of_network(dev: &str) -> (u64, u64) {
    dev.lines().filter_map(|line| line.split_once(':')).fold((0, 0), |(received, sent), (_, counts)| {
        let of = |place: usize| {
            counts.split_whitespace().nth(place).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default()
        };
        (received + of(0), sent + of(8))
    })
}

/// Those on devices, each place once.
fn disks(filesystems: &str, mounts: &str) -> Vec<(String, u64)> {
    let on_devices: Vec<&str> =
        filesystems.lines().filter(|line| !line.starts_with("nodev")).map(str::trim).collect();
    let mut places = BTreeSet::new();
    let mut all = Vec::new();
    for mount in mounts.lines() {
        let mut fields = mount.split_whitespace().skip(1);
        let (Some(place), Some(kind)) = (fields.next(), fields.next()) else { continue };
        // A blank in it is written `\040`.
        let place = place.replace("\\040", " ");
        if !on_devices.contains(&kind) || !places.insert(place.clone()) {
            continue;
        }
        if let Ok(told) = rustix::fs::statvfs(place.as_str()) {
            all.push((place, told.f_blocks.saturating_mul(told.f_frsize)));
        }
    }
    all
}

fn numbers(line: &str) -> impl Iterator<Item = u64> {
    line.split_whitespace().skip(1).filter_map(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_files_are_read() {
        let line = "cpu  100 5 20 800 50 1 2 3 40 0";
        assert_eq!(ticks(line), Ticks { all: 981, idle: 850 });
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 9 0 0 0 123 45 0 0 20 0 5 0 100";
        assert_eq!(own_ticks(stat), 168);
        assert_eq!(kibibytes("MemTotal:       2048 kB\nMemFree: 1 kB\n", "MemTotal"), 2 << 20);
        let dev = "Inter-|   Receive\n face |bytes\n    lo: 7 1 0 0 0 0 0 0 9 1 0\n  eth0: 100 1 0 0 0 0 0 0 50 1 0\n";
        assert_eq!(of_network(dev), (107, 59));
        let two =
            "processor : 0\nphysical id : 0\ncore id : 0\n\nprocessor : 1\nphysical id : 0\ncore id : 0\n";
        assert_eq!((physical_cores(two), physical_cores("processor : 0\nprocessor : 1\n")), (1, 2));
        let stats = "   8       0 sda 90 1 16 7 80 2 32 9 0 3 4\n   8       1 sda1 9 1 1 7 8 2 2 9 0 3 4\n \
                     259       0 nvme0n1 9 1 4 7 8 2 8 9 0 3 4\n   7       0 loop0 9 1 64 7 8 2 64 9 0 3 4\n";
        assert_eq!(of_disks(stats, |name| ["sda", "nvme0n1"].contains(&name)), (20 * 512, 40 * 512));
    }

    #[test]
    fn disks_are_what_is_mounted_from_devices_once_each() {
        let filesystems = "nodev\tproc\n\text4\n";
        assert_eq!(disks(filesystems, "proc / proc rw 0 0\nx /nowhere-at-all ext4 rw 0 0\n"), []);
        let place = std::env::temp_dir().join(format!("pmks a {}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let shown = place.to_str().unwrap();
        let told = rustix::fs::statvfs(shown).unwrap();
        let mounts = format!("a {0} ext4 rw 0 0\nb {0} ext4 rw 0 0\n", shown.replace(' ', "\\040"));
        let all = disks(filesystems, &mounts);
        std::fs::remove_dir(&place).unwrap();
        assert_eq!(all, [(shown.to_owned(), told.f_blocks * told.f_frsize)]);
        assert!(all.iter().all(|(_, size)| *size > 0));
    }

    #[test]
    fn this_machine_says_something() {
        if cfg!(target_os = "linux") {
            let (facts, counted) = (facts(), counted());
            assert!(
                facts.logical_cores > 0 && facts.memory_bytes > 0 && !facts.kernel.is_empty(),
                "{facts:?}"
            );
            assert!(counted.own_memory_bytes > 0 && counted.cpu.is_some(), "{counted:?}");
            assert_eq!(counted.cores.len(), facts.logical_cores);
        }
    }
}
