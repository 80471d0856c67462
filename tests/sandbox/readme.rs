//! The README's story, run as it is printed.

use super::lab::Lab;

/// A line without what differs from run to run: every word of hexadecimal digits that has a digit.
fn normal(line: &str) -> String {
    let mut normal = String::new();
    let mut word = String::new();
    for c in line.chars().chain([' ']) {
        if c.is_ascii_hexdigit() || ":-.TZ".contains(c) {
            word.push(c);
            continue;
        }
        let has_digit = word.chars().any(|c| c.is_ascii_digit());
        normal.push_str(if has_digit { "#" } else { &word });
        word.clear();
        normal.push(c);
    }
    // A duration has one unit or two.
    normal.trim_end().replace("#m #s", "#").replace("#m", "#").replace("#s", "#")
}

#[test]
fn the_story_runs_as_the_readme_prints_it() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let lab = Lab::new("");
    std::fs::create_dir(lab.path().join("stacks")).unwrap();
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/stacks/demo.yaml"), lab.path().join("stacks/demo.yaml")).unwrap();
    let story = readme.split("```console\n").nth(2).unwrap().split("```").next().unwrap();
    let mut commands = 0;
    for part in story.split("$ meshform ").skip(1) {
        let (command, printed) = part.split_once('\n').unwrap();
        let ran = lab.run(command).ends_with(0);
        // The README shows a terminal, where the report of a rotation follows its progress, and that of an apply stands around it.
        let text = if command.starts_with("rotate") { format!("{}{}", ran.stderr, ran.stdout) } else { between(&ran.stdout, &ran.stderr) };
        let lines: Vec<String> = text.lines().map(normal).collect();
        let mut place = 0;
        let mut may_skip = false;
        for line in printed.lines().map(normal) {
            if line.trim() == "…" || line.is_empty() {
                may_skip = true;
                continue;
            }
            let found = lines[place..].iter().position(|l| *l == line);
            let skipped =
                found.unwrap_or_else(|| panic!("{command}: no line `{line}` after `{:?}` in\n{text}", lines.get(place.wrapping_sub(1))));
            assert!(skipped == 0 || may_skip, "{command}: `{}` stands before `{line}`", lines[place]);
            place += skipped + 1;
            may_skip = false;
        }
        commands += 1;
    }
    assert_eq!(commands, 6);
}

/// The plan, then the progress, then the sum and the outputs: as a terminal shows them.
fn between(stdout: &str, stderr: &str) -> String {
    let sum = stdout.lines().find(|line| line.contains(" to create, ")).map(ToOwned::to_owned);
    match sum.and_then(|sum| stdout.split_once(sum.as_str()).map(|(before, after)| (format!("{before}{sum}\n"), after.to_owned()))) {
        Some((before, after)) => format!("{before}{stderr}{}", after.trim_start_matches('\n')),
        None => stdout.to_owned(),
    }
}
