//! Archives that are damaged: what a .tgz says of itself need not be so.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::input::Files;
use super::mutate::{Dice, bytes};

/// Paths that lead out of a chart, or nowhere.
const PATHS: &[&str] = &[
    "../../etc/passwd",
    "/etc/passwd",
    "c:/windows",
    "c:\\windows\\x",
    "x/../../y",
    "x/./templates//a.yaml",
    "Chart.yaml",
    "x/Chart.yaml/y",
    "x/charts/a.tgz/b",
    "x/charts/..tgz",
    "",
    ".",
    "x/\u{202e}lmay",
    "x/templates/\n",
];

fn pack(tar: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(tar).unwrap();
    gzip.finish().unwrap()
}

fn entry(kind: EntryType, path: &str, size: u64) -> Header {
    let mut header = Header::new_ustar();
    let name = header.as_old_mut();
    let length = path.len().min(name.name.len());
    name.name[..length].copy_from_slice(&path.as_bytes()[..length]);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header
}

/// A chart's archive, damaged in one to three ways.
pub(super) fn damaged(files: &Files, dice: &mut Dice) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, data) in files {
        let mut header = Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("x/{name}"), data.as_slice()).unwrap();
    }
    for _ in 0..dice.below(3) {
        hostile_entry(&mut tar, dice);
    }
    let mut plain = tar.into_inner().unwrap();
    // Sizes and types stand in headers: there a change does most.
    for _ in 0..dice.below(4) {
        let block = dice.below(plain.len() / 512) * 512;
        let at = block + [dice.below(512), 124 + dice.below(12), 148 + dice.below(8), 156][dice.below(4)];
        plain[at] = dice.byte();
    }
    if dice.chance(5) {
        plain.truncate(dice.below(plain.len()));
    }
    if dice.chance(20) {
        // A bomb: half a gigabyte of zeros in half a megabyte.
        plain.resize(plain.len() + (400 << 20), 0);
    }
    let mut packed = pack(&plain);
    match dice.below(6) {
        0 => packed = bytes(packed, dice),
        1 => packed.truncate(dice.below(packed.len())),
        2 => packed.extend_from_slice(&packed.clone()),
        _ => {}
    }
    packed
}

fn hostile_entry(tar: &mut Builder<Vec<u8>>, dice: &mut Dice) {
    let path = *dice.pick(PATHS);
    let kinds = [
        EntryType::Regular,
        EntryType::Link,
        EntryType::Symlink,
        EntryType::Char,
        EntryType::Fifo,
        EntryType::Directory,
        EntryType::GNUSparse,
        EntryType::GNULongName,
        EntryType::XHeader,
        EntryType::XGlobalHeader,
        EntryType::Continuous,
    ];
    let kind = *dice.pick(&kinds);
    let told = [0, 1, 511, 513, 6 << 20, u64::MAX >> 31, u64::MAX][dice.below(7)];
    let data = vec![dice.byte(); dice.below(2000)];
    let mut header = entry(kind, path, if dice.chance(2) { told } else { data.len() as u64 });
    if matches!(kind, EntryType::Link | EntryType::Symlink) {
        let _ = header.set_link_name(dice.pick(PATHS));
        header.set_cksum();
    }
    tar.append(&header, data.as_slice()).unwrap();
}
