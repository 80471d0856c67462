//! Dice of an embedder may be anything: those that always fall alike end in an error where a key needs others, and never in a hang.

use meshform::helm::chart::Chart;
use meshform::helm::{Host, render};

use super::options;

/// Dice that always show one number.
struct Loaded(u8);

impl Host for Loaded {
    fn random(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }

    fn now(&mut self) -> (i64, u32) {
        (1_800_000_000, 0)
    }
}

#[test]
fn keys_from_dice_that_always_fall_alike_are_refused() {
    for (text, dice) in [
        ("{{ genPrivateKey \"dsa\" }}", 0),
        ("{{ genPrivateKey \"dsa\" }}", 255),
        ("{{ genPrivateKey \"ecdsa\" }}", 0),
        ("{{ genPrivateKey \"ecdsa\" }}", 255),
        ("{{ genCA \"a\" 1 }}", 0),
        ("{{ genSelfSignedCert \"a\" nil nil 1 }}", 7),
    ] {
        let files = [
            ("Chart.yaml".to_owned(), b"apiVersion: v2\nname: a\nversion: 1.0.0\n".to_vec()),
            ("templates/a.yaml".to_owned(), text.as_bytes().to_vec()),
        ];
        let chart = Chart::load(files.into()).unwrap();
        let error = render(&chart, &[], &options("r", "default"), &mut Loaded(dice)).unwrap_err().to_string();
        assert!(error.contains("the dice lead to no"), "{text} with {dice}: {error}");
    }
}
