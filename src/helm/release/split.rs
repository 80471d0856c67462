//! Documents of a file: `SplitManifests` of `releaseutil/manifest.go`.

/// What Go's `\s` matches.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

/// Splits at `(?:^|\s*\n)---\s*` and leaves empty parts out. A part that is only spaces stays, as an empty document.
pub(super) fn split_manifests(file: &str) -> Vec<&str> {
    let file = file.trim();
    let bytes = file.as_bytes();
    let mut parts = Vec::new();
    let mut start = 0;
    let mut from = 0;
    while let Some(found) = file[from..].find("---") {
        let dashes = from + found;
        let at_line_start = dashes == 0 || bytes[dashes - 1] == b'\n';
        if !at_line_start || dashes < start {
            from = dashes + 1;
            continue;
        }
        let mut end = dashes;
        // The newline must lie after the last separator: it belongs to one only.
        if dashes > 0 {
            if dashes - 1 < start {
                from = dashes + 1;
                continue;
            }
            while end > start && is_space(bytes[end - 1]) {
                end -= 1;
            }
        }
        parts.push(&file[start..end]);
        let mut next = dashes + 3;
        while next < bytes.len() && is_space(bytes[next]) {
            next += 1;
        }
        start = next;
        from = next;
    }
    parts.push(&file[start..]);
    parts.into_iter().filter(|part| !part.is_empty()).map(str::trim).collect()
}
